package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// reachWait bounds one try to reach a server at a socket.
	reachWait = 5 * time.Second
	// proofName begins the names of files that a server is asked to read back.
	proofName = "evens.proof."
)

// reach looks for a server of these data that this process cannot see, one in another pid namespace above all, at
// the sockets it may have. It is true where one answers and has shown that it works on these very data. It is
// errUnseen where something listens that does not answer: nobody may start a server beside that.
func (p *postgres) reach(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, reachWait)
	defer cancel()
	var unwilling error
	// The socket's folder may have another name there, where the data folder is mounted elsewhere.
	for _, dir := range []string{readPostmaster(p.data).socketDir, filepath.Join(p.home, "socket")} {
		if dir == "" || !p.ownsPrivately(dir) || !listens(ctx, dir) {
			continue
		}
		ours, err := p.servesTheseData(ctx, dir)
		if err != nil {
			unwilling = fmt.Errorf("a server at %s does not answer (%w): %s is %w", dir, err, p.data, errUnseen)
		}
		if ours {
			p.socketDir.set(dir)
			return true, nil
		}
	}
	return false, unwilling
}

// listens reports whether anybody takes connections at the socket of that folder. In doubt somebody does.
func listens(ctx context.Context, dir string) bool {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err == nil {
		_ = conn.Close()
	}
	return !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED)
}

// servesTheseData has the server read back a word just written into the data: its own path of them, and the
// number of its process, may mean others here, and a copied folder names the server of the original.
func (p *postgres) servesTheseData(ctx context.Context, socketDir string) (bool, error) {
	conn, err := pgx.Connect(ctx, socketURL(socketDir, userName, "postgres"))
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	name, word := proofName+rand.Text(), rand.Text()
	path := filepath.Join(p.data, name)
	if err := p.place.account.writeFile(path, []byte(word)); err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(path) }() // what stays goes with the next start
	var read *string
	const query = `SELECT pg_read_file($1, 0, 64, true)`
	if err := conn.QueryRow(ctx, query, name).Scan(&read); err != nil {
		return false, fmt.Errorf("ask whose data it serves: %w", err)
	}
	return read != nil && *read == word, nil
}

// removeProofs clears away what a killed command left; it is called with the data claimed.
func (p *postgres) removeProofs() {
	left, _ := filepath.Glob(filepath.Join(p.data, proofName+"*")) // fails on a malformed pattern only
	for _, path := range left {
		_ = os.Remove(path) // the next start tries again
	}
}

// shared is a text that one goroutine may change while others read it.
type shared struct {
	mu   sync.Mutex
	text string
}

func (s *shared) get() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text
}

func (s *shared) set(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
}

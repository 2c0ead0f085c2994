package servers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	pg "evens/internal/postgres"
)

const (
	userName     = "evens"
	databaseName = "evens"
	// RuntimeRole is whom processes work as; the owner of the cluster only migrates.
	RuntimeRole = "evens_app"
	// socketDirLimit keeps the socket's whole path below the 104 bytes that macOS allows (108
	// on Linux): PostgreSQL adds `/.s.PGSQL.5432.lock` for a moment.
	socketDirLimit = 80
	// socketDirShort begins the paths used instead of longer ones.
	socketDirShort = "/tmp/evens-"
)

// plainPath is a path that needs no quoting in PostgreSQL's list of socket folders.
var plainPath = regexp.MustCompile(`^[A-Za-z0-9/._-]+$`)

// makeSocketDir returns a folder of mode 0700 for the socket, claimed and without old sockets: beside the data, or
// below /tmp where that path is too long for a socket. A server that is started again keeps the folder it had.
func (p *postgres) makeSocketDir() (string, *claim, error) {
	dir := filepath.Join(p.home, "socket")
	if len(dir) <= socketDirLimit && plainPath.MatchString(dir) {
		if err := p.place.account.mkdir(dir); err != nil {
			return "", nil, err
		}
	} else {
		dir = cmp.Or(p.socketDir.get(), socketDirShort+shortHash(p.data))
		if err := os.Mkdir(dir, 0o700); err == nil {
			if err := p.place.account.ownDir(dir); err != nil {
				return "", nil, err
			}
		}
	}
	if p.ownsPrivately(dir) {
		socket, err := claimFolder(dir)
		if err == nil {
			return dir, socket, p.removeSockets(dir)
		}
		if !errors.Is(err, errUnseen) {
			return "", nil, err
		}
	}
	// Someone else has the name. Ours is written into postmaster.pid, so any will do.
	dir, err := os.MkdirTemp(filepath.Dir(socketDirShort), filepath.Base(socketDirShort)+"*")
	if err != nil {
		return "", nil, err
	}
	if err := p.place.account.ownDir(dir); err != nil {
		return "", nil, err
	}
	socket, err := claimFolder(dir)
	return dir, socket, err
}

// ownsPrivately is true of a real folder of the account's that is open to nobody else.
func (p *postgres) ownsPrivately(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == p.place.account.uid
}

// mayRemove is true of a folder below /tmp that we make for sockets. Its name comes from a file that the account
// writes.
func (p *postgres) mayRemove(dir string) bool {
	return strings.HasPrefix(dir, socketDirShort) && filepath.Clean(dir) == dir &&
		filepath.Dir(dir) == filepath.Dir(socketDirShort) && p.ownsPrivately(dir)
}

// removeSockets clears away what a killed server left; it is called with the folder claimed.
func (p *postgres) removeSockets(dir string) error {
	stale, err := filepath.Glob(filepath.Join(dir, ".s.PGSQL.*"))
	if err != nil {
		return err
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

func (p *postgres) url() string { return p.urlOf(userName, databaseName) }

func (p *postgres) runtimeURL() string { return p.urlOf(RuntimeRole, databaseName) }

func (p *postgres) urlOf(user, database string) string {
	return socketURL(p.socketDir.get(), user, database)
}

func socketURL(dir, user, database string) string {
	// The port is named, although it is the usual one, because PGPORT may say otherwise. libpq
	// takes a plus sign for itself, not for a blank.
	host := strings.ReplaceAll(url.QueryEscape(dir), "+", "%20")
	return "postgres://" + user + "@/" + database + "?host=" + host + "&port=5432"
}

// makeDatabase makes the database of [Servers.DatabaseURL] and the role of [Servers.RuntimeURL] if they are
// not there yet.
func (p *postgres) makeDatabase(ctx context.Context) error {
	connect, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(connect, p.urlOf(userName, "postgres"))
	if err != nil {
		return fmt.Errorf("connect to private postgresql: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := pg.MakeRole(connect, conn, RuntimeRole, ""); err != nil {
		return err
	}
	var exists bool
	const find = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`
	if err := conn.QueryRow(connect, find, databaseName).Scan(&exists); err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(connect, "CREATE DATABASE "+databaseName); err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return nil
}

// Package spool keeps lines in files until the database takes them. It is for the little that must outlive a process
// whose database is away: an acknowledged line is on the disk.
package spool

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"evens/internal/dbclock"
)

// Spool is a folder of files, a line for each thing kept. Each process appends to files of its own, on which it holds
// a lock; a file without one belongs to whoever looks first. It is safe for concurrent use.
type Spool struct {
	dir  string
	most int64
	log  *slog.Logger

	mu   sync.Mutex // guards page
	page *page      // nil: the next line opens one

	working sync.Mutex // one Drain at a time
}

const (
	// defaultMost bounds the folder; an answer of BeT's has a few KiB.
	defaultMost = 256 << 20

	waiting = ".jsonl"  // lines that wait
	failed  = ".failed" // with lines that cannot be done; tried again at the next start
	torn    = ".torn"   // with a line that cannot be read; for a person

	mine   = 0o600
	folder = 0o700
)

// ErrFull says that the folder has no room for another line.
var ErrFull = errors.New("the spool is full")

// New returns the spool in a folder, which is made when the first line comes. most bounds its bytes, 256 MiB when 0.
func New(dir string, most int64, log *slog.Logger) *Spool {
	return &Spool{dir: dir, most: cmp.Or(most, defaultMost), log: log}
}

// Add appends a line, which has no line break, and returns when it is on the disk.
func (s *Spool) Add(line []byte) error {
	page, number, err := s.append(line)
	if err == nil {
		err = page.sync(number)
	}
	if err != nil {
		return fmt.Errorf("add to the spool %s: %w", s.dir, err)
	}
	return nil
}

func (s *Spool) append(line []byte) (*page, int64, error) {
	if bytes.IndexByte(line, '\n') >= 0 {
		return nil, 0, errors.New("a line with a line break")
	}
	whole := append(slices.Clone(line), '\n')
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used()+int64(len(whole)) > s.most {
		return nil, 0, ErrFull
	}
	if s.page == nil {
		opened, err := s.open()
		if err != nil {
			return nil, 0, err
		}
		s.page = opened
	}
	number, err := s.page.write(whole)
	if err != nil {
		return nil, 0, errors.Join(err, s.leave())
	}
	return s.page, number, nil
}

// used is how many bytes the folder has.
func (s *Spool) used() (n int64) {
	entries, _ := os.ReadDir(s.dir)
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			n += info.Size()
		}
	}
	return n
}

// open makes a file of this process's own. One that another process took for a left-over, before it was locked, is
// left to that one: it is empty.
func (s *Spool) open() (*page, error) {
	if err := os.MkdirAll(s.dir, folder); err != nil {
		return nil, err
	}
	for {
		page, err := s.claim()
		if page != nil || err != nil {
			return page, err
		}
	}
}

// claim makes a file and locks it; nil: another process was faster.
func (s *Spool) claim() (*page, error) {
	name := filepath.Join(s.dir, dbclock.NewID().String()+waiting)
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, mine) //nolint:gosec // our folder
	if err != nil {
		return nil, err
	}
	err = lock(file)
	if errors.Is(err, syscall.EWOULDBLOCK) || err == nil && !still(file, name) {
		return nil, file.Close()
	}
	if err := errors.Join(err, syncDir(s.dir)); err != nil {
		return nil, errors.Join(err, file.Close(), os.Remove(name))
	}
	return &page{file: file}, nil
}

// leave lets go of this process's file: the next line opens another. The caller holds mu.
func (s *Spool) leave() error {
	if s.page == nil {
		return nil
	}
	err := s.page.close()
	s.page = nil
	return err
}

// Close lets go of this process's file.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leave()
}

// Check makes sure that lines can be kept.
func (s *Spool) Check() error {
	if err := os.MkdirAll(s.dir, folder); err != nil {
		return fmt.Errorf("make the spool: %w", err)
	}
	probe, err := os.CreateTemp(s.dir, "probe-*")
	if err != nil {
		return fmt.Errorf("write to the spool: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Waits reports whether there are lines to do.
func (s *Spool) Waits() bool {
	names, err := s.names(waiting)
	return err != nil || len(names) > 0
}

// names are the files of a kind, oldest first: their ids follow the time.
func (s *Spool) names(suffixes ...string) (names []string, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look into the spool: %w", err)
	}
	for _, entry := range entries {
		if slices.Contains(suffixes, filepath.Ext(entry.Name())) {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Drain has each line of the files that no other process holds done, oldest file first, and removes a file when all
// of its lines are. do may see a line twice. An error that later reports true for ends it: the lines wait. After
// another the line is put aside with its file, which is taken up again by a Drain with afresh: a process's first.
// It returns how many lines were done.
func (s *Spool) Drain(ctx context.Context, afresh bool, do func(ctx context.Context, line []byte) error, later func(error) bool) (int, error) {
	s.working.Lock()
	defer s.working.Unlock()
	suffixes := []string{waiting}
	if afresh {
		suffixes = append(suffixes, failed)
	}
	names, err := s.names(suffixes...)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	if err := s.Close(); err != nil {
		return 0, fmt.Errorf("spool %s: %w", s.dir, err)
	}
	done := 0
	for _, name := range names {
		n, err := s.drain(ctx, name, do, later)
		done += n
		if err != nil {
			return done, fmt.Errorf("spool file %s: %w", filepath.Join(s.dir, name), err)
		}
	}
	return done, nil
}

func (s *Spool) drain(ctx context.Context, name string, do func(ctx context.Context, line []byte) error, later func(error) bool) (done int, err error) {
	path := filepath.Join(s.dir, name)
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // a name of our folder
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil // another process was faster
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }() // lets the lock go
	if lock(file) != nil || !still(file, path) {
		return 0, nil // another process's
	}
	content, err := os.ReadFile(path) //nolint:gosec // a name of our folder
	if err != nil {
		return 0, err
	}
	suffix := ""
	for rest := content; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		rest = after
		err := ErrTorn
		if whole {
			err = do(ctx, line)
		}
		switch {
		case err == nil:
			done++
		case errors.Is(err, ErrTorn):
			s.log.ErrorContext(ctx, "a line of the spool cannot be read", "file", path, "line", string(line[:min(len(line), 200)]), "error", err)
			suffix = cmp.Or(suffix, torn)
		case later(err):
			return done, err
		default:
			s.log.ErrorContext(ctx, "a line of the spool cannot be done", "file", path, "line", string(line), "error", err)
			suffix = failed
		}
	}
	if suffix == "" {
		err = os.Remove(path)
	} else {
		err = os.Rename(path, strings.TrimSuffix(path, filepath.Ext(path))+suffix)
	}
	return done, errors.Join(err, syncDir(s.dir))
}

// ErrTorn says that a line is not what was written: a crash or a full disk cut it off.
var ErrTorn = errors.New("torn")

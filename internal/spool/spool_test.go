package spool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"evens/internal/spool"
)

var errAway = errors.New("away")

func away(err error) bool { return errors.Is(err, errAway) }

// taker does lines.
type taker struct {
	mu    sync.Mutex
	lines []string
	err   func(line string) error
}

func (k *taker) do(_ context.Context, line []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		if err := k.err(string(line)); err != nil {
			return err
		}
	}
	k.lines = append(k.lines, string(line))
	return nil
}

func open(t *testing.T, dir string, log *bytes.Buffer) *spool.Spool {
	t.Helper()
	s := spool.New(dir, 0, slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func names(t *testing.T, dir string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

// What was added is done once, in order, by the process itself or by the next; the folder is empty then.
func TestLinesAreDone(t *testing.T) {
	t.Parallel()
	for name, another := range map[string]bool{"by the process itself": false, "by the next": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			dir := filepath.Join(t.TempDir(), "made", "spool")
			s := open(t, dir, &log)
			if n, err := s.Drain(t.Context(), true, nil, away); n != 0 || err != nil || s.Waits() {
				t.Fatalf("without a folder: %d, %v", n, err)
			}
			for i := range 5 {
				if err := s.Add(fmt.Appendf(nil, "line %d", i)); err != nil {
					t.Fatal(err)
				}
			}
			if !s.Waits() {
				t.Error("nothing waits")
			}
			k := &taker{}
			if another {
				other := open(t, dir, &log)
				if n, err := other.Drain(t.Context(), true, k.do, away); n != 0 || err != nil {
					t.Errorf("the file of a live process: %d, %v, want it left alone", n, err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = other
			}
			if n, err := s.Drain(t.Context(), false, k.do, away); n != 5 || err != nil {
				t.Errorf("Drain() = %d, %v, want 5", n, err)
			}
			if want := []string{"line 0", "line 1", "line 2", "line 3", "line 4"}; !slices.Equal(k.lines, want) {
				t.Errorf("done: %v", k.lines)
			}
			if left := names(t, dir); len(left) != 0 || s.Waits() {
				t.Errorf("left: %v", left)
			}
			if err := s.Add([]byte("more")); err != nil {
				t.Error(err)
			}
			if n, err := s.Drain(t.Context(), false, k.do, away); n != 1 || err != nil {
				t.Errorf("after more: %d, %v", n, err)
			}
		})
	}
}

// Lines wait while what takes them is away, and come again from the first.
func TestLinesWait(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	dir := t.TempDir()
	s := open(t, dir, &log)
	for i := range 3 {
		if err := s.Add(fmt.Appendf(nil, "%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	k := &taker{err: func(line string) error {
		if line == "1" {
			return errAway
		}
		return nil
	}}
	if n, err := s.Drain(t.Context(), false, k.do, away); n != 1 || !errors.Is(err, errAway) {
		t.Errorf("Drain() = %d, %v, want 1 and the cause", n, err)
	}
	k.err = nil
	if n, err := s.Drain(t.Context(), false, k.do, away); n != 3 || err != nil {
		t.Errorf("Drain() = %d, %v, want all 3", n, err)
	}
	if want := []string{"0", "0", "1", "2"}; !slices.Equal(k.lines, want) {
		t.Errorf("done: %v", k.lines)
	}
}

// A line that was cut off by a crash is reported and kept for a person; those before it are done. A line that cannot
// be done keeps none from being done, and is taken up by the next process.
func TestTornAndFailedLines(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1.jsonl", "good\nhalf of a li")
	write("2.jsonl", "bad\nfine\n")
	write("3.jsonl", "")
	write("4.jsonl", "unreadable\nwell\n")
	k := &taker{err: func(line string) error {
		return map[string]error{"bad": errors.New("not in these books"), "unreadable": fmt.Errorf("%w: no JSON", spool.ErrTorn)}[line]
	}}
	s := open(t, dir, &log)
	if n, err := s.Drain(t.Context(), true, k.do, away); n != 3 || err != nil {
		t.Errorf("Drain() = %d, %v, want 3", n, err)
	}
	if want := []string{"good", "fine", "well"}; !slices.Equal(k.lines, want) {
		t.Errorf("done: %v", k.lines)
	}
	if got, want := strings.Join(names(t, dir), " "), "1.torn 2.failed 4.torn"; got != want || s.Waits() {
		t.Errorf("left: %s, want %s", got, want)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 3 || !strings.Contains(log.String(), "half of a li") {
		t.Errorf("%d lines of the log:\n%s", n, &log)
	}
	if n, err := s.Drain(t.Context(), false, k.do, away); n != 0 || err != nil {
		t.Errorf("again: %d, %v, want nothing", n, err)
	}
	k.err = nil
	if n, err := open(t, dir, &log).Drain(t.Context(), true, k.do, away); n != 2 || err != nil {
		t.Errorf("the next process: %d, %v, want the failed file", n, err)
	}
	if got := strings.Join(names(t, dir), " "); got != "1.torn 4.torn" {
		t.Errorf("left: %s", got)
	}
}

// The folder is bounded, nobody else may read it, and a line with a line break is none.
func TestTheSpoolIsBoundedAndClosed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	s := spool.New(dir, 100, slog.New(slog.DiscardHandler))
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	line := bytes.Repeat([]byte("x"), 39)
	for i, want := range []error{nil, nil, spool.ErrFull} {
		if err := s.Add(line); !errors.Is(err, want) {
			t.Errorf("line %d: %v, want %v", i, err, want)
		}
	}
	if err := s.Add([]byte("a\nb")); err == nil {
		t.Error("a line break was taken")
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, names(t, dir)[0]): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %o", path, info.Mode(), err, want)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	broken := spool.New(file, 0, slog.New(slog.DiscardHandler))
	if broken.Check() == nil || broken.Add(line) == nil || !broken.Waits() {
		t.Error("a folder that is a file is taken for one")
	}
}

// Many add at the same time, while others look: each line is done, none twice.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	dir := t.TempDir()
	k := &taker{}
	spools := []*spool.Spool{open(t, dir, &log), open(t, dir, &log)}
	const adders, each = 16, 20
	var wg sync.WaitGroup
	for i := range adders {
		wg.Go(func() {
			for j := range each {
				if err := spools[i%2].Add(fmt.Appendf(nil, "%d/%d", i, j)); err != nil {
					t.Error(err)
				}
				if j%5 == 0 {
					if _, err := spools[(i+1)%2].Drain(context.Background(), false, k.do, away); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, s := range spools {
		if _, err := s.Drain(t.Context(), false, k.do, away); err != nil {
			t.Error(err)
		}
	}
	slices.Sort(k.lines)
	if n := len(slices.Compact(slices.Clone(k.lines))); n != adders*each || n != len(k.lines) {
		t.Errorf("%d lines done, %d of them different, want %d", len(k.lines), n, adders*each)
	}
}

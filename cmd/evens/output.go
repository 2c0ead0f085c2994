package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/alecthomas/kong"
)

// brokenPipe is the exit code of a command that could not show what it was asked for because nobody reads it any
// more: what a shell makes of an end by SIGPIPE.
const brokenPipe = 128 + int(syscall.SIGPIPE)

// keepWithoutReader makes a write to a pipe whose reader is gone an error, as on any other file. Without it Go ends
// the process at once where that pipe is standard output or standard error: in the middle of a day, or between a
// commit and the line that tells of it. The signal is caught and not ignored, so that programs we start are not
// changed.
func keepWithoutReader() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// changing is a command that changes something when it runs. What it says of that is said on standard error where
// standard output cannot take it, and its exit code is that of the deed.
type changing interface{ changes() bool }

// output is standard output, which may be gone.
type output struct {
	w        io.Writer
	fallback io.Writer // nil: nowhere else
	failed   error     // of the first write that failed
}

// Write writes to standard output, and once that has failed to the fallback, with no error whatever becomes of it.
func (o *output) Write(p []byte) (int, error) {
	if o.failed == nil {
		n, err := o.w.Write(p)
		if err == nil {
			return n, nil
		}
		o.failed = err
		if o.fallback == nil {
			return n, err
		}
		fmt.Fprintf(o.fallback, "evens: standard output cannot be written (%v); it would say:\n", err)
	}
	if o.fallback == nil {
		return 0, o.failed
	}
	_, _ = o.fallback.Write(p)
	return len(p), nil
}

// outcome is the error of a command in view of what became of its output: one that shows something and could not
// has failed, whether it noticed or not.
func (o *output) outcome(err error) error {
	if o.failed == nil || o.fallback != nil || err != nil && !errors.Is(err, o.failed) {
		return err
	}
	return fmt.Errorf("standard output: %w", o.failed)
}

// unread reports whether nobody reads the output any more.
func (o *output) unread() bool { return o.fallback == nil && errors.Is(o.failed, syscall.EPIPE) }

// changesSomething reports whether the command that was parsed changes anything.
func changesSomething(parsed *kong.Context) bool {
	node := parsed.Selected()
	if node == nil || !node.Target.CanInterface() {
		return false
	}
	command, ok := node.Target.Interface().(changing)
	return ok && command.changes()
}

func (deciding) changes() bool { return true }

func (managing) changes() bool { return true }

func (c couponDecision) changes() bool { return !c.DryRun }

func (c reconcileCommand) changes() bool { return !c.DryRun }

func (migrateCommand) changes() bool { return true }

// changes is false: a call's record is personal, and belongs on standard output or nowhere.
func (callbackCommand) changes() bool { return false }

// logWriter is where a log goes. A line that cannot be written, because its reader is gone or the disk is full, is
// counted, and the process goes on.
type logWriter struct {
	w    io.Writer
	lost atomic.Int64
}

// Write takes one line, as slog's handlers write it.
func (l *logWriter) Write(p []byte) (int, error) {
	n, err := l.w.Write(p)
	if err != nil {
		l.lost.Add(1)
	}
	return n, err
}

package servers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// lock is an open file with a flock on it. Locks of one file exclude each other even inside a
// process, for each is a file opened anew; children do not inherit them.
type lock struct{ file *os.File }

// lockPoll is how often a taken lock is tried again: flock itself knows no context.
const lockPoll = 25 * time.Millisecond

// lockFile opens path, made if need be, and waits for the lock, LOCK_SH or LOCK_EX.
func lockFile(ctx context.Context, path string, how int) (*lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the folder belongs to another user, run as that one or choose another folder: %w", err)
	}
	if err != nil {
		return nil, err
	}
	l := &lock{file: file}
	for {
		ok, err := l.try(how)
		if ok {
			return l, nil
		}
		if err == nil {
			err = sleep(ctx, lockPoll)
		}
		if err != nil {
			l.release()
			return nil, fmt.Errorf("wait for %s: %w", path, err)
		}
	}
}

// try takes the lock if that is possible at once. Asking for another kind than is held gives
// up what is held, even if the answer is no.
func (l *lock) try(how int) (bool, error) {
	for {
		err := syscall.Flock(int(l.file.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return false, fmt.Errorf("lock %s: %w", l.file.Name(), err)
		}
	}
}

// release ends the lock. Closing a file opened only to be locked has no failure to act on.
func (l *lock) release() { _ = l.file.Close() }

// sleep waits for d or for the end of ctx, whose cause it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

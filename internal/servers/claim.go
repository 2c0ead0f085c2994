package servers

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// A claim is an exclusive flock on a folder that a server works in. Whoever wants to start a server there, to
// remove its socket or to touch its pid file claims the folder first and hands the claim to the server, which
// inherits the open descriptor, as do its own children: the claim lasts exactly as long as any of them lives. A
// process id says nothing in another namespace; an flock belongs to the folder itself.
type claim struct{ dir *os.File }

// errUnseen refuses a folder whose server lives and cannot be reached.
var errUnseen = errors.New("in use by somebody I cannot see, in another container or namespace perhaps: " +
	"stop that, or choose another folder with EVENS_DATA_DIR")

// unseenWait bounds the wait for a server that can be neither seen nor reached: it may be on its way up or down,
// and the processes of one that was killed take a moment to notice.
const unseenWait = 15 * time.Second

// claimFolder claims a folder if nobody has; errUnseen where somebody has.
func claimFolder(path string) (*claim, error) {
	c, err := lockFolder(path, syscall.LOCK_EX)
	if err == nil && c == nil {
		err = fmt.Errorf("%s is %w", path, errUnseen)
	}
	return c, err
}

// claimed reports whether a server has the folder. It takes the lock shared, so that it is in no other asker's way.
func claimed(path string) bool {
	c, err := lockFolder(path, syscall.LOCK_SH)
	if c != nil {
		c.release()
	}
	return err == nil && c == nil
}

// lockFolder is nil without an error where the lock is somebody else's.
func lockFolder(path string, how int) (*claim, error) {
	dir, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	got, err := (&lock{file: dir}).try(how)
	if !got || err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return &claim{dir: dir}, nil
}

// release ends our part in the claim: a server that has inherited it keeps it.
func (c *claim) release() {
	if c != nil {
		_ = c.dir.Close()
	}
}

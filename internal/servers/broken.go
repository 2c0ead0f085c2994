package servers

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// errBroken says that Redis cannot read its own files.
var errBroken = errors.New("redis cannot read what it kept")

// machineReasons are the machine's, not the files': with them Redis ends while it reads, and will read another day.
var machineReasons = []string{
	"No space left on device", "Permission denied", "Read-only file system", "Too many open files",
	"Disk quota exceeded", "Out Of Memory", "Cannot allocate memory",
}

// cannotLoad reports whether a Redis that ended before it answered did so over the files it read: after it set itself
// up and before it was ready, of its own accord, and not for want of disk, memory or rights. What it says of a file
// is different for each kind of damage and in each release.
func cannotLoad(status syscall.WaitStatus, log string) bool {
	if status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM) {
		return false
	}
	return strings.Contains(log, "Server initialized") && !strings.Contains(log, "Ready to accept connections") &&
		!strings.Contains(log, "Received SIG") &&
		!slices.ContainsFunc(machineReasons, func(reason string) bool { return strings.Contains(log, reason) })
}

// putAside makes room for a new folder beside a broken one. Redis only reminds: the sweep finds again in
// PostgreSQL what is lost with it. Address and password stay.
func (r *redisServer) putAside(reason error) error {
	aside := r.home + ".broken-" + time.Now().UTC().Format("20060102T150405.000Z")
	folder, err := claimFolder(r.home)
	if errors.Is(err, errUnseen) { // the one who starts another process has every open file for a moment
		time.Sleep(10 * poll)
		folder, err = claimFolder(r.home)
	}
	if err != nil {
		return err
	}
	defer folder.release()
	if err := os.Rename(r.home, aside); err != nil {
		return err
	}
	r.log.Warn("the private Redis cannot read what it kept and starts with nothing: the sweep queues again what is due",
		"aside", aside, "reason", reason)
	return syncDir(filepath.Dir(r.home))
}

package servers

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the operating-system user that the servers run as.
type account struct {
	name     string
	uid, gid uint32
	// other says that it is not the user we are: processes have to change over to it, and
	// files have to be given to it.
	other bool
}

// currentAccount is right for everyone but root.
func currentAccount() account {
	return account{name: "current user", uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
}

// unprivilegedAccount is whom root starts servers as.
func unprivilegedAccount() (account, error) {
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseInt(u.Uid, 10, 64)
		gid, gidErr := strconv.ParseInt(u.Gid, 10, 64)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return account{}, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		// macOS writes nobody's ids as -2.
		return account{name: name, uid: uint32(uid), gid: uint32(gid), other: true}, nil
	}
	return account{}, errors.New("postgresql does not run as root, and there is neither a user postgres nor nobody to run it as")
}

// ownerOf is the account that path belongs to, so that root leaves a folder of someone else's
// to its owner.
func ownerOf(path string) (account, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return account{}, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return account{}, false
	}
	return account{name: "uid " + strconv.FormatUint(uint64(stat.Uid), 10), uid: stat.Uid, gid: stat.Gid, other: true}, true
}

// attributes puts a process into a session of its own, away from the terminal's Ctrl-C, and
// makes it run as the account.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a.other {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// own gives a file or folder to the account.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	if err := os.Lchown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("give to %s: %w", a.name, err)
	}
	return nil
}

// mkdir makes a folder that only the account (and root) may enter.
func (a account) mkdir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	return a.own(path)
}

// writeFile writes a file that only the account (and root) may read, whole or not at all.
func (a account) writeFile(path string, data []byte) error {
	next := path + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	if err := a.own(next); err != nil {
		return err
	}
	return os.Rename(next, path)
}

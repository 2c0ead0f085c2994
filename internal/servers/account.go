package servers

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
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

// mkdir makes a folder that only the account (and root) may enter. One that is there must be the account's, or
// empty: root gives nothing away that a link or a name of the account's leads to.
func (a account) mkdir(path string) error {
	if !a.other {
		return os.MkdirAll(path, 0o700)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return a.ownDir(path)
}

// ownDir gives a folder to the account by its descriptor. A link counts where root has made it.
func (a account) ownDir(path string) error {
	if !a.other {
		return nil
	}
	flags := os.O_RDONLY | syscall.O_DIRECTORY | syscall.O_NOFOLLOW
	if link, err := os.Lstat(path); err == nil && link.Mode().Type() == os.ModeSymlink && uidOf(link) == 0 {
		flags &^= syscall.O_NOFOLLOW
	}
	dir, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	if uidOf(info) == a.uid {
		return nil
	}
	if names, err := dir.Readdirnames(1); uidOf(info) != 0 || len(names) > 0 {
		return errors.Join(fmt.Errorf("the folder %s does not belong to %s, who would have to write there", path, a.name), err)
	}
	return a.ownFile(dir)
}

func uidOf(info os.FileInfo) uint32 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Uid
	}
	return ^uint32(0)
}

// readFile reads what the account has written, and never what a link of its leads to.
func readFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file", path)
	}
	return io.ReadAll(file)
}

// writeFile writes a file that only the account (and root) may read, whole or not at all, also after a power cut. The folder belongs to
// the account, which may plant what it likes there, a link to a file of root's above all: the file is made under
// a name that nobody can know, by a call that follows no link and takes no file that exists, and given away by its
// descriptor. Renaming replaces a link, and does not follow it.
func (a account) writeFile(path string, data []byte) (err error) {
	next := path + "." + rand.Text() + ".new"
	file, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(next)
		}
	}()
	_, err = file.Write(data)
	if err = errors.Join(err, a.ownFile(file), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes new names in a folder last through a power cut.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// openLog opens a log to append to. Where there is one it must be a plain file of the account's own with no
// second name: root would write to whatever a link there leads to.
func (a account) openLog(path string) (_ *os.File, err error) {
	const flags = os.O_WRONLY | os.O_APPEND | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	for range 3 {
		file, err := os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return file, a.ownFile(file)
		}
		if !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		file, err = os.OpenFile(path, flags, 0)
		if err == nil {
			if a.owns(file) {
				return file, nil
			}
			_ = file.Close()
		} else if !errors.Is(err, syscall.ELOOP) && !errors.Is(err, syscall.ENXIO) && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		if err := os.Rename(path, path+"."+rand.Text()+".odd"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s is put back as often as it is taken away", path)
}

// owns is true of a plain file of the account's that has one name.
func (a account) owns(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink == 1 && (stat.Uid == a.uid || !a.other)
}

// ownFile gives an open file to the account.
func (a account) ownFile(file *os.File) error {
	if !a.other {
		return nil
	}
	if err := file.Chown(int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("give to %s: %w", a.name, err)
	}
	return nil
}

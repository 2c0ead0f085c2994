package servers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// place is where a data folder's things lie and whose they are.
type place struct {
	// dir is the folder itself, absolute and without symlinks; the locks are in it.
	dir string
	// home is where the servers write: dir, unless their user cannot enter that.
	home    string
	account account
}

// makeDir makes the folder and returns the one name it has for everybody.
func makeDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(abs); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(abs, 0o755); err != nil {
			return "", err
		}
		// The umask may have closed it to the servers' user; what is inside has modes of its own.
		if err := os.Chmod(abs, 0o755); err != nil {
			return "", err
		}
	}
	return filepath.EvalSymlinks(abs)
}

// choosePlace decides who runs the servers and where they write. It is called under start.lock.
func choosePlace(ctx context.Context, dir string, fast bool, log *slog.Logger) (place, error) {
	p := place{dir: dir, home: dir, account: currentAccount()}
	if p.account.uid != 0 {
		return p, nil
	}
	held := false
	if owner, ok := ownerOf(filepath.Join(dir, "postgres")); ok {
		p.account, held = owner, true
	} else {
		var err error
		if p.account, err = unprivilegedAccount(); err != nil {
			return place{}, err
		}
	}
	note := filepath.Join(dir, "elsewhere")
	if moved, err := os.ReadFile(note); err == nil {
		if p.home, err = p.elsewhere(ctx, note, string(moved), fast); err != nil {
			return place{}, err
		}
		if p.home != "" {
			p.sayElsewhere(log)
			return p, nil
		}
		p.home = dir
	}
	if p.account.mayEnter(ctx, dir) {
		return p, nil
	}
	if held {
		return place{}, fmt.Errorf("it holds data of %s, who cannot enter it: open the folders above it (chmod o+x) or choose another folder", p.account.name)
	}
	home, err := makeElsewhere(dir, fast)
	if err != nil {
		return place{}, fmt.Errorf("%s cannot enter the folder, and there is no other: %w", p.account.name, err)
	}
	if err := currentAccount().writeFile(note, []byte(home+"\n")); err != nil {
		return place{}, err
	}
	p.home = home
	p.sayElsewhere(log)
	return p, nil
}

// elsewhere is the folder that the note names, where the servers' user can enter it. Where that is not so the
// data are missing, not new: only with fast is it "", which makes another folder. A note torn by a power cut is
// made up for where one folder only can be meant.
func (p place) elsewhere(ctx context.Context, note, text string, fast bool) (string, error) {
	home := strings.TrimSpace(text)
	whole := strings.HasSuffix(text, "\n") && filepath.IsAbs(home) && filepath.Clean(home) == home
	if whole && p.account.mayEnter(ctx, home) {
		return home, nil
	}
	if fast {
		return "", nil
	}
	if whole {
		return "", fmt.Errorf("its data are in %s, which %s cannot enter: bring that folder back, or remove %s to begin with no data",
			home, p.account.name, note)
	}
	var left []string
	for _, base := range elsewhereBases {
		found, err := filepath.Glob(filepath.Join(base, elsewherePrefix(p.dir)+"*"))
		if err != nil {
			return "", err
		}
		left = append(left, found...)
	}
	if len(left) == 1 && p.account.mayEnter(ctx, left[0]) {
		return left[0], currentAccount().writeFile(note, []byte(left[0]+"\n"))
	}
	return "", fmt.Errorf("%s is torn and was to name the folder of its data, which may be one of %v: write that folder's path and a line break into it",
		note, left)
}

func (p place) sayElsewhere(log *slog.Logger) {
	log.Warn("private servers keep their data elsewhere, for their user cannot enter the data folder",
		"dir", p.dir, "elsewhere", p.home, "user", p.account.name)
}

// elsewhereKept is a folder of ours; elsewhereBases are where the data may go that cannot lie in the data folder.
const elsewhereKept = "/var/lib/evens"

var elsewhereBases = []string{elsewhereKept, "/var/tmp"}

func elsewherePrefix(dir string) string {
	return "evens-" + strconv.Itoa(os.Geteuid()) + "-" + shortHash(dir) + "-"
}

// makeElsewhere makes a folder that every user may pass through. Its name is new each time: a
// data folder that was removed and made again starts empty.
func makeElsewhere(dir string, fast bool) (string, error) {
	bases := elsewhereBases
	if fast {
		bases = bases[1:]
	}
	var errs []error
	for _, base := range bases {
		if base == elsewhereKept {
			if err := os.MkdirAll(base, 0o755); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		home, err := os.MkdirTemp(base, elsewherePrefix(dir)+"*")
		if err == nil {
			return home, os.Chmod(home, 0o711)
		}
		errs = append(errs, err)
	}
	return "", errors.Join(errs...)
}

// mayEnter asks the system itself, by a process of the account: modes, access lists and mount
// options all have their say.
func (a account) mayEnter(ctx context.Context, dir string) bool {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `cd "$1"`, "sh", dir)
	cmd.Dir = "/"
	cmd.Env = cleanEnv()
	cmd.SysProcAttr = a.attributes()
	return cmd.Run() == nil
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

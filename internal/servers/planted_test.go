package servers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const secretText = "only root may read this\n"

// plantings are what the unprivileged account can put where root is going to write or read.
var plantings = map[string]func(t *testing.T, secret, path string){
	"a link": func(t *testing.T, secret, path string) {
		if err := os.Symlink(secret, path); err != nil {
			t.Fatal(err)
		}
	},
	"a second name": func(t *testing.T, secret, path string) {
		if err := os.Link(secret, path); err != nil {
			t.Fatal(err)
		}
	},
	"a link to nothing yet": func(t *testing.T, secret, path string) {
		if err := os.Symlink(secret+".new-file", path); err != nil {
			t.Fatal(err)
		}
	},
}

// planted is a folder of the account's own and a file that only root may read.
func planted(t *testing.T) (of account, home, secret string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root has files that the servers' account has not")
	}
	of, err := unprivilegedAccount()
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Dir(folder(t))
	home, secret = filepath.Join(dir, "home"), filepath.Join(dir, "secret")
	if err := of.mkdir(home); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte(secretText), 0o600); err != nil {
		t.Fatal(err)
	}
	return of, home, secret
}

// wantUntouched fails the test where root's file has another content, owner or name than it had.
func wantUntouched(t *testing.T, secret string) {
	t.Helper()
	text, err := os.ReadFile(secret)
	if err != nil || string(text) != secretText {
		t.Errorf("root's file holds %q, %v", text, err)
	}
	if info, err := os.Stat(secret); err != nil || uidOf(info) != 0 {
		t.Errorf("root's file was given away: %v", err)
	}
	if _, err := os.Lstat(secret + ".new-file"); err == nil {
		t.Error("a file was made where a planted link leads")
	}
}

func TestRootWritesNowhereElse(t *testing.T) {
	t.Parallel()
	for name, plant := range plantings {
		for _, file := range []string{"redis.conf", "redis.conf.new", "log", "log.1", "url"} {
			t.Run(name+" "+file, func(t *testing.T) {
				t.Parallel()
				of, home, secret := planted(t)
				plant(t, secret, filepath.Join(home, file))
				if err := of.writeFile(filepath.Join(home, "redis.conf"), []byte("maxmemory 1\n")); err != nil {
					t.Fatal(err)
				}
				if err := of.writeFile(filepath.Join(home, "url"), []byte("redis://\n")); err != nil {
					t.Fatal(err)
				}
				log := filepath.Join(home, "log")
				child, err := of.spawn(t.Context(), nil, home, log, "/bin/echo", "started")
				if err != nil {
					t.Fatal(err)
				}
				<-child.done
				wantUntouched(t, secret)
				if text, err := readFile(log); err != nil || string(text) != "started\n" {
					t.Errorf("the log holds %q, %v", text, err)
				}
				for _, name := range []string{"redis.conf", "url", "log"} {
					if info, err := os.Lstat(filepath.Join(home, name)); err != nil || !info.Mode().IsRegular() || uidOf(info) != of.uid {
						t.Errorf("%s is not a plain file of %s's: %v", name, of.name, err)
					}
				}
			})
		}
	}
}

func TestRootReadsNothingElse(t *testing.T) {
	t.Parallel()
	_, home, secret := planted(t)
	link := filepath.Join(home, "log")
	plantings["a link"](t, secret, link)
	if text, err := readFile(link); err == nil {
		t.Errorf("readFile of a link = %q", text)
	}
	if tail := (logMark{path: link}).tail(); strings.Contains(tail, "only root") {
		t.Errorf("an error shows root's file: %s", tail)
	}
}

func TestRootGivesNoFolderAway(t *testing.T) {
	t.Parallel()
	of, home, secret := planted(t)
	roots := filepath.Dir(secret)
	link := filepath.Join(home, "socket")
	plantings["a link"](t, roots, link)
	if err := os.Lchown(link, int(of.uid), int(of.gid)); err != nil {
		t.Fatal(err)
	}
	if err := of.mkdir(link); err == nil {
		t.Error("mkdir takes a link of the account's for a folder")
	}
	if err := of.mkdir(roots); err == nil {
		t.Error("mkdir gives a folder away in which root has files")
	}
	if info, err := os.Stat(roots); err != nil || uidOf(info) != 0 {
		t.Errorf("root's folder was given away: %v", err)
	}
}

// The folder of a socket is named in a file that the account writes: what it names is not removed.
func TestRootRemovesNothingElse(t *testing.T) {
	t.Parallel()
	of, home, _ := planted(t)
	victim, err := os.MkdirTemp("/tmp", "evens-victim-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(victim) })
	p := &postgres{place: place{account: of, home: home}}
	for _, dir := range []string{victim, victim + "/../" + filepath.Base(victim), "/tmp/evens-x/../../etc", "/etc", home} {
		if p.mayRemove(dir) {
			t.Errorf("%s would be removed", dir)
		}
	}
	if err := os.Chown(victim, int(of.uid), int(of.gid)); err != nil {
		t.Fatal(err)
	}
	if !p.mayRemove(victim) {
		t.Error("the account's own folder would not be removed")
	}
}

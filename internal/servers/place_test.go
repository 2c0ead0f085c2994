package servers

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// As root, a folder that the servers' user cannot enter, as all below /root: the data go
// elsewhere, stay there, and one line says so. An ordinary user's servers run as that user, who
// can enter the folder, so there nothing goes elsewhere.
func TestUnreachableFolder(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	root := os.Geteuid() == 0
	var lines logLines
	opts := both(dir)
	opts.Log = lines.logger()
	s := acquire(t, opts)
	if moved := s.place.home != dir; moved != root {
		t.Errorf("data are at %s, root %t", s.place.home, root)
	}
	if root {
		t.Cleanup(func() {
			if err := os.RemoveAll(s.place.home); err != nil {
				t.Error(err)
			}
		})
		if got := lines.count("elsewhere="); got != 1 {
			t.Errorf("%d lines say where the data are, want 1:\n%s", got, lines.String())
		}
	}
	query(t, s, "CREATE TABLE kept (v text)")
	release(t, s)
	again := acquire(t, both(dir))
	if again.place.home != s.place.home {
		t.Errorf("data were at %s and are at %s", s.place.home, again.place.home)
	}
	query(t, again, "SELECT count(*)::text FROM kept")
}

// Data the servers' user can no longer reach must not be mistaken for none.
func TestFolderClosedLater(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root starts servers as another user, who can be shut out")
	}
	dir := folder(t)
	release(t, acquire(t, Options{Dir: dir, Postgres: true, Fast: true}))
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Acquire(t.Context(), Options{Dir: dir, Postgres: true, Fast: true})
	if err == nil || !strings.Contains(err.Error(), "cannot enter") {
		t.Errorf("Acquire() = %v, want it to say who cannot enter", err)
	}
}

func TestFolderOfSomeoneElse(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may use anyone's folder")
	}
	_, err := Acquire(t.Context(), both("/usr"))
	if err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("Acquire() = %v, want it to say whose folder it is", err)
	}
}

// Run by root, this runs the package's tests once more as nobody: PostgreSQL then runs as the
// caller. Otherwise they run as an ordinary user already.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("all tests run as an ordinary user here")
	}
	dir := filepath.Dir(folder(t))
	program := filepath.Join(dir, "servers.test")
	if err := copyProgram(program, os.Args[0]); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	run := func() ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), program, "-test.v", "-test.parallel=2", "-test.run",
			"^Test(StartAndStop|ClientPrograms|LastUserStops|AdoptAfterKill|ForeignPidFile|Interrupt|UnreachableFolder|FolderOfSomeoneElse|WithoutRedis)$")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR=/tmp")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		return cmd.CombinedOutput()
	}
	output, err := run()
	for errors.Is(err, syscall.ETXTBSY) { // a process that another test began has the file open for writing, until it starts
		output, err = run()
	}
	if err != nil || strings.Count(string(output), "\n--- PASS") < 9 {
		t.Errorf("as nobody: %v\n%s", err, output)
	}
}

func copyProgram(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer target.Close()
	_, err = io.Copy(target, source)
	return err
}

// Data that lie elsewhere and are not found are missing, not new; a note that a power cut tore is made up for.
func TestNoteOfElsewhere(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root starts servers as another user, who can be shut out")
	}
	dir := folder(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	opts := Options{Dir: dir, Postgres: true}
	s := acquire(t, opts)
	home := s.place.home
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	query(t, s, "CREATE TABLE kept (v text)")
	release(t, s)

	note := filepath.Join(dir, "elsewhere")
	for name, how := range torn {
		if name == "zero tail" || name == "below zero" || name == "too large" {
			continue // of numbers
		}
		if err := os.WriteFile(note, how([]byte(home+"\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		again := acquire(t, opts)
		if again.place.home != home {
			t.Errorf("%s: data were at %s and are at %s", name, home, again.place.home)
		}
		query(t, again, "SELECT count(*)::text FROM kept")
		release(t, again)
	}

	if err := os.Rename(home, home+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := Acquire(t.Context(), opts); err == nil || !strings.Contains(err.Error(), home) {
		t.Errorf("Acquire() without the folder elsewhere = %v, want it named", err)
	}
	twin := home + "-twin"
	if err := errors.Join(os.Rename(home+".away", home), os.Mkdir(twin, 0o711), os.WriteFile(note, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(twin) })
	if _, err := Acquire(t.Context(), opts); err == nil || !strings.Contains(err.Error(), twin) {
		t.Errorf("Acquire() with two folders to choose from = %v, want both named", err)
	}
}

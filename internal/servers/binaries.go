package servers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	minPostgres = 15
	minRedis    = 7
)

// errNoPostgres ends a command that needs a private PostgreSQL.
var errNoPostgres = fmt.Errorf("no PostgreSQL %d or newer on this machine: run `make setup`, or set EVENS_DATABASE_URL", minPostgres)

// errNoRedis makes the in-process Redis serve.
var errNoRedis = fmt.Errorf("no redis-server or valkey-server %d or newer on this machine", minRedis)

// postgresGlobs are where PostgreSQL's programs lie when they are not on the PATH: Debian, Red
// Hat, Homebrew, Postgres.app, its own make install.
var postgresGlobs = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
	"/usr/local/pgsql/bin",
}

// redisDirs are looked into after the PATH.
var redisDirs = []string{"/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/home/linuxbrew/.linuxbrew/bin"}

// postgresBin is one installed PostgreSQL.
type postgresBin struct {
	dir   string
	major int
}

func (b postgresBin) program(name string) string { return filepath.Join(b.dir, name) }

// FindPostgres returns the folder with the programs (psql, pgbench, …) of the newest usable
// PostgreSQL: the one on the PATH, or else the highest version installed elsewhere.
func FindPostgres(ctx context.Context) (string, error) {
	bin, err := findPostgres(ctx, exec.LookPath, postgresGlobs, 0)
	return bin.dir, err
}

// findPostgres finds programs of the major version wanted, or of any that will do if that is 0.
func findPostgres(ctx context.Context, lookPath func(string) (string, error), globs []string, major int) (postgresBin, error) {
	found := installedPostgres(ctx, lookPath, globs)
	for _, bin := range found {
		if bin.major == major || major == 0 && bin.major >= minPostgres {
			return bin, nil
		}
	}
	if major != 0 && len(found) > 0 {
		return postgresBin{}, fmt.Errorf("the data were written by PostgreSQL %d, and only %d is installed: install %[1]d, or move the data folder away", major, found[0].major)
	}
	return postgresBin{}, errNoPostgres
}

// installedPostgres lists what there is, the PATH's first, the others from the highest version.
func installedPostgres(ctx context.Context, lookPath func(string) (string, error), globs []string) []postgresBin {
	var onPath, elsewhere []postgresBin
	if name, err := lookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(name); err == nil {
			onPath = appendPostgres(ctx, onPath, filepath.Dir(real))
		}
	}
	for _, glob := range globs {
		dirs, _ := filepath.Glob(glob) // fails on a malformed pattern only
		for _, dir := range dirs {
			elsewhere = appendPostgres(ctx, elsewhere, dir)
		}
	}
	slices.SortStableFunc(elsewhere, func(a, b postgresBin) int { return cmp.Compare(b.major, a.major) })
	return append(onPath, elsewhere...)
}

func appendPostgres(ctx context.Context, list []postgresBin, dir string) []postgresBin {
	bin := postgresBin{dir: dir}
	if _, err := os.Stat(bin.program("initdb")); err != nil {
		return list
	}
	bin.major = version(ctx, bin.program("postgres"))
	if bin.major == 0 {
		return list
	}
	return append(list, bin)
}

// findRedis returns a program that serves Redis's protocol, with the version we need.
func findRedis(ctx context.Context, lookPath func(string) (string, error)) (string, error) {
	old := 0
	for _, name := range []string{"redis-server", "valkey-server"} {
		candidates := make([]string, 0, 1+len(redisDirs))
		candidates = append(candidates, name)
		for _, dir := range redisDirs {
			candidates = append(candidates, filepath.Join(dir, name))
		}
		for _, candidate := range candidates {
			program, err := lookPath(candidate)
			if err != nil {
				continue
			}
			major := version(ctx, program)
			if major >= minRedis {
				return program, nil
			}
			old = max(old, major)
		}
	}
	if old > 0 {
		return "", fmt.Errorf("%w, only %d", errNoRedis, old)
	}
	return "", errNoRedis
}

// `postgres (PostgreSQL) 15.18 (Debian …)`, `Redis server v=7.0.15 sha=…`, `Valkey server v=8.0.1 …`
var versionPattern = regexp.MustCompile(`(?:PostgreSQL\) |v=)(\d+)`)

// version is the major version a server program states, 0 if it states none.
func version(ctx context.Context, program string) int {
	cmd := exec.CommandContext(ctx, program, "--version")
	cmd.Env = cleanEnv()
	output, err := cmd.Output()
	if err != nil {
		return 0
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return 0
	}
	major, err := strconv.Atoi(string(match[1]))
	if err != nil {
		return 0
	}
	return major
}

// majorOf is the version that wrote a cluster, 0 if there is no cluster yet.
func majorOf(data string) (int, error) {
	text, err := readFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read the version of %s: %w", data, err)
	}
	return major, nil
}

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

// pooler starts Debian's pgbouncer before the database at url, and answers the address through it.
func pooler(t *testing.T, url string, settings ...string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/pgbouncer"); err != nil {
			t.Skip("no pgbouncer on this machine: scripts/setup.sh test installs it where apt has it")
		}
	}
	server, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pooler")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port := freePort(t)
	target := fmt.Sprintf("host=%s port=%d user=%s", server.Host, server.Port, server.User)
	if server.Password != "" {
		target += " password=" + server.Password
	}
	lines := append([]string{
		"[databases]", "* = " + target, "[pgbouncer]",
		"listen_addr = 127.0.0.1", "listen_port = " + strconv.Itoa(port), "unix_socket_dir =", "auth_type = any",
	}, settings...)
	config := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	process := exec.Command(program, config)
	process.Stdout, process.Stderr = &output, &output
	if os.Geteuid() == 0 {
		process.SysProcAttr = &syscall.SysProcAttr{Credential: userOf(t, server.Host)}
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
		if t.Failed() {
			t.Logf("pgbouncer: %s", output.String())
		}
	})
	through := fmt.Sprintf("postgres://evens@127.0.0.1:%d/%s?sslmode=disable", port, server.Database)
	answers(t, through)
	return through
}

// userOf is whom pgbouncer works as, which does not run as root: the owner of the server's socket, or nobody.
func userOf(t *testing.T, socket string) *syscall.Credential {
	t.Helper()
	const nobody = 65534
	info, err := os.Stat(socket)
	if err != nil {
		return &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	if stat, is := info.Sys().(*syscall.Stat_t); is && stat.Uid != 0 {
		return &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}
	}
	return &syscall.Credential{Uid: nobody, Gid: nobody}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func answers(t *testing.T, url string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := pgx.Connect(t.Context(), url)
		if err == nil {
			_ = conn.Close(t.Context())
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("pgbouncer does not answer: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// everyday and hot are what sessions of the two pools are set to; hot adds to everyday.
var (
	everyday = map[string]string{
		"statement_timeout": "20s", "idle_in_transaction_session_timeout": "30s", "TimeZone": "UTC",
		"application_name": "evens-test", "enable_seqscan": "on", "lock_timeout": "0", "plan_cache_mode": "auto",
	}
	hot = map[string]string{
		"statement_timeout": "20s", "idle_in_transaction_session_timeout": "5s", "TimeZone": "UTC",
		"application_name": "evens-test", "enable_seqscan": "off", "lock_timeout": "250ms", "plan_cache_mode": "force_generic_plan",
	}
)

// settled makes sure that each of n connections at once, and all statements on them, have the settings.
func settled(t *testing.T, pool *pgxpool.Pool, n int, want map[string]string) {
	t.Helper()
	held := make([]*pgxpool.Conn, 0, n)
	for range n {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	for _, conn := range held {
		for name, value := range want {
			var has string
			if err := conn.QueryRow(t.Context(), `SELECT current_setting($1)`, name).Scan(&has); err != nil || has != value {
				t.Errorf("%s is %q, want %q, %v", name, has, value, err)
			}
		}
	}
	for _, conn := range held {
		conn.Release()
	}
}

// A pooler in session mode refuses our settings while connecting, drops them, or hands on a session that somebody
// left behind as it was: the sessions of all pools have their own settings all the same.
func TestPoolerInSessionMode(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{
		"as it comes":      nil,
		"drops parameters": {"ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout, lock_timeout, search_path, options"},
		"resets nothing":   {"server_reset_query ="},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pooler(t, testbed.Database(t), append(settings, "pool_mode = session", "default_pool_size = 4")...)
			for round := range 3 {
				db, err := postgres.Open(t.Context(), postgres.Config{URL: url, ApplicationName: "evens-test", MaxConns: 2, HotConns: 2})
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				settled(t, db.Pool, 2, everyday)
				settled(t, db.Hot, 2, hot)
				var has string
				if err := db.Gorm.WithContext(t.Context()).Raw(`SHOW statement_timeout`).Scan(&has).Error; err != nil || has != "20s" {
					t.Errorf("GORM's sessions end a statement after %q, %v", has, err)
				}
				settled(t, db.Hot, 2, hot)
				settled(t, db.Pool, 2, everyday)
				db.Close()
			}
		})
	}
}

// What the address itself sets holds too, in whatever form it says so.
func TestPoolerAndSettingsOfTheURL(t *testing.T) {
	t.Parallel()
	url := pooler(t, testbed.Database(t), "pool_mode = session") +
		`&work_mem=5MB&options=-c%20lock_timeout%3D3s%20--enable-bitmapscan%3Doff%20-cdefault_transaction_isolation%3Drepeatable%5C%20read`
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, MaxConns: 2, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	settled(t, db.Pool, 2, map[string]string{
		"work_mem": "5MB", "lock_timeout": "3s", "enable_bitmapscan": "off", "default_transaction_isolation": "repeatable read",
		"statement_timeout": "20s", "application_name": "evens",
	})
	settled(t, db.Hot, 1, map[string]string{"lock_timeout": "250ms", "work_mem": "5MB"})
}

// A pooler in session mode is good enough for migrations.
func TestMigrateThroughAPooler(t *testing.T) {
	t.Parallel()
	url := pooler(t, testbed.EmptyDatabase(t), "pool_mode = session", "default_pool_size = 4")
	if err := postgres.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, MaxConns: 2, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := postgres.CheckSchema(t.Context(), db.Pool); err != nil {
		t.Error(err)
	}
}

// Where a pooler shares sessions between transactions nothing is opened, whether others use it at the moment or
// nobody does.
func TestPoolerThatSharesSessions(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"transaction", "statement"} {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, busy %t", mode, busy), func(t *testing.T) {
				t.Parallel()
				url := pooler(t, testbed.Database(t), "pool_mode = "+mode, "default_pool_size = 5",
					"ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout")
				if busy {
					defer others(t, url)()
				}
				db, err := postgres.Open(t.Context(), postgres.Config{URL: url, MaxConns: 2, HotConns: 1})
				if err == nil {
					db.Close()
				}
				if !errors.Is(err, postgres.ErrTransactionMode) && (!busy || !errors.Is(err, postgres.ErrSettings)) {
					t.Errorf("Open: %v, want ErrTransactionMode", err)
				}
				if err := postgres.Migrate(t.Context(), url); !errors.Is(err, postgres.ErrTransactionMode) && (!busy || !errors.Is(err, postgres.ErrSettings)) {
					t.Errorf("Migrate: %v, want ErrTransactionMode", err)
				}
			})
		}
	}
}

// others use the pooler's sessions meanwhile.
func others(t *testing.T, url string) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	const users = 3
	for range users {
		go func() {
			defer func() { done <- struct{}{} }()
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				return
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for ctx.Err() == nil {
				_, _ = conn.Exec(ctx, `SELECT pg_sleep(0.001)`)
			}
		}()
	}
	return func() {
		cancel()
		for range users {
			<-done
		}
	}
}

// A session on which a setting does not take is an error, not a session without it.
func TestSettingsThatDoNotTake(t *testing.T) {
	t.Parallel()
	url := testbed.EmptyDatabase(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var name string
	if err := conn.QueryRow(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`CREATE SCHEMA swallows`,
		`CREATE FUNCTION swallows.set_config(text, text, boolean) RETURNS text LANGUAGE sql RETURN $2`,
		`ALTER DATABASE ` + name + ` SET search_path = swallows, pg_catalog`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	_, err = postgres.Open(t.Context(), postgres.Config{URL: url})
	if !errors.Is(err, postgres.ErrSettings) {
		t.Errorf("Open: %v, want ErrSettings", err)
	}
}

// Options of a URL that are no settings cannot be carried over, and are not dropped without a word.
func TestOptionsThatAreNoSettings(t *testing.T) {
	t.Parallel()
	_, err := postgres.Open(t.Context(), postgres.Config{URL: "postgres://evens@127.0.0.1:1/evens?options=-f%20s"})
	if err == nil || !strings.Contains(err.Error(), "options") {
		t.Errorf("Open: %v, want it to name the options", err)
	}
}

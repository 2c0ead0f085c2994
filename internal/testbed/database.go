package testbed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"evens/internal/postgres"
	"evens/migrations"
)

const (
	templatePrefix = "evens_template_"
	databasePrefix = "evens_test_"
	// templateLock is the advisory lock under which templates come and go; any number would do.
	templateLock = 0x65766e73
	// schemaFault is the variable with a statement that spoils the schema: what no test notices then is a blind spot
	// (internal/mutants).
	schemaFault = "EVENS_FAULT_SCHEMA"
	// patience bounds the waiting for a template in use, and any one step of administration.
	patience = 30 * time.Second
)

var databases atomic.Int64

// Database makes a database with the current schema and no rows, drops it at the end of the
// test, and returns its URL. It copies a template that is migrated once per schema.
func Database(t testing.TB) string {
	t.Helper()
	bed := bedOf(t)
	if err := bed.template(); err != nil {
		t.Fatalf("migrated template: %v", err)
	}
	name, err := templateName()
	if err != nil {
		t.Fatal(err)
	}
	return clone(t, bed.DatabaseURL, name)
}

// EmptyDatabase makes a database without a schema, for tests of migrations.
func EmptyDatabase(t testing.TB) string {
	t.Helper()
	return clone(t, bedOf(t).DatabaseURL, "template0")
}

func clone(t testing.TB, admin, template string) string {
	t.Helper()
	// The time in the name tells leftovers of killed runs from databases in use.
	name := databasePrefix + strconv.FormatInt(time.Now().UnixMilli(), 36) +
		"_" + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(databases.Add(1), 10)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := createFrom(ctx, admin, name, template); err != nil {
		t.Fatalf("create test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := execute(ctx, admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	url, err := withDatabase(admin, name)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// createFrom copies a template. Somebody may look into it at the moment (autovacuum), or have
// replaced it by one of another schema's: both pass.
func createFrom(ctx context.Context, admin, name, template string) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var durable string
	if err := conn.QueryRow(ctx, "SHOW fsync").Scan(&durable); err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	sql := "CREATE DATABASE " + name + " TEMPLATE " + template
	if durable == "off" {
		// Copying files takes two checkpoints, which without fsync cost nothing: four times as fast.
		sql += " STRATEGY FILE_COPY"
	}
	return retryInUse(ctx, func() error {
		_, err := conn.Exec(ctx, sql)
		const missing = "3D000"
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == missing && strings.HasPrefix(template, templatePrefix) {
			if err := ensureTemplate(admin); err != nil {
				return err
			}
			_, err = conn.Exec(ctx, sql)
		}
		return err
	})
}

// templateName holds a hash of the migrations: another schema is another template.
func templateName() (string, error) {
	hash := sha256.New()
	err := fs.WalkDir(migrations.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations.FS, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read migrations: %w", err)
	}
	fmt.Fprint(hash, os.Getenv(schemaFault))
	return templatePrefix + hex.EncodeToString(hash.Sum(nil)[:6]), nil
}

// ensureTemplate makes the migrated template if it is not there. It is made under another name
// and renamed when complete, so that a run killed half-way leaves none that looks finished.
func ensureTemplate(admin string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	name, err := templateName()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	// Ends the lock as well.
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	found, err := names(ctx, conn, templatePrefix)
	if err != nil {
		return err
	}
	for _, other := range found {
		if other == name {
			return nil
		}
		dropTemplate(ctx, conn, other)
	}
	making := name + "_new"
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+making+" TEMPLATE template0"); err != nil {
		return fmt.Errorf("create: %w", err)
	}
	url, err := withDatabase(admin, making)
	if err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, url); err != nil {
		return err
	}
	if statement := os.Getenv(schemaFault); statement != "" {
		if err := execute(ctx, url, statement); err != nil {
			return fmt.Errorf("plant a fault: %w", err)
		}
	}
	// A pool that was closed may take a moment to be gone on the server's side.
	return retryInUse(ctx, func() error {
		if _, err := conn.Exec(ctx, "ALTER DATABASE "+making+" RENAME TO "+name); err != nil {
			return fmt.Errorf("rename: %w", err)
		}
		// Nobody can be in it when it is copied.
		if _, err := conn.Exec(ctx, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false"); err != nil {
			return fmt.Errorf("close to connections: %w", err)
		}
		return nil
	})
}

// dropTemplate clears away one of another schema's. Where that is being copied it stays.
func dropTemplate(ctx context.Context, conn *pgx.Conn, name string) {
	_, _ = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

// retryInUse does it again while the database in question has someone in it.
func retryInUse(ctx context.Context, do func() error) error {
	const inUse = "55006"
	for {
		err := do()
		if pgErr, ok := errors.AsType[*pgconn.PgError](err); !ok || pgErr.Code != inUse {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// dropBefore removes the databases of killed runs: those from before begin, when the servers
// were not running, so that nobody can be using them.
func dropBefore(ctx context.Context, admin string, begin time.Time) error {
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	found, err := names(ctx, conn, databasePrefix)
	if err != nil {
		return err
	}
	for _, name := range found {
		made, _, _ := strings.Cut(strings.TrimPrefix(name, databasePrefix), "_")
		millis, err := strconv.ParseInt(made, 36, 64)
		if err != nil || !time.UnixMilli(millis).Before(begin) {
			continue
		}
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name); err != nil {
			return fmt.Errorf("drop %s of a killed run: %w", name, err)
		}
	}
	return nil
}

// names lists our databases that begin so.
func names(ctx context.Context, conn *pgx.Conn, prefix string) ([]string, error) {
	rows, err := conn.Query(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix)
	if err != nil {
		return nil, fmt.Errorf("list databases: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list databases: %w", err)
	}
	return list, nil
}

func execute(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}

// withDatabase is the same server's URL for another database.
func withDatabase(raw, name string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", errors.New("the database url must be of the form postgres://…")
	}
	u.Path = "/" + name
	return u.String(), nil
}

package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

func roleURL(t *testing.T, role string) string {
	t.Helper()
	address, err := url.Parse(testbed.EmptyDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.User(role)
	return address.String()
}

func open(t *testing.T, url string) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, MaxConns: 4, HotConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func execute(t *testing.T, db *postgres.DB, sql string) {
	t.Helper()
	if _, err := db.Pool.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
}

// onEach runs a statement in every session of a pool.
func onEach(t *testing.T, pool *pgxpool.Pool, sql string) {
	t.Helper()
	var wg sync.WaitGroup
	all := make(chan struct{})
	for range pool.Config().MaxConns {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows, err := conn.Query(t.Context(), sql) // prepared, as Exec without arguments is not
		if err != nil {
			t.Fatal(err)
		}
		if rows.Close(); rows.Err() != nil {
			t.Fatal(rows.Err())
		}
		wg.Go(func() {
			<-all
			conn.Release()
		})
	}
	close(all)
	wg.Wait()
}

const write = `INSERT INTO notes (text) VALUES ('x')`

// Every session is on a server that was demoted: one write fails, then all sessions go to where the address leads.
func TestSessionsOfADemotedServerAreReplaced(t *testing.T) {
	t.Parallel()
	db := open(t, testbed.EmptyDatabase(t))
	execute(t, db, `CREATE TABLE notes (text text)`)
	for _, pool := range []*pgxpool.Pool{db.Pool, db.Hot} {
		onEach(t, pool, `SET default_transaction_read_only = on`)
	}
	if _, err := db.Hot.Exec(t.Context(), write); !postgres.ReadOnly(err) || !postgres.Unavailable(err) {
		t.Errorf("the first write: %v, want a read-only server", err)
	}
	for range 12 { // more than there are sessions
		for _, pool := range []*pgxpool.Pool{db.Pool, db.Hot} {
			if _, err := pool.Exec(t.Context(), write); err != nil {
				t.Fatalf("after the first failure: %v", err)
			}
		}
	}
}

// A write in a transaction, a pipeline and a session ends the session as well, and the next is a new one.
func TestReadOnlySessionsEndHoweverTheyAreUsed(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(ctx context.Context, db *postgres.DB) error{
		"transaction": func(ctx context.Context, db *postgres.DB) error {
			return postgres.InTx(ctx, db.Hot, func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, write)
				return err
			})
		},
		"pipeline": func(ctx context.Context, db *postgres.DB) error {
			batch := &pgx.Batch{}
			batch.Queue(`SELECT 1`)
			batch.Queue(write)
			return db.Hot.SendBatch(ctx, batch).Close()
		},
		"session": func(ctx context.Context, db *postgres.DB) error {
			return postgres.InSession(ctx, db.Hot, func(ctx context.Context, s *postgres.Session) error {
				if _, err := s.Exec(ctx, `SELECT 1`); err != nil {
					return err
				}
				batch := &pgx.Batch{}
				batch.Queue(write)
				return s.Commit(ctx, batch)
			})
		},
		"gorm": func(ctx context.Context, db *postgres.DB) error {
			return db.Gorm.WithContext(ctx).Exec(write).Error
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := open(t, testbed.EmptyDatabase(t))
			execute(t, db, `CREATE TABLE notes (text text)`)
			onEach(t, db.Hot, `SET default_transaction_read_only = on`)
			onEach(t, db.Pool, `SET default_transaction_read_only = on`)
			if err := fail(t.Context(), db); !postgres.ReadOnly(err) {
				t.Errorf("the first time: %v, want a read-only server", err)
			}
			if err := fail(t.Context(), db); err != nil {
				t.Errorf("the second time: %v", err)
			}
		})
	}
}

// The server is read-only for a while: not ready, every write unavailable, and all is well as soon as it ends.
func TestAReadOnlyServerIsNotReady(t *testing.T) {
	t.Parallel()
	private := testbed.PrivateServers(t)
	db := open(t, private.DatabaseURL())
	execute(t, db, `CREATE TABLE notes (text text)`)
	if err := db.Ready(t.Context()); err != nil {
		t.Fatalf("Ready() = %v", err)
	}
	execute(t, db, `ALTER SYSTEM SET default_transaction_read_only = on`)
	execute(t, db, `SELECT pg_reload_conf()`)
	eventually(t, "the server is read-only", func() bool {
		_, err := db.Hot.Exec(t.Context(), write)
		return postgres.ReadOnly(err)
	})
	if err := db.Ready(t.Context()); !errors.Is(err, postgres.ErrReadOnly) {
		t.Errorf("Ready() = %v, want %v", err, postgres.ErrReadOnly)
	}
	for range 20 {
		if _, err := db.Hot.Exec(t.Context(), write); !postgres.Unavailable(err) {
			t.Fatalf("a write gives %v, want it unavailable", err)
		}
	}
	execute(t, db, `ALTER SYSTEM RESET default_transaction_read_only`)
	execute(t, db, `SELECT pg_reload_conf()`)
	eventually(t, "the server takes writes", func() bool {
		_, err := db.Hot.Exec(t.Context(), write)
		return err == nil
	})
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("Ready() = %v when it is over", err)
	}
}

// The schema changes under sessions that have their statements prepared: each is told so once at most, and may try
// again at once.
func TestOutdatedPlansAreReplaced(t *testing.T) {
	t.Parallel()
	db := open(t, testbed.EmptyDatabase(t))
	execute(t, db, `CREATE TABLE notes (text text)`)
	execute(t, db, `INSERT INTO notes VALUES ('x')`)
	read := func() error {
		return postgres.InTx(t.Context(), db.Hot, func(ctx context.Context, tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `SELECT * FROM notes`)
			if err != nil {
				return err
			}
			rows.Close()
			return rows.Err()
		})
	}
	spoilt := 0
	for _, spoil := range []func(){
		func() { execute(t, db, `ALTER TABLE notes ADD COLUMN more text`) },
		func() { onEach(t, db.Hot, `DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$`) },
	} {
		onEach(t, db.Hot, `SELECT * FROM notes`)
		time.Sleep(1100 * time.Millisecond) // sessions are renewed once a second at most
		spoil()
		for range 20 {
			err := read()
			if err != nil && (!postgres.Retriable(err) || !postgres.Unavailable(err)) {
				t.Fatalf("%v, want it tried again", err)
			}
			if err != nil {
				spoilt++
			}
		}
	}
	if spoilt != 2 {
		t.Errorf("%d reads met an outdated plan, want one each time", spoilt)
	}
}

// After an internal error nothing is known of a session.
func TestASessionEndsAfterAnInternalError(t *testing.T) {
	t.Parallel()
	db := open(t, testbed.EmptyDatabase(t))
	for code, stays := range map[string]bool{"XX000": false, "XX001": false, "22012": true} {
		conn, err := db.Hot.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = conn.Exec(t.Context(), `DO $$ BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = '`+code+`'; END $$`)
		if err == nil || postgres.Unavailable(err) == stays {
			t.Errorf("%s: %v", code, err)
		}
		if closed := conn.Conn().IsClosed(); closed == stays {
			t.Errorf("%s: the session is closed: %t", code, closed)
		}
		conn.Release()
	}
}

// Of several servers the one that takes writes is chosen.
func TestTheWritableOfSeveralServersIsChosen(t *testing.T) {
	t.Parallel()
	standby, primary := testbed.PrivateServers(t), testbed.PrivateServers(t)
	execute(t, open(t, standby.DatabaseURL()), `ALTER SYSTEM SET default_transaction_read_only = on`)
	execute(t, open(t, standby.DatabaseURL()), `SELECT pg_reload_conf()`)
	one, err := url.Parse(standby.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	two, err := url.Parse(primary.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	query := one.Query()
	query.Set("host", one.Query().Get("host")+","+two.Query().Get("host"))
	query.Set("port", port(one)+","+port(two))
	one.RawQuery = query.Encode()
	one.User = two.User
	eventually(t, "the standby is one", func() bool {
		return errors.Is(open(t, standby.DatabaseURL()).Ready(t.Context()), postgres.ErrReadOnly)
	})
	db := open(t, one.String())
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("Ready() = %v, want the primary", err)
	}
}

func port(u *url.URL) string {
	if p := u.Query().Get("port"); p != "" {
		return p
	}
	return "5432"
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

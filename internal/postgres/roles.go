package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// MigrateAs brings the schema up to date as the owner, and gives the role of the runtime address what
// running processes need: the role is made where there is none, with the password of its address. An
// empty owner, or the same role in both, is an installation with one role.
func MigrateAs(ctx context.Context, ownerURL, runtimeURL string) error {
	return Migrator{}.UpAs(ctx, ownerURL, runtimeURL)
}

// UpAs is MigrateAs with the migrator's settings.
func (m Migrator) UpAs(ctx context.Context, ownerURL, runtimeURL string) error {
	if ownerURL == "" {
		return m.upAlone(ctx, runtimeURL)
	}
	owner, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return fmt.Errorf("owner's database URL: %w", err)
	}
	runtime, err := pgx.ParseConfig(runtimeURL)
	if err != nil {
		return fmt.Errorf("database URL: %w", err)
	}
	if owner.Database != runtime.Database {
		return fmt.Errorf("the owner's URL names the database %q, the other %q: both must name the same", owner.Database, runtime.Database)
	}
	if err := m.Up(ctx, ownerURL); err != nil {
		return err
	}
	if owner.User == runtime.User {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, owner)
	if err != nil {
		return fmt.Errorf("connect as the owner: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return admit(ctx, conn, runtime.User, runtime.Password)
}

// upAlone migrates where the only role that is known owns the tables, or there are none yet. One that works
// on tables of another's finds them up to date, or says who is needed.
func (m Migrator) upAlone(ctx context.Context, url string) error {
	pool, err := openPool(ctx, Config{URL: url, ApplicationName: "evens-migrate", MaxConns: 2}, nil, &sessions{})
	if err != nil {
		return err
	}
	defer pool.Close()
	var foreign bool
	const ofOthers = `SELECT coalesce((SELECT NOT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('transfers')), false)`
	if err := pool.QueryRow(ctx, ofOthers).Scan(&foreign); err != nil {
		return fmt.Errorf("read who owns the tables: %w", err)
	}
	if !foreign {
		return m.Up(ctx, url)
	}
	if err := CheckSchema(ctx, pool); err != nil {
		return fmt.Errorf("%w, with EVENS_DATABASE_OWNER_URL: this role does not own the tables", err)
	}
	return nil
}

// admit makes the role where there is none, and grants.
func admit(ctx context.Context, conn *pgx.Conn, role, password string) error {
	if err := MakeRole(ctx, conn, role, password); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `SELECT grant_runtime($1::text::name)`, role); err != nil {
		return fmt.Errorf("grant to the database role %s: %w", role, err)
	}
	return nil
}

// MakeRole makes a role that may log in and nothing else, unless there is one of that name. An empty
// password is none: such a role comes in where the server trusts the connection.
func MakeRole(ctx context.Context, conn *pgx.Conn, role, password string) error {
	var exists bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, role).Scan(&exists); err != nil {
		return fmt.Errorf("look for the database role %s: %w", role, err)
	}
	if exists {
		return nil
	}
	statement := "CREATE ROLE " + pgx.Identifier{role}.Sanitize() + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"
	if password != "" {
		verifier, err := scramVerifier(password)
		if err != nil {
			return err
		}
		statement += " PASSWORD '" + verifier + "'"
	}
	_, err := conn.Exec(ctx, statement)
	const exists1, exists2 = "42710", "23505" // another process was faster
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && (pgErr.Code == exists1 || pgErr.Code == exists2) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("create the database role %s (or let somebody create it who may): %w", role, err)
	}
	return nil
}

// scramVerifier is what the server keeps of a password (RFC 5803). Made here, the password itself is in no
// statement, and so in no log of the server.
func scramVerifier(password string) (string, error) {
	const iterations = 4096
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("password of a database role: %w", err)
	}
	sign := func(text string) []byte {
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(sign("Server Key"))), nil
}

const readRights = `
	SELECT r.rolname, r.rolsuper, r.rolcreaterole OR r.rolcreatedb,
	       pg_has_role(c.relowner, 'USAGE'),
	       has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE') OR has_table_privilege(c.oid, 'TRUNCATE')
	         OR has_table_privilege(c.oid, 'TRIGGER'),
	       has_schema_privilege(c.relnamespace, 'CREATE')
	  FROM pg_roles r, pg_class c
	 WHERE r.rolname = current_user AND c.oid = 'transfers'::regclass`

// ExcessRights says in words what the role of the pool may do that no running process needs: nothing, where
// it is not the owner's.
func ExcessRights(ctx context.Context, pool *pgxpool.Pool) (string, error) {
	var role string
	var super, creates, owns, changes, ddl bool
	if err := pool.QueryRow(ctx, readRights).Scan(&role, &super, &creates, &owns, &changes, &ddl); err != nil {
		return "", fmt.Errorf("read the rights of the database role: %w", err)
	}
	var may []string
	for _, right := range []struct {
		has  bool
		text string
	}{
		{super, "is a superuser"},
		{creates && !super, "may create roles or databases"},
		{owns && !super, "owns the tables"},
		{changes && !owns, "may change the ledger"},
		{ddl && !owns, "may make tables"},
	} {
		if right.has {
			may = append(may, right.text)
		}
	}
	if len(may) == 0 {
		return "", nil
	}
	return "the database role " + strings.Join(may, " and "), nil
}

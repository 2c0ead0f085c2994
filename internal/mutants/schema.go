package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// catalogue lists what the schema refuses: each with the statement that makes it refuse no more. A unique key that stays
// an index still serves the statements that look by it.
const catalogue = `
	SELECT 'a check dropped', format('%s.%s', r.relname, c.conname), format('ALTER TABLE %I DROP CONSTRAINT %I', r.relname, c.conname)
	  FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
	 WHERE c.contype = 'c' AND r.relnamespace = 'public'::regnamespace AND NOT r.relispartition AND r.relname <> 'goose_db_version'
	UNION ALL
	SELECT 'a foreign key dropped', format('%s.%s', r.relname, c.conname), format('ALTER TABLE %I DROP CONSTRAINT %I', r.relname, c.conname)
	  FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
	 WHERE c.contype = 'f' AND c.conparentid = 0 AND r.relnamespace = 'public'::regnamespace
	UNION ALL
	SELECT 'a trigger dropped', format('%s.%s', r.relname, t.tgname), format('DROP TRIGGER %I ON %I', t.tgname, r.relname)
	  FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid
	 WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND r.relnamespace = 'public'::regnamespace
	UNION ALL
	SELECT 'a unique key made plain', i.relname,
	       CASE WHEN c.oid IS NOT NULL
	            THEN format('ALTER TABLE %I DROP CONSTRAINT %I CASCADE; ', r.relname, c.conname)
	            ELSE format('DROP INDEX %I; ', i.relname) END
	       || replace(pg_get_indexdef(i.oid), 'CREATE UNIQUE INDEX', 'CREATE INDEX')
	  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class r ON r.oid = x.indrelid
	  LEFT JOIN pg_constraint c ON c.conindid = i.oid AND c.contype IN ('u', 'p')
	 WHERE x.indisunique AND r.relnamespace = 'public'::regnamespace AND NOT r.relispartition AND r.relkind = 'r' AND r.relname <> 'goose_db_version'
	UNION ALL
	SELECT 'NOT NULL dropped', format('%s.%s', r.relname, a.attname), format('ALTER TABLE %I ALTER %I DROP NOT NULL', r.relname, a.attname)
	  FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
	 WHERE a.attnotnull AND a.attnum > 0 AND a.attidentity = '' AND r.relkind = 'r' AND r.relnamespace = 'public'::regnamespace AND NOT r.relispartition
	   AND r.relname <> 'goose_db_version'
	   AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = r.oid AND x.indisprimary AND a.attnum = ANY (x.indkey))
	 ORDER BY 1, 2`

// schemaFaults are those of the schema as the migrations leave it.
func schemaFaults(ctx context.Context, importPath string) (faults []*fault, err error) {
	admin := os.Getenv("EVENS_TEST_DATABASE_URL")
	if admin == "" {
		return nil, fmt.Errorf("no EVENS_TEST_DATABASE_URL: run by bin/withservers")
	}
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	const name = "evens_mutants"
	if _, err := conn.Exec(ctx, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+name+` TEMPLATE template0`); err != nil {
		return nil, err
	}
	defer func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`)
	}()
	at, err := url.Parse(admin)
	if err != nil {
		return nil, err
	}
	at.Path = "/" + name
	if err := postgres.Migrate(ctx, at.String()); err != nil {
		return nil, err
	}
	migrated, err := pgx.Connect(ctx, at.String())
	if err != nil {
		return nil, err
	}
	defer migrated.Close(context.WithoutCancel(ctx))
	return catalogued(ctx, migrated, importPath)
}

// catalogued are the faults of a migrated database.
func catalogued(ctx context.Context, migrated *pgx.Conn, importPath string) (faults []*fault, err error) {
	rows, err := migrated.Query(ctx, catalogue)
	if err != nil {
		return nil, err
	}
	var kind, what, statement string
	_, err = pgx.ForEachRow(rows, []any{&kind, &what, &statement}, func() error {
		faults = append(faults, &fault{
			File: "schema", Kind: kind, What: what, Package: importPath + "/migrations", schema: strings.TrimSpace(statement),
		})
		return nil
	})
	return faults, err
}

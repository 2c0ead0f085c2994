package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrSettings says that a session does not have the settings that were made for it: something between us and
// the server dropped or changed them.
var ErrSettings = errors.New("the database session does not keep its settings")

// sessionSettings takes what the URL and we want a session to be set to out of what is sent while connecting: a
// pooler refuses or drops most of that. The name stays there too: a pooler lists us by it. What is named by itself
// goes before what stands in the options.
func sessionSettings(params map[string]string) (settings map[string]string, err error) {
	settings, err = parseOptions(params["options"])
	if err != nil {
		return nil, err
	}
	delete(params, "options")
	for name, value := range params {
		if name == "replication" {
			continue
		}
		settings[name] = value
		if name != "application_name" {
			delete(params, name)
		}
	}
	return settings, nil
}

// parseOptions reads the settings in a URL's options: "-c name=value", "-cname=value" and "--name=value", with a
// backslash before a space that belongs to a value (PostgreSQL's documentation of libpq, options).
func parseOptions(options string) (map[string]string, error) {
	settings := make(map[string]string)
	words := splitOptions(options)
	for i := 0; i < len(words); i++ {
		word := words[i]
		setting, found := strings.CutPrefix(word, "--")
		if !found {
			if setting, found = strings.CutPrefix(word, "-c"); found && setting == "" && i+1 < len(words) {
				i++
				setting = words[i]
			}
		}
		name, value, is := strings.Cut(setting, "=")
		if !found || !is || name == "" {
			return nil, fmt.Errorf("database URL: options: %q is not of the form -c name=value", word)
		}
		settings[strings.ReplaceAll(name, "-", "_")] = value
	}
	return settings, nil
}

func splitOptions(options string) (words []string) {
	var word strings.Builder
	var inWord, escaped bool
	for _, r := range options {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped, inWord = true, true
		case strings.ContainsRune(" \t\n\r\v\f", r):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

// settle gives each new connection its settings and reads them back. What a former user of a pooler's session
// left behind goes first: settings, prepared statements, advisory locks.
func settle(settings map[string]string) func(ctx context.Context, conn *pgx.Conn) error {
	names := slices.Sorted(maps.Keys(settings))
	values := make([]string, 0, len(names))
	for _, name := range names {
		values = append(values, settings[name])
	}
	return func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "DISCARD ALL", pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("clear the database session: %w", err)
		}
		const set = `SELECT name, set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS s (name, value)`
		asked, err := readSettings(ctx, conn, set, names, values)
		if err != nil {
			return fmt.Errorf("set up the database session: %w", err)
		}
		// Asked for in a transaction of its own: a setting has to outlive the one that made it.
		const read = `SELECT name, coalesce(current_setting(name, true), '') FROM unnest($1::text[]) AS s (name)`
		has, err := readSettings(ctx, conn, read, names)
		if err != nil {
			return fmt.Errorf("read the database session's settings: %w", err)
		}
		for _, name := range names {
			if has[name] != asked[name] {
				return fmt.Errorf("%w: %s is %q, %q was set: connect directly, or through a pooler in session mode",
					ErrSettings, name, has[name], asked[name])
			}
		}
		return nil
	}
}

func readSettings(ctx context.Context, conn *pgx.Conn, sql string, args ...any) (map[string]string, error) {
	rows, err := conn.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
	if err != nil {
		return nil, err
	}
	settings := make(map[string]string)
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		settings[name] = value
		return nil
	})
	return settings, err
}

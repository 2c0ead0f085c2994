package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"evens/internal/postgres"
)

// Whose fault an error is, by the server's code: what speaks of the server's state is never the caller's.
func TestWhoseFaultAnErrorIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code, message              string
		unavailable, retriable, of bool
	}{
		{code: "08006", unavailable: true},
		{code: "08P01", unavailable: true},
		{code: "53100", message: `could not extend file "base/1/2": No space left on device`, unavailable: true},
		{code: "53200", unavailable: true},
		{code: "53300", unavailable: true},
		{code: "53400", unavailable: true},
		{code: "57014", unavailable: true},
		{code: "57P01", unavailable: true},
		{code: "57P02", unavailable: true},
		{code: "57P03", unavailable: true},
		{code: "57P04", unavailable: true},
		{code: "57P05", unavailable: true},
		{code: "58000", unavailable: true, of: true},
		{code: "58030", unavailable: true, of: true},
		{code: "58P01", unavailable: true, of: true},
		{code: "XX000", unavailable: true, of: true},
		{code: "XX001", unavailable: true, of: true},
		{code: "XX002", unavailable: true, of: true},
		{code: "25006", message: "cannot execute INSERT in a read-only transaction", unavailable: true, retriable: true},
		{code: "25P03", unavailable: true},
		{code: "25P04", unavailable: true},
		{code: "55P03", unavailable: true, retriable: true},
		{code: "40001", unavailable: true, retriable: true, of: true},
		{code: "40P01", unavailable: true, retriable: true, of: true},
		{code: "40003", unavailable: true, of: true},
		{code: "0A000", message: "cached plan must not change result type", unavailable: true, retriable: true},
		{code: "0A000", message: "cannot use this here"},
		{code: "26000", message: `prepared statement "stmtcache_1" does not exist`, unavailable: true, retriable: true},
		{code: "22003"},
		{code: "23505"},
		{code: "23514"},
		{code: "42501"},
		{code: "42P01"},
		{code: "42601"},
		{code: "EV001"},
		{code: "P0001"},
	} {
		err := fmt.Errorf("do: %w", &pgconn.PgError{Code: test.code, Message: test.message})
		if got := postgres.Unavailable(err); got != test.unavailable {
			t.Errorf("Unavailable(%s %s) = %t", test.code, test.message, got)
		}
		if got := postgres.Retriable(err); got != test.retriable {
			t.Errorf("Retriable(%s %s) = %t", test.code, test.message, got)
		}
		if got := postgres.OfOneWork(err); got != test.of {
			t.Errorf("OfOneWork(%s %s) = %t", test.code, test.message, got)
		}
	}
	for _, err := range []error{io.ErrUnexpectedEOF, context.DeadlineExceeded, postgres.ErrUnavailable, postgres.ErrReadOnly} {
		if !postgres.Unavailable(fmt.Errorf("do: %w", err)) {
			t.Errorf("Unavailable(%v) = false", err)
		}
	}
	if postgres.Unavailable(nil) || postgres.Unavailable(errors.New("odd")) || postgres.Unavailable(context.Canceled) {
		t.Error("nothing, something odd, or a caller who left is called unavailable")
	}
}

// A server that does not let us in is unavailable, whatever it says: the password was changed, or the database is not
// there at the moment.
func TestNotLetInIsUnavailable(t *testing.T) {
	t.Parallel()
	url := roleURL(t, "nobody_of_this_name")
	_, err := postgres.Open(t.Context(), postgres.Config{URL: url})
	if !postgres.Unavailable(err) {
		t.Errorf("Open() = %v, want it unavailable", err)
	}
}

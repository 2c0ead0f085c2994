package postgres

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// QueueExactly adds a statement that must touch n rows of what. Where it touches another number the
// database ends the transaction; see [Miscounted]. The database has to count, since COMMIT travels in the
// same pipeline: when we have counted, it is committed. It costs a function call for each statement.
// The statement is an INSERT, UPDATE or DELETE without RETURNING.
func QueueExactly(batch *pgx.Batch, n int, what, sql string, arguments ...any) {
	k := len(arguments)
	guarded := fmt.Sprintf("WITH touched AS (%s RETURNING 1) SELECT must_touch((SELECT count(*) FROM touched), $%d, $%d)", sql, k+1, k+2)
	batch.Queue(guarded, append(arguments, int64(n), what)...)
}

// Miscounted reports whether a transaction was ended because a statement of [QueueExactly] touched
// another number of rows: somebody else changed them first. Nothing has happened.
func Miscounted(err error) bool {
	const code = "EV001"
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == code
}

// MiscountedOf is Miscounted where the rows were of what.
func MiscountedOf(err error, what string) bool {
	if !Miscounted(err) {
		return false
	}
	pgErr, _ := errors.AsType[*pgconn.PgError](err)
	return strings.HasSuffix(pgErr.Message, " "+what+" written")
}

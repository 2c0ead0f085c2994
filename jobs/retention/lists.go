package retention

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// lists removes the lines, pages and unreadable lines of others' lists, one list after the other, oldest first. The
// list itself stays: it says since when its content is being removed, and since when the last of it is gone.
type lists struct{}

func (lists) String() string { return "in batches, list by list" }

const (
	listsAtOnce = 100

	// Index: statements_provider is by provider; lists are few. Releases before this one kept unreadable lines.
	readLists = `
	SELECT id FROM statements s
	 WHERE started_at < $1
	   AND (pruned_at IS NULL OR unreadable > 0 AND EXISTS (SELECT FROM unreadable_lines u WHERE u.statement_id = s.id))
	 ORDER BY started_at, id LIMIT $2`
	beginList = `
	UPDATE statements SET pruning_since = coalesce(pruning_since, pruned_at, now()), pruned_at = NULL WHERE id = $1 RETURNING 1`
	// Indexes: statement_lines_statement, statement_pages_pkey, unreadable_lines_pkey.
	pruneOfList = `
	WITH gone AS (
	    DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE statement_id = $1 LIMIT $2)) RETURNING 1
	)
	SELECT count(*) FROM gone`
	endList = `UPDATE statements SET pruned_at = greatest(now(), pruning_since) WHERE id = $1 RETURNING 1`
)

// ofList are the tables that have a list's content, and how many rows of each go at once: pages are large.
var ofList = []struct {
	table       string
	most, least int
}{
	{"statement_lines", mostRows, leastRows}, {"unreadable_lines", mostRows, leastRows}, {"statement_pages", 100, 1},
}

func (lists) prune(ctx context.Context, r *run) error {
	for {
		rows, err := r.cfg.DB.Pool.Query(ctx, readLists, r.cutoff, listsAtOnce)
		if err != nil {
			return fmt.Errorf("look for old lists: %w", err)
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return fmt.Errorf("look for old lists: %w", err)
		}
		for _, id := range ids {
			if err := r.list(ctx, id); err != nil {
				return fmt.Errorf("list %s: %w", id, err)
			}
		}
		if len(ids) < listsAtOnce {
			return nil
		}
	}
}

// list removes the content of one.
func (r *run) list(ctx context.Context, id uuid.UUID) error {
	var touched int
	if err := r.one(ctx, []any{&touched}, beginList, id); err != nil {
		return err
	}
	for _, of := range ofList {
		sql := named(pruneOfList, "{table}", of.table)
		err := r.batches(ctx, of.most, of.least, func(ctx context.Context, n int) (last bool, err error) {
			var gone int64
			if err := r.one(ctx, []any{&gone}, sql, id, n); err != nil {
				return false, err
			}
			r.done.Rows += gone
			return gone < int64(n), nil
		})
		if err != nil {
			return err
		}
	}
	return r.one(ctx, []any{&touched}, endList, id)
}

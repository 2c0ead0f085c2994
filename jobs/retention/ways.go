package retention

import (
	"context"
)

const (
	mostRows  = 5000
	leastRows = 50
)

// inOrder walks an index in which rows stand in the order of their age, or nearly, and ends with the first batch that
// has no old row.
type inOrder struct {
	key, kind string // the index's column and its type
	old       string // true of rows that may be past their time ($2)
	over      string // true of rows that go; checked when they go
	overEnded string // of rows that go once they are older than what has ended ($4); "": none
}

func (inOrder) String() string { return "in batches, oldest first" }

const pruneInOrder = `
	WITH batch AS (
	    SELECT ctid AS place, {key} AS key, {old} AS old FROM {table} WHERE {key} >= $1::text::{kind} ORDER BY {key} LIMIT $3
	), gone AS (
	    DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT place FROM batch WHERE old)) AND ({over}) RETURNING 1
	)
	SELECT coalesce((SELECT key FROM batch ORDER BY key DESC LIMIT 1)::text, $1), (SELECT count(*) FROM batch),
	       (SELECT count(*) FROM batch WHERE old), (SELECT count(*) FROM gone)`

func (o inOrder) prune(ctx context.Context, r *run) error {
	over := o.over
	if o.overEnded != "" {
		over = "(" + over + ") OR (" + o.overEnded + ")"
	}
	sql := named(pruneInOrder, "{table}", r.table, "{key}", o.key, "{kind}", o.kind, "{old}", o.old, "{over}", over)
	from := map[string]string{"uuid": "00000000-0000-0000-0000-000000000000", "bigint": "0", "timestamptz": "-infinity"}[o.kind]
	return r.batches(ctx, mostRows, leastRows, func(ctx context.Context, n int) (last bool, err error) {
		var reached string
		var seen, old, gone int64
		args := []any{from, r.cutoff, n}
		if o.overEnded != "" {
			args = append(args, r.ended)
		}
		if err := r.one(ctx, []any{&reached, &seen, &old, &gone}, sql, args...); err != nil {
			return false, err
		}
		r.done.Rows += gone
		stuck := reached == from && gone == 0
		from = reached
		return seen < int64(n) || old == 0 || stuck, nil
	})
}

// byBlocks walks a whole table in the order of its blocks: for a table without an index by age.
type byBlocks struct {
	over string // true of rows that go ($3)
}

func (byBlocks) String() string { return "in batches, the whole table" }

const (
	mostBlocks = 128

	countBlocks   = `SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint`
	pruneByBlocks = `
	WITH gone AS (
	    DELETE FROM {table} WHERE ctid >= format('(%s,0)', $1::bigint)::tid AND ctid < format('(%s,0)', $2::bigint)::tid AND ({over}) RETURNING 1
	)
	SELECT count(*) FROM gone`
)

func (b byBlocks) prune(ctx context.Context, r *run) error {
	var blocks, next int64
	if err := r.one(ctx, []any{&blocks}, countBlocks, r.table); err != nil {
		return err
	}
	sql := named(pruneByBlocks, "{table}", r.table, "{over}", b.over)
	return r.batches(ctx, mostBlocks, 1, func(ctx context.Context, n int) (last bool, err error) {
		var gone int64
		end := next + int64(n)
		if err := r.one(ctx, []any{&gone}, sql, next, end, r.cutoff); err != nil {
			return false, err
		}
		r.done.Rows += gone
		next = end
		return next >= blocks, nil
	})
}

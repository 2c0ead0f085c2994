// Package retention has, for each table of the schema, how long its rows are kept and how they go. What goes, goes in
// statements that are short whatever a table holds, with pauses between them, so that nobody waits for them.
package retention

import (
	"time"

	"evens/wallet"
)

// Times are the times that an installation chooses.
type Times struct {
	Callbacks  time.Duration // raw bodies of calls, and of callbacks that were worked off
	Statements time.Duration // lines and pages of others' lists
	Ended      time.Duration // what has ended and nothing refers to
}

// Defaults of the times.
const (
	DefaultCallbacks  = 90 * day
	DefaultStatements = 35 * day
	DefaultEnded      = 400 * day
)

const day = 24 * time.Hour

// Line is what becomes of a table's rows.
type Line struct {
	Table string
	// Why they are kept for good, or what the time is counted from.
	Why string
	// keep is for how long; nil: for good.
	keep period
	// way is how they go; nil where they are kept for good or go with another table's.
	way way
	// with is the table whose task removes them too.
	with string
}

// Forever reports whether the rows are kept for good.
func (l Line) Forever() bool { return l.keep == nil }

// Keep is how long rows are kept by the times of an installation; 0 where it is for good.
func (l Line) Keep(times Times) time.Duration {
	if l.keep == nil {
		return 0
	}
	return l.keep(times)
}

// With is the table whose task removes the rows: this one, or the one that they belong to; "" where they are kept
// for good.
func (l Line) With() string {
	if l.way != nil {
		return l.Table
	}
	return l.with
}

// How says in a word how rows go.
func (l Line) How() string {
	switch {
	case l.way != nil:
		return l.way.String()
	case l.with != "":
		return "with `" + l.with + "`"
	}
	return "never"
}

type period func(Times) time.Duration

func callbacks(t Times) time.Duration  { return t.Callbacks }
func statements(t Times) time.Duration { return t.Statements }
func ended(t Times) time.Duration      { return t.Ended }

func fixed(d time.Duration) period { return func(Times) time.Duration { return d } }

// Table has a line for every table of the schema, by name.
func Table() []Line {
	return []Line{
		{Table: "accounts", Why: "balances"},
		{Table: "activity_log", Why: "who decided what; audit rules refer to it"},
		{Table: "adjustments", Why: "decisions about money"},
		{Table: "allowances", Why: "a player's limits in force"},
		{Table: "api_keys", Why: "a revoked one still says whose requests were whose"},
		{
			Table: "approvals", Why: "proposals that nobody took up, by when they were made; those decided are never removed: the audit holds the activity log against them",
			keep: ended, way: inOrder{key: "id", kind: "uuid", old: "created_at < $2", over: "decided_at IS NULL AND created_at < $2"},
		},
		{Table: "bet_details", Why: "part of a bet's record"},
		{Table: "bet_names", Why: "a bet told again under its other id is known by it"},
		{Table: "bonuses", Why: "money was given by them"},
		{Table: "break_events", Why: "what became of a difference"},
		{Table: "breaks", Why: "differences, and what healed them"},
		{Table: "callbacks", Why: "by when a call came", keep: callbacks, way: days{}},
		{Table: "closings", Why: "a day's books"},
		{Table: "coupon_answers", Why: "what BeT answered; `explain` shows it"},
		{Table: "coupons", Why: "bets"},
		{
			Table: "game_sessions", Why: "by when it expires; a late win or rollback names the session that it belongs to",
			keep: ended, way: inOrder{key: "id", kind: "uuid", old: "created_at < $2", over: "expires_at < $2"},
		},
		{Table: "games", Why: "a row for each game; they are written over"},
		{Table: "goose_db_version", Why: "a row for each migration"},
		{Table: "installation", Why: "one row"},
		{
			Table: "job_failures", Why: "by when the queue gave up",
			keep: ended, way: inOrder{key: "id", kind: "bigint", old: "failed_at < $2", over: "failed_at < $2"},
		},
		{Table: "ledger_seals", Why: "the chain over the ledger"},
		{
			Table: "login_delays", Why: "by until when it holds",
			keep: fixed(day), way: inOrder{key: "until", kind: "timestamptz", old: "until < $2", over: "until < $2"},
		},
		{
			Table: "notices", Why: "by when it was worked off; those refused are kept as long as what has ended, those that wait for good",
			keep: callbacks,
			way: inOrder{
				key: "id", kind: "bigint", old: "received_at < $2", over: "done_at < $2 AND state = 'done'",
				overEnded: "done_at < $4 AND state = 'refused'",
			},
		},
		{
			Table: "operator_sessions", Why: "by when it expires",
			keep: fixed(day), way: inOrder{key: "expiry", kind: "timestamptz", old: "expiry < $2", over: "expiry < $2"},
		},
		{Table: "operators", Why: "decisions name them"},
		{
			Table: "player_tokens", Why: "by when it expires",
			keep: fixed(7 * day), way: inOrder{key: "expires_at", kind: "timestamptz", old: "expires_at < $2", over: "expires_at < $2"},
		},
		{Table: "players", Why: "who has money here"},
		{Table: "provider_sessions", Why: "a row for each provider"},
		{Table: "requests", Why: "an idempotency key is remembered for ever"},
		{
			Table: "result_chunks", Why: "by when it was done; the results stay",
			keep: fixed(day), way: inOrder{key: "id", kind: "bigint", old: "coalesce(done_at < $2, true)", over: "done_at < $2"},
		},
		{Table: "results", Why: "BeT's word on coupons"},
		{Table: "reversal_hours", Why: "the audit holds settlements against it"},
		{Table: "rounds", Why: "the audit holds the ledger against them; a round's id that comes again is told by them"},
		{Table: "seals", Why: "the chain over the ledger"},
		{Table: "selections", Why: "what was bet on"},
		{Table: "settlements", Why: "what coupons have paid"},
		{Table: "statement_lines", Why: "by when the list was begun; what they showed is in `breaks`", keep: statements, way: lists{}},
		{Table: "statement_pages", Why: "as its lines", keep: statements, with: "statement_lines"},
		{Table: "statements", Why: "breaks, watermarks, closings and days due refer to them"},
		{Table: "suspense", Why: "money that was nobody's"},
		{Table: "transactions", Why: "the ledger"},
		{Table: "transfers", Why: "the ledger"},
		{Table: "unreadable_lines", Why: "as the list's other lines", keep: statements, with: "statement_lines"},
		{
			Table: "usage_quarters", Why: "no limit's window reaches further back",
			keep: fixed(wallet.UsageKept), way: byBlocks{over: "quarter < date_bin('15 minutes', $3::timestamptz, 'epoch')"},
		},
		{Table: "watermarks", Why: "a row for each provider"},
	}
}

// Tasks names the tables that have a task of their own.
func Tasks() (tables []string) {
	for _, line := range Table() {
		if line.way != nil {
			tables = append(tables, line.Table)
		}
	}
	return tables
}

package postgres_test

import (
	"database/sql"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"evens/internal/testbed"
	"evens/migrations"
)

// released is the schema's version of the release before: 88ce453.
const released = 9

// releasedDatabase has the schema of the release before, and n transactions with what comes with them.
func releasedDatabase(t *testing.T, n int) (url string) {
	t.Helper()
	url = testbed.EmptyDatabase(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	// The rows are there before the last step builds its indexes: that is the quicker way to the same.
	if _, err := provider.UpTo(t.Context(), released-1); err != nil {
		t.Fatal(err)
	}
	for _, statement := range strings.Split(strings.ReplaceAll(fill, ":n", strconv.Itoa(n)), ";\n") {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if _, err := provider.UpTo(t.Context(), released); err != nil {
		t.Fatal(err)
	}
	return url
}

// fill makes rows in every table that a step behind the release before touches. Ids grow, as those of the
// release do.
const fill = `SET synchronous_commit = off;
CREATE FUNCTION nth(i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN lpad(to_hex(i), 32, '0')::uuid;
INSERT INTO accounts (currency, kind) VALUES ('USD', 'cash_desk'), ('USD', 'bookmaker'), ('EUR', 'cash_desk');
INSERT INTO players SELECT nth(i), 'p' || i, 'name', 'p@example.com', 'USD', 'active', now() FROM generate_series(1, 1000) i;
INSERT INTO accounts (player_id, currency, kind, balance) SELECT nth(i), 'USD', 'cash', 0 FROM generate_series(1, 1000) i;
ALTER TABLE transactions DROP CONSTRAINT transactions_key;
DROP INDEX transactions_player;
INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, payload_hash, coupon_id, at)
SELECT nth(i), 'cashier', 'e' || lpad(i::text, 9, '0'), CASE i % 10 WHEN 0 THEN 'withdrawal' WHEN 1 THEN 'deposit' ELSE 'stake' END,
       nth(i % 1000 + 1), 1, i, 0, '\x00', CASE WHEN i % 10 > 1 THEN nth(i) END, '2026-01-01'::timestamptz + i * interval '1 second'
  FROM generate_series(1, :n) i;
ALTER TABLE transactions ADD CONSTRAINT transactions_key UNIQUE (source, external_id);
CREATE INDEX transactions_player ON transactions (player_id, id);
INSERT INTO coupons (id, player_id, status, currency, stake, sent_amount, nominal, rate_mode, lang, pointers, coef, possible_win, bet_code, placed_at)
SELECT nth(i), nth(i % 1000 + 1), 'lost', 'USD', 1, 1, false, 'any', 'en', '{}', 1000000, 1, 'c' || i, now() FROM generate_series(1, :n / 20) i;
INSERT INTO results (bar_code, decided_at, status, ext_status, callback_id, received_at)
SELECT 'c' || i, now(), 1, 1, nth(i), now() FROM generate_series(1, :n / 20) i;
INSERT INTO settlements (coupon_id, n, result_id, outcome, payout_before, payout_after, at)
SELECT nth(i), 1, i, 'lost', 0, 0, now() FROM generate_series(1, :n / 20) i;
INSERT INTO notices (provider, transaction_id, body, callback_id, rung_at, received_at, state, done_at)
SELECT 'tg', 't' || i, '', nth(i), now(), now(), 'done', now() FROM generate_series(1, :n / 20) i;
INSERT INTO rounds (provider, round_id, player_id, game_id, bets, rolled_back, wins, staked, won, opened_at)
SELECT 'tg', 'r' || i, nth(i % 1000 + 1), 'g', 1, 0, 1, 1, 1, now() FROM generate_series(1, :n / 20) i;
INSERT INTO statements (id, provider, source, window_from, window_to, state, lines, started_at)
SELECT nth(i), 'tg', 'api', now(), now(), 'matched', 10, now() FROM generate_series(1, 1000) i;
INSERT INTO statement_lines (statement_id, page, transaction_id, type, player, amount, currency, status, at, round_id, again)
SELECT nth(i / (:n / 9000 + 1) + 1), 1, 't' || i, 'bet', 'p', 1, 'USD', 'ok', now(), 'r', false FROM generate_series(1, :n / 20) i;
INSERT INTO breaks (id, provider, kind, transaction_id, player, currency, amount, action, at, first_seen, last_seen, statement_id)
SELECT nth(i), 'tg', 'amount', 't' || i, 'p', 'USD', 1, 'report', now(), now(), now(), nth(1) FROM generate_series(1, :n / 20) i;
DROP FUNCTION nth`

package bench

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/coupon"
)

// couponsPerPlayer is how the seeded coupons are spread.
const couponsPerPlayer = 20

// seedSteps fill an empty schema with $1 accepted coupons of $2 players whose books are even:
// every deposit and stake has its transaction, its transfer, and its place in the account's
// chain. Every coupon stakes 10.00 at 2.00. Ids have UUIDv7's shape; coupon i has the bet code seedCode(i).
var seedSteps = []seedStep{
	{"players", `
	INSERT INTO players (id, external_id, name, email, currency, created_at)
	SELECT pg_temp.seed_id(1, p), 'bench-' || p, 'Player ' || p, 'p' || p || '@example.com', 'USD', now()
	  FROM generate_series(1, $2::bigint) p WHERE $1::bigint > 0`},
	{"house accounts", `
	INSERT INTO accounts (currency, kind)
	SELECT 'USD', k FROM unnest('{cashier,stakes_held,sportsbook}'::text[]) k WHERE $1::bigint > 0 AND $2::bigint > 0`},
	{"player accounts", `
	INSERT INTO accounts (player_id, currency, kind, balance, version)
	SELECT pg_temp.seed_id(1, p), 'USD', k.kind,
	       CASE k.kind WHEN 'cash' THEN 100000000 - 100000 * ((($1::bigint - p) / $2::bigint) + 1) ELSE 0 END,
	       CASE k.kind WHEN 'cash' THEN 1 + (($1::bigint - p) / $2::bigint) + 1 ELSE 0 END
	  FROM generate_series(1, $2::bigint) p, (VALUES ('cash'), ('bonus')) k (kind)`},
	{"deposits", `
	INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, payload_hash, at)
	SELECT pg_temp.seed_id(2, p), 'cashier', 'bench-' || p, 'deposit', pg_temp.seed_id(1, p), 100000000, 100000000, 0,
	       'cashier', '\x00', now()
	  FROM generate_series(1, $2::bigint) p WHERE $1::bigint > 0`},
	{"deposits' transfers", `
	INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, balance_after, account_version, at)
	SELECT pg_temp.seed_id(2, p), 1, (SELECT id FROM accounts WHERE kind = 'cashier'), a.id, 100000000, 100000000, 1, now()
	  FROM generate_series(1, $2::bigint) p
	  JOIN accounts a ON a.player_id = pg_temp.seed_id(1, p) AND a.kind = 'cash' WHERE $1::bigint > 0`},
	{"stakes", `
	INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, coupon_id, payload_hash, at)
	SELECT pg_temp.seed_id(3, c), 'coupon', pg_temp.seed_id(4, c) || ':stake', 'stake', pg_temp.seed_id(1, (c - 1) % $2 + 1),
	       -100000, 100000000 - 100000 * ((c - 1) / $2 + 1), 0, '` + coupon.Provider + `', pg_temp.seed_id(4, c), '\x00', now()
	  FROM generate_series(1, $1::bigint) c`},
	{"stakes' transfers", `
	INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, balance_after, account_version, at)
	SELECT pg_temp.seed_id(3, c), 1, a.id, (SELECT id FROM accounts WHERE kind = 'stakes_held'), 100000,
	       100000000 - 100000 * ((c - 1) / $2 + 1), 2 + (c - 1) / $2, now()
	  FROM generate_series(1, $1::bigint) c
	  JOIN accounts a ON a.player_id = pg_temp.seed_id(1, (c - 1) % $2 + 1) AND a.kind = 'cash'`},
	{"coupons", `
	INSERT INTO coupons (id, player_id, status, currency, stake, sent_amount, nominal, rate_mode, lang, pointers,
	                     coef, possible_win, bet_code, placed_at, answered_status, provider)
	SELECT pg_temp.seed_id(4, c), pg_temp.seed_id(1, (c - 1) % $2::bigint + 1), 'accepted', 'USD', 100000, 100000, false,
	       'reject', 'en', ARRAY['line#' || (1000000 + c % 5000) || '|17|9|0.5#2.00'], 2000000, 200000,
	       'b' || lpad(c::text, 9, '0'), now(), 'accepted', '` + coupon.Provider + `'
	  FROM generate_series(1, $1::bigint) c`},
	{"selections", `
	INSERT INTO selections (coupon_id, position, pointer, match_id, teams, tournament, bet_name, coef, live)
	SELECT pg_temp.seed_id(4, c), 0, 'line#' || (1000000 + c % 5000) || '|17|9|0.5#2.00', (1000000 + c % 5000)::text,
	       'Home - Away', 'League', '1', 2000000, false
	  FROM generate_series(1, $1::bigint) c WHERE $2::bigint > 0`},
}

// seed_id makes an id with UUIDv7's version and variant bits, in the order of n.
const seedID = `
	CREATE FUNCTION pg_temp.seed_id(what bigint, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	    SELECT (lpad(to_hex(1700000000000 + n / 1000), 12, '0') || '7' || lpad(to_hex(n % 1000), 3, '0')
	            || '8' || lpad(to_hex(what), 3, '0') || lpad(to_hex(n), 12, '0'))::uuid
	$$`

// seedCode is the bet code of the i-th coupon, 1 ≤ i.
func seedCode(i int) string { return fmt.Sprintf("b%09d", i) }

// Seed fills an empty schema with n accepted coupons, and leaves the statistics as autovacuum
// would in time.
func Seed(ctx context.Context, pool *pgxpool.Pool, n int, progress io.Writer) error {
	players := max(1, n/couponsPerPlayer)
	fmt.Fprintf(progress, "seeding %d accepted coupons of %d players\n", n, players)
	return fill(ctx, pool, seedSteps, n, players)
}

// seedStep is one statement of a seed: $1 is how many things, $2 how many players have them.
type seedStep struct{ what, sql string }

// fill runs a seed's steps, and leaves the tables as a server long at work would have them.
func fill(ctx context.Context, pool *pgxpool.Pool, steps []seedStep, n, players int) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	defer conn.Release()
	for _, setup := range []string{"SET statement_timeout = 0", seedID} {
		if _, err := conn.Exec(ctx, setup); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	// In one transaction now() is one time: rows that tell of each other agree.
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		for _, step := range steps {
			if _, err := tx.Exec(ctx, step.sql, pgx.QueryExecModeExec, n, players); err != nil {
				return fmt.Errorf("seed %s: %w", step.what, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, end := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, end); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}

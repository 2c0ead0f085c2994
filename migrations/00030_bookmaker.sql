-- +goose NO TRANSACTION
-- A bookmaker's code is unique among its own coupons only. Up to here there was one bookmaker: its name is the default, of
-- the rows that are there and of those that the release before writes. The code stands first in both keys, for that release
-- looks it up alone.
-- +goose Up
ALTER TABLE coupons ADD COLUMN IF NOT EXISTS provider text COLLATE "C" NOT NULL DEFAULT 'bet';
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS coupons_bookmaker_code ON coupons (bet_code, provider) WHERE bet_code IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS coupons_bet_code;

ALTER TABLE results ADD COLUMN IF NOT EXISTS provider text COLLATE "C" NOT NULL DEFAULT 'bet';
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS results_bookmaker_once
    ON results (bar_code, provider, decided_at, status, ext_status, amount_out) NULLS NOT DISTINCT;
ALTER TABLE results
    DROP CONSTRAINT IF EXISTS results_once,
    ADD CONSTRAINT results_once UNIQUE USING INDEX results_bookmaker_once;

-- +goose Down
ALTER TABLE results
    DROP CONSTRAINT results_once,
    DROP COLUMN provider,
    ADD CONSTRAINT results_once UNIQUE NULLS NOT DISTINCT (bar_code, decided_at, status, ext_status, amount_out);
CREATE UNIQUE INDEX coupons_bet_code ON coupons (bet_code) WHERE bet_code IS NOT NULL;
ALTER TABLE coupons DROP COLUMN provider;

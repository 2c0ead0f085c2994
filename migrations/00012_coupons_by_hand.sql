-- +goose NO TRANSACTION
-- Coupons that a person ends, words of BeT's that cannot be read, and what a coupon has counted as staked.
-- +goose Up
ALTER TABLE coupons
    ADD COLUMN IF NOT EXISTS sent_currency text,   -- of sent_amount, where a nominal has one of its own; null: the coupon's
    ADD COLUMN IF NOT EXISTS counted       bigint, -- what it counts as staked since its last settlement; null: see settlement.loadResults
    ADD COLUMN IF NOT EXISTS overruled     boolean NOT NULL DEFAULT false; -- a person had an older word of BeT's hold

-- A Head that cannot be read is parked with its text. Its bar_code is made from the text, so that a repeat
-- is none; once a person applies it, it is the coupon's.
ALTER TABLE results ADD COLUMN IF NOT EXISTS raw bytea;

-- A coupon that is cancelled is settled by no result.
ALTER TABLE settlements
    ALTER result_id DROP NOT NULL,
    DROP CONSTRAINT IF EXISTS settlements_outcome,
    DROP CONSTRAINT IF EXISTS settlements_cause,
    ADD CONSTRAINT settlements_outcome CHECK (outcome IN ('won', 'lost', 'refunded', 'cancelled')) NOT VALID,
    ADD CONSTRAINT settlements_cause   CHECK (result_id IS NOT NULL OR outcome = 'cancelled') NOT VALID;
ALTER TABLE settlements VALIDATE CONSTRAINT settlements_outcome;
ALTER TABLE settlements VALIDATE CONSTRAINT settlements_cause;

-- terms: BeT's answer to a placement names another stake, number of selections or coefficient than was sent.
ALTER TABLE breaks
    DROP CONSTRAINT IF EXISTS breaks_kind,
    ADD CONSTRAINT breaks_kind CHECK (kind IN ('missing_here', 'missing_there', 'amount', 'status', 'currency', 'player', 'duplicate',
                                                    'unreadable', 'terms')) NOT VALID;
ALTER TABLE breaks VALIDATE CONSTRAINT breaks_kind;

-- +goose Down
ALTER TABLE breaks
    DROP CONSTRAINT breaks_kind,
    ADD CONSTRAINT breaks_kind CHECK (kind IN ('missing_here', 'missing_there', 'amount', 'status', 'currency', 'player', 'duplicate',
                                               'unreadable')) NOT VALID;
ALTER TABLE settlements
    DROP CONSTRAINT settlements_cause,
    DROP CONSTRAINT settlements_outcome,
    ADD CONSTRAINT settlements_outcome CHECK (outcome IN ('won', 'lost', 'refunded')) NOT VALID;
ALTER TABLE results DROP raw;
ALTER TABLE coupons DROP sent_currency, DROP counted, DROP overruled;

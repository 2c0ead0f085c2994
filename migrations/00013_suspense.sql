-- +goose NO TRANSACTION
-- What a payment gateway told us and could not be booked to a player; whose API key a request is; how
-- often a bonus has been opened again.
-- +goose Up
INSERT INTO accounts (currency, kind)
SELECT DISTINCT currency, 'suspense' FROM accounts WHERE player_id IS NULL
    ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS suspense (
    id             uuid        PRIMARY KEY,
    transaction_id text        COLLATE "C" NOT NULL, -- the gateway's
    event          text        NOT NULL,             -- what it said of the payment
    reason         text        NOT NULL,
    player         text        NOT NULL,             -- as the gateway calls the player
    currency       text        NOT NULL,
    amount         bigint      NOT NULL, -- as the gateway says it
    booked         bigint      NOT NULL, -- to the suspense account; 0 for what only has to be looked at
    method         text        NOT NULL,
    at             timestamptz NOT NULL,
    ended_at       timestamptz,
    ended_by       text        NOT NULL DEFAULT '', -- an operator; '' where the gateway's next word did
    player_id      uuid,                            -- whom it went to
    comment        text        NOT NULL DEFAULT '',
    CONSTRAINT suspense_once   UNIQUE (transaction_id, event, reason, player, currency, amount),
    CONSTRAINT suspense_event  CHECK (event IN ('deposit_succeeded', 'deposit_failed', 'deposit_returned',
                                                'withdrawal_paid', 'withdrawal_failed', 'withdrawal_returned')),
    CONSTRAINT suspense_reason CHECK (reason IN ('unknown_player', 'currency', 'conflict', 'contradiction'))
);
CREATE INDEX IF NOT EXISTS suspense_open ON suspense (id) WHERE ended_at IS NULL;

-- The oldest withdrawal that waits for the gateway is looked for at every scrape.
CREATE INDEX CONCURRENTLY IF NOT EXISTS transactions_withdrawals ON transactions (id) WHERE kind = 'withdrawal';

ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS owner text NOT NULL DEFAULT ''; -- '': the key's name
ALTER TABLE bonuses ADD COLUMN IF NOT EXISTS reopened integer NOT NULL DEFAULT 0; -- how often a completed bonus became active again

-- +goose Down
ALTER TABLE bonuses  DROP reopened;
ALTER TABLE api_keys DROP owner;
DROP INDEX transactions_withdrawals;
DROP TABLE suspense;

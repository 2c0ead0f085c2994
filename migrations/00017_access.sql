-- +goose NO TRANSACTION
-- Operators that can be disabled and have a second factor, delays after wrong passwords, the console's
-- sessions, decisions that wait for a second person, and API keys of two generations.
-- +goose Up
ALTER TABLE operators
    ADD COLUMN IF NOT EXISTS disabled_at   timestamptz,
    ADD COLUMN IF NOT EXISTS session_epoch integer NOT NULL DEFAULT 0, -- sessions of an earlier one have ended
    ADD COLUMN IF NOT EXISTS totp_secret   text,                       -- base32; null: no second factor
    ADD COLUMN IF NOT EXISTS totp_step     bigint  NOT NULL DEFAULT 0, -- the last code's: none is taken twice
    ADD COLUMN IF NOT EXISTS last_login_at timestamptz;

-- Who has failed to log in, and when the next attempt counts. Subjects are hashes.
CREATE TABLE IF NOT EXISTS login_delays (
    subject  text        PRIMARY KEY,
    failures integer     NOT NULL,
    last_at  timestamptz NOT NULL,
    until    timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS login_delays_until ON login_delays (until);

-- The console's sessions, as the library scs keeps them. The token is a hash.
CREATE TABLE IF NOT EXISTS operator_sessions (
    token   text        PRIMARY KEY,
    data    bytea       NOT NULL,
    expiry  timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS operator_sessions_expiry ON operator_sessions (expiry);

-- A decision above the approval amount that one person has made, and waits for another to make the same.
CREATE TABLE IF NOT EXISTS approvals (
    id         uuid        PRIMARY KEY,
    operation  text        NOT NULL,
    subject    text        NOT NULL, -- what is decided on, such as a result's number
    terms      text        NOT NULL, -- what would move
    operator   text        NOT NULL,
    comment    text        NOT NULL,
    created_at timestamptz NOT NULL,
    decided_at timestamptz,          -- null: waits
    decided_by text
);
CREATE UNIQUE INDEX IF NOT EXISTS approvals_waiting ON approvals (operation, subject, terms) WHERE decided_at IS NULL;

-- 1: the scope players also makes tokens, and coupons also hears of wallets; 2: neither.
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS scope_rules smallint NOT NULL DEFAULT 1;

-- +goose Down
ALTER TABLE api_keys DROP scope_rules;
DROP TABLE approvals, operator_sessions, login_delays;
ALTER TABLE operators DROP last_login_at, DROP totp_step, DROP totp_secret, DROP session_epoch, DROP disabled_at;

-- +goose NO TRANSACTION
-- Callbacks told apart by kind and content, what a game's bet was besides its stake, and who made a game.
-- +goose Up
ALTER TABLE notices
    ADD COLUMN IF NOT EXISTS kind    text  COLLATE "C" NOT NULL DEFAULT '', -- what the callback says happened; '' of an earlier release
    ADD COLUMN IF NOT EXISTS content bytea NOT NULL DEFAULT '';             -- a fingerprint of what it says
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS notices_told ON notices (provider, transaction_id, kind, content);
-- The name stays: releases name it when they store a callback. The index takes it over.
ALTER TABLE notices
    DROP CONSTRAINT IF EXISTS notices_once,
    ADD CONSTRAINT notices_once UNIQUE USING INDEX notices_told;

-- What a platform says of a bet besides its stake and its win, written only where it says something.
CREATE TABLE IF NOT EXISTS bet_details (
    transaction_id uuid   PRIMARY KEY,
    valid_stake    bigint,          -- what of the stake counts as turnover; null: not told
    jackpot_win    bigint NOT NULL, -- the part of the win that a jackpot paid
    CONSTRAINT bet_details_range CHECK (valid_stake >= 0 AND jackpot_win >= 0)
);
CREATE OR REPLACE TRIGGER bet_details_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bet_details
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE games ADD COLUMN IF NOT EXISTS studio text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE games DROP studio;
DROP TABLE bet_details;
DELETE FROM notices a USING notices b
 WHERE a.id > b.id AND a.provider = b.provider AND a.transaction_id = b.transaction_id;
ALTER TABLE notices
    DROP CONSTRAINT notices_once,
    ADD CONSTRAINT notices_once UNIQUE (provider, transaction_id),
    DROP kind, DROP content;

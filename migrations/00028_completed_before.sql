-- +goose NO TRANSACTION
-- +goose Up

-- Up to version 9 a bonus stayed completed when a stake that had completed it was taken back. What such a bonus lacks of
-- its wagering is no fault of today's; nothing writes it from now on.
ALTER TABLE bonuses ADD COLUMN IF NOT EXISTS forgiven bigint NOT NULL DEFAULT 0;

UPDATE bonuses SET forgiven = required - wagered WHERE status = 'completed' AND wagered < required AND forgiven = 0;

-- +goose Down

ALTER TABLE bonuses DROP forgiven;

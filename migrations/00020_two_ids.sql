-- +goose NO TRANSACTION
-- One event under two ids is one difference.
-- +goose Up
ALTER TABLE breaks
    DROP CONSTRAINT IF EXISTS breaks_kind,
    ADD CONSTRAINT breaks_kind CHECK (kind IN
    ('missing_here', 'missing_there', 'amount', 'status', 'currency', 'player', 'duplicate', 'unreadable', 'terms', 'id')) NOT VALID;
ALTER TABLE breaks VALIDATE CONSTRAINT breaks_kind;

-- +goose Down
DELETE FROM breaks WHERE kind = 'id';
ALTER TABLE breaks DROP CONSTRAINT breaks_kind;
ALTER TABLE breaks ADD CONSTRAINT breaks_kind CHECK (kind IN
    ('missing_here', 'missing_there', 'amount', 'status', 'currency', 'player', 'duplicate', 'unreadable', 'terms'));

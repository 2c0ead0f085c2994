-- +goose NO TRANSACTION
-- Seals by commit, not by clock: each transaction knows where in the order of the database's own
-- transactions it stands, and a seal covers what stands below the horizon, where nothing can still come.
-- +goose Up

-- What the counter of this cluster lacks to go on where another one ended: 0 until a dump is restored into
-- a cluster that has counted less. continue_ledger replaces it: stable, so that plans which have it inlined are
-- made anew then.
CREATE OR REPLACE FUNCTION ledger_offset() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE RETURN 0::bigint;

-- Where the present database transaction stands.
CREATE OR REPLACE FUNCTION ledger_position() RETURNS bigint LANGUAGE sql STABLE
    RETURN pg_current_xact_id()::text::bigint + ledger_offset();

-- Everything below has been committed or rolled back, and is seen by whoever asks.
CREATE OR REPLACE FUNCTION ledger_horizon() RETURNS bigint LANGUAGE sql STABLE
    RETURN pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ledger_offset();

-- Null: written before positions were kept. Waiting for the table's lock, this follows the last such row. One
-- statement, so that no row comes between; the default counts for rows to come only.
ALTER TABLE transactions
    ADD COLUMN IF NOT EXISTS position bigint,
    ALTER COLUMN position SET DEFAULT ledger_position();
CREATE INDEX CONCURRENTLY IF NOT EXISTS transactions_position ON transactions USING brin (position) WITH (pages_per_range = 32);

-- SHA-256 over every column of each range of transactions and of their transfers, and over the seal before.
CREATE TABLE IF NOT EXISTS seals (
    n              bigint      PRIMARY KEY, -- on from the last of ledger_seals
    version        smallint    NOT NULL,    -- which columns are hashed
    after_id       uuid,                    -- without a position: transactions after this
    until_id       uuid,                    -- up to and with this
    from_position  bigint,                  -- with a position: from this on
    until_position bigint,                  -- below this
    transactions   bigint      NOT NULL,
    transfers      bigint      NOT NULL,
    hash           bytea       NOT NULL,
    sealed_at      timestamptz NOT NULL,
    CONSTRAINT seals_range CHECK (num_nonnulls(after_id, until_id) IN (0, 2) AND num_nonnulls(from_position, until_position) IN (0, 2)
                                  AND (until_id IS NULL) <> (until_position IS NULL)),
    CONSTRAINT seals_rows  CHECK (transactions > 0 AND transfers >= 0)
);
CREATE OR REPLACE TRIGGER seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A seal that the release before still makes: what came later than it is told from what it saw.
ALTER TABLE ledger_seals
    ADD COLUMN IF NOT EXISTS position bigint,
    ALTER COLUMN position SET DEFAULT ledger_position();

-- A closing counts what its seal covers: null where it was made before.
ALTER TABLE closings ADD COLUMN IF NOT EXISTS until_position bigint;

-- How far the counter is behind what was written already: above 0 once a dump was restored elsewhere.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ledger_behind() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT greatest(coalesce((SELECT max(until_position) FROM seals), 0),
                    coalesce((SELECT max(position) FROM (SELECT position FROM transactions ORDER BY id DESC LIMIT 10000) t), 0) + 1)
           - (pg_snapshot_xmax(pg_current_snapshot())::text::bigint + ledger_offset())
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION continue_ledger() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    behind bigint;
BEGIN
    LOCK TABLE transactions IN SHARE MODE;
    behind := ledger_behind();
    IF behind > 0 THEN
        EXECUTE format('CREATE OR REPLACE FUNCTION ledger_offset() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE RETURN %s::bigint',
                       ledger_offset() + behind);
    END IF;
END
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION continue_ledger, ledger_behind;
ALTER TABLE closings DROP COLUMN until_position;
ALTER TABLE ledger_seals DROP COLUMN position;
DROP TABLE seals;
ALTER TABLE transactions DROP COLUMN position;
DROP FUNCTION ledger_horizon, ledger_position, ledger_offset;

-- +goose NO TRANSACTION
-- What is no longer needed goes a few rows at a time.
-- +goose Up

-- Since when a list's lines and pages are being removed; pruned_at says when the last of them was.
ALTER TABLE statements ADD COLUMN IF NOT EXISTS pruning_since timestamptz;

CREATE INDEX CONCURRENTLY IF NOT EXISTS player_tokens_expiry ON player_tokens (expires_at);

-- Removes up to so many rows of the default partition that are older than a time, with the owner's rights, and tells how
-- many. The last day stays, whoever asks. It has the name of the function beside it, so that grant_runtime knows it.
-- +goose StatementBegin
DO $do$
BEGIN
    EXECUTE format($sql$
CREATE OR REPLACE FUNCTION drop_callback_days(oldest timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $$
DECLARE
    removed bigint;
BEGIN
    oldest := least(oldest, now() - interval '1 day');
    DELETE FROM callbacks_rest
     WHERE ctid = ANY (ARRAY(SELECT ctid FROM callbacks_rest WHERE at < oldest LIMIT most));
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$ $sql$, current_schema());
    EXECUTE 'REVOKE ALL ON FUNCTION drop_callback_days(timestamptz, integer) FROM PUBLIC';
END
$do$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION drop_callback_days(timestamptz, integer);
DROP INDEX player_tokens_expiry;
ALTER TABLE statements DROP COLUMN pruning_since;

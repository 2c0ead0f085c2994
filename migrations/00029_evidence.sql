-- +goose NO TRANSACTION
-- What a person or a run has decided, seen or closed is added to, and never written over. A closing that is made anew is
-- another version of it.
-- +goose Up
ALTER TABLE closings ADD COLUMN IF NOT EXISTS version integer NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS closings_versions ON closings (day, currency, item, version);
ALTER TABLE closings
    DROP CONSTRAINT IF EXISTS closings_pkey,
    ADD CONSTRAINT closings_pkey PRIMARY KEY USING INDEX closings_versions;

CREATE OR REPLACE TRIGGER closings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON closings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER break_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON break_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER activity_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON activity_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TRIGGER activity_log_append_only ON activity_log;
DROP TRIGGER break_events_append_only ON break_events;
DROP TRIGGER closings_append_only ON closings;
DELETE FROM closings c WHERE version < (SELECT max(version) FROM closings l WHERE l.day = c.day);
ALTER TABLE closings DROP CONSTRAINT closings_pkey;
ALTER TABLE closings ADD PRIMARY KEY (day, currency, item);
ALTER TABLE closings DROP COLUMN version;

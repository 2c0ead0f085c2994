-- +goose NO TRANSACTION
-- What a difference needs before it heals, lines that cannot be read, and what a statement adds up to.
-- +goose Up
ALTER TABLE statement_lines
    ADD COLUMN IF NOT EXISTS word text NOT NULL DEFAULT ''; -- the provider's own word for the status

ALTER TABLE statements
    ADD COLUMN IF NOT EXISTS complete   boolean NOT NULL DEFAULT false, -- whether it says that what it lacks does not exist there
    ADD COLUMN IF NOT EXISTS cut        boolean NOT NULL DEFAULT false, -- it lacks so much of ours that nothing of that is believed
    ADD COLUMN IF NOT EXISTS unreadable integer NOT NULL DEFAULT 0,     -- lines left aside, each a break
    ADD COLUMN IF NOT EXISTS total      numeric,                        -- of its lines' amounts; null: loaded before it was kept
    ADD COLUMN IF NOT EXISTS pruned_at  timestamptz;                    -- since when its lines are gone
UPDATE statements s SET pruned_at = now()
 WHERE s.lines > 0 AND s.pruned_at IS NULL AND s.id NOT IN (SELECT DISTINCT statement_id FROM statement_lines);

-- Lines of lists that could not be read: they are left aside, and the rest counts.
CREATE TABLE IF NOT EXISTS unreadable_lines (
    statement_id   uuid        NOT NULL,
    page           integer     NOT NULL,
    line           integer     NOT NULL, -- among the page's unreadable ones
    transaction_id text        COLLATE "C",
    at             timestamptz,
    body           text        NOT NULL, -- as it came, up to 4 KiB
    reason         text        NOT NULL,
    PRIMARY KEY (statement_id, page, line)
);

-- Absence and open statuses count once they have been seen again, and long enough.
ALTER TABLE breaks
    ADD COLUMN IF NOT EXISTS sightings integer NOT NULL DEFAULT 0, -- runs that saw it in a list that may be believed
    ADD COLUMN IF NOT EXISTS later_at  timestamptz,                -- when such a list first showed what is later than it
    DROP CONSTRAINT IF EXISTS breaks_kind,
    ADD CONSTRAINT breaks_kind
    CHECK (kind IN ('missing_here', 'missing_there', 'amount', 'status', 'currency', 'player', 'duplicate', 'unreadable')) NOT VALID;
ALTER TABLE breaks VALIDATE CONSTRAINT breaks_kind;

-- +goose Down
DELETE FROM breaks WHERE kind = 'unreadable';
ALTER TABLE breaks DROP CONSTRAINT breaks_kind;
ALTER TABLE breaks ADD CONSTRAINT breaks_kind
    CHECK (kind IN ('missing_here', 'missing_there', 'amount', 'status', 'currency', 'player', 'duplicate'));
ALTER TABLE breaks DROP sightings, DROP later_at;
DROP TABLE unreadable_lines;
ALTER TABLE statements DROP complete, DROP cut, DROP unreadable, DROP total, DROP pruned_at;
ALTER TABLE statement_lines DROP word;

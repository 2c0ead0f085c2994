-- +goose NO TRANSACTION
-- +goose Up
-- Names that only a machine's own files have stand for the zone itself; what localtime meant, nobody knows.
UPDATE allowances SET zone = CASE WHEN zone ~ '^(posix|right)/' THEN regexp_replace(zone, '^(posix|right)/', '') ELSE 'UTC' END
 WHERE zone ~ '^(posix|right)/' OR zone IN ('localtime', 'posixrules');

-- Where a platform has two ids for one bet: what was done has the key of one, its id; from the other leads a line.
CREATE TABLE IF NOT EXISTS bet_names (
    source text COLLATE "C" NOT NULL, -- the platform, and which of its ids the name is
    name   text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (source, name)
);

-- The id of a round comes again: the first round of an id counts how often, the n-th is kept under "id (n)".
ALTER TABLE rounds
    ADD COLUMN IF NOT EXISTS uses integer NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS last_at timestamptz;

-- +goose Down
ALTER TABLE rounds DROP COLUMN uses, DROP COLUMN last_at;
DROP TABLE bet_names;

-- Who this installation is. Redis may be shared with others: its keys carry this, and a claim there is held by
-- whoever has the generation and the token of this row, which no copy of the database has for long.
-- +goose Up
CREATE TABLE installation (
    one        boolean     PRIMARY KEY DEFAULT true CHECK (one),
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    made_at    timestamptz NOT NULL DEFAULT now(),
    generation bigint      NOT NULL DEFAULT 1,
    token      uuid        NOT NULL DEFAULT gen_random_uuid(),
    turned_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO installation DEFAULT VALUES;

-- +goose Down
DROP TABLE installation;

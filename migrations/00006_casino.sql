-- Games on the same ledger: the house's account for them, sessions, rounds, notices that are worked
-- off later, and what every callback was answered with.
-- +goose Up
INSERT INTO accounts (currency, kind)
SELECT DISTINCT currency, 'casino' FROM accounts WHERE player_id IS NULL
    ON CONFLICT DO NOTHING;

CREATE TABLE game_sessions (
    id         uuid        PRIMARY KEY,
    hash       bytea       NOT NULL, -- SHA-256 of the token the provider got; never the token
    player_id  uuid        NOT NULL,
    provider   text        NOT NULL,
    currency   text        NOT NULL,
    game_id    text        NOT NULL,
    mode       text        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    CONSTRAINT game_sessions_hash UNIQUE (hash),
    CONSTRAINT game_sessions_mode CHECK (mode IN ('real', 'demo'))
);
CREATE INDEX game_sessions_player ON game_sessions (player_id) WHERE ended_at IS NULL;

-- A row changes only while its player's cash account is locked, and no index names a column that
-- changes. At one table several players share a round: each has a row.
CREATE TABLE rounds (
    provider        text        COLLATE "C" NOT NULL,
    round_id        text        COLLATE "C" NOT NULL,
    player_id       uuid        NOT NULL,
    game_id         text        NOT NULL,
    parent_id       text,                 -- the round that won these free spins, or bought them
    bet_type        text,
    bets            integer     NOT NULL,
    rolled_back     integer     NOT NULL, -- of the bets
    wins            integer     NOT NULL,
    staked          bigint      NOT NULL, -- less what was rolled back; won likewise
    won             bigint      NOT NULL,
    bet_transaction text,                 -- the provider's own ids, where they are not the bet's
    win_transaction text,
    opened_at       timestamptz NOT NULL,
    closed_at       timestamptz,
    PRIMARY KEY (provider, round_id, player_id),
    CONSTRAINT rounds_counts CHECK (bets >= 0 AND rolled_back >= 0 AND rolled_back <= bets)
) WITH (fillfactor = 70);

-- Asynchronous callbacks: stored, acknowledged, and worked off by a job.
CREATE TABLE notices (
    id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider       text        NOT NULL,
    transaction_id text        COLLATE "C" NOT NULL,
    body           bytea       NOT NULL,
    callback_id    uuid        NOT NULL,
    state          text        NOT NULL DEFAULT 'pending',
    reason         text,
    rung           integer     NOT NULL DEFAULT 1, -- how often a job was asked for
    rung_at        timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    done_at        timestamptz,
    CONSTRAINT notices_once  UNIQUE (provider, transaction_id),
    CONSTRAINT notices_state CHECK (state IN ('pending', 'done', 'refused'))
);
CREATE INDEX notices_open ON notices (id) WHERE state = 'pending';

ALTER TABLE callbacks
    ADD COLUMN headers        jsonb,
    ADD COLUMN plain          bytea,   -- the body as decrypted, where it came encrypted
    ADD COLUMN answer         bytea,
    ADD COLUMN code           text,    -- what became of it: ok, repeat, or the refusal's code
    ADD COLUMN took_us        bigint,
    ADD COLUMN player_id      uuid,
    ADD COLUMN transaction_id uuid;

-- +goose Down
ALTER TABLE callbacks
    DROP COLUMN headers, DROP COLUMN plain, DROP COLUMN answer, DROP COLUMN code, DROP COLUMN took_us,
    DROP COLUMN player_id, DROP COLUMN transaction_id;
DROP TABLE notices, rounds, game_sessions;

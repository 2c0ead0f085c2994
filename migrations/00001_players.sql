-- Who has money here, who may call us, and who looks after it.
-- +goose Up
CREATE TABLE players (
    id          uuid        PRIMARY KEY,
    external_id text        NOT NULL,
    name        text        NOT NULL,
    email       text        NOT NULL,
    currency    text        NOT NULL,
    status      text        NOT NULL DEFAULT 'active',
    created_at  timestamptz NOT NULL,
    CONSTRAINT players_external_id UNIQUE (external_id),
    CONSTRAINT players_status      CHECK (status IN ('active', 'blocked', 'closed'))
);

CREATE TABLE player_tokens (
    hash       bytea       PRIMARY KEY, -- SHA-256 of the token; the token itself is never stored
    player_id  uuid        NOT NULL REFERENCES players (id),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE INDEX player_tokens_player ON player_tokens (player_id);

CREATE TABLE api_keys (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    hash       bytea       NOT NULL,
    scopes     text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT api_keys_hash UNIQUE (hash)
);
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

CREATE TABLE operators (
    id            uuid        PRIMARY KEY,
    email         text        NOT NULL,
    password_hash text        NOT NULL,
    role          text        NOT NULL,
    created_at    timestamptz NOT NULL,
    CONSTRAINT operators_email UNIQUE (email),
    CONSTRAINT operators_role  CHECK (role IN ('viewer', 'operator', 'finance', 'admin'))
);

CREATE TABLE activity_log (
    id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    event     text        NOT NULL,
    operator  text        NOT NULL DEFAULT '',
    player_id uuid,
    coupon_id uuid,
    comment   text        NOT NULL DEFAULT '',
    detail    jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX activity_log_player ON activity_log (player_id, id) WHERE player_id IS NOT NULL;

-- +goose Down
DROP TABLE activity_log, operators, api_keys, player_tokens, players;

-- Everyone else's books, where they differ from ours, and what was done about it.
-- +goose Up
CREATE TABLE statements (
    id          uuid        PRIMARY KEY,
    provider    text        NOT NULL,
    source      text        NOT NULL,
    window_from timestamptz NOT NULL,
    window_to   timestamptz NOT NULL,
    state       text        NOT NULL DEFAULT 'loading',
    cursor      text        NOT NULL DEFAULT '', -- where loading goes on; '' at the beginning
    pages       integer     NOT NULL DEFAULT 0,
    lines       bigint      NOT NULL DEFAULT 0,
    ours        bigint,
    matched     bigint,
    error       text,
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    CONSTRAINT statements_source CHECK (source IN ('api', 'file')),
    CONSTRAINT statements_state  CHECK (state IN ('loading', 'loaded', 'matched', 'failed'))
);
CREATE INDEX statements_provider ON statements (provider, started_at);

-- What a provider's list said, as it came.
CREATE TABLE statement_pages (
    statement_id uuid    NOT NULL,
    page         integer NOT NULL,
    body         bytea   NOT NULL, -- gzip
    PRIMARY KEY (statement_id, page)
);

-- Lines of a statement lie together and its ids grow: a block range index is all they need.
CREATE TABLE statement_lines (
    statement_id   uuid        NOT NULL,
    page           integer     NOT NULL,
    transaction_id text        COLLATE "C" NOT NULL,
    type           text        COLLATE "C" NOT NULL,
    player         text        COLLATE "C" NOT NULL,
    amount         bigint      NOT NULL,
    currency       text        COLLATE "C" NOT NULL,
    status         text        COLLATE "C" NOT NULL,
    at             timestamptz NOT NULL,
    round_id       text        COLLATE "C" NOT NULL,
    again          boolean     NOT NULL -- the same id and type stood on this page before
);
CREATE INDEX statement_lines_statement ON statement_lines USING brin (statement_id) WITH (pages_per_range = 16);

-- Up to where a provider's list has been held against our books, whole runs only.
CREATE TABLE watermarks (
    provider text        PRIMARY KEY,
    until    timestamptz NOT NULL
);

CREATE TABLE breaks (
    id             uuid        PRIMARY KEY,
    provider       text        NOT NULL,
    kind           text        NOT NULL,
    transaction_id text        COLLATE "C" NOT NULL,
    player         text        NOT NULL,
    currency       text        NOT NULL,
    amount         bigint      NOT NULL, -- what it is about
    ours           jsonb,
    theirs         jsonb,
    state          text        NOT NULL DEFAULT 'open',
    action         text        NOT NULL, -- what the policy says
    owner          text,
    at             timestamptz NOT NULL, -- of the transaction
    first_seen     timestamptz NOT NULL,
    last_seen      timestamptz NOT NULL,
    statement_id   uuid        NOT NULL, -- that saw it last
    healed_by      uuid,                 -- the ledger's transaction
    CONSTRAINT breaks_once  UNIQUE (provider, transaction_id, kind),
    CONSTRAINT breaks_kind  CHECK (kind IN ('missing_here', 'missing_there', 'amount', 'status', 'currency', 'player', 'duplicate')),
    CONSTRAINT breaks_state CHECK (state IN ('open', 'healing', 'resolved', 'ignored'))
);
CREATE INDEX breaks_open ON breaks (provider, at) WHERE state IN ('open', 'healing');

CREATE TABLE break_events (
    id       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    break_id uuid        NOT NULL,
    at       timestamptz NOT NULL,
    event    text        NOT NULL,
    operator text,
    comment  text
);
CREATE INDEX break_events_break ON break_events (break_id, id);

-- SHA-256 over each range of transfers and the seal before: a changed, missing or added row shows.
CREATE TABLE ledger_seals (
    n         bigint      PRIMARY KEY,
    after_id  uuid        NOT NULL, -- transactions after this
    until_id  uuid        NOT NULL, -- up to and with this
    transfers bigint      NOT NULL,
    hash      bytea       NOT NULL,
    sealed_at timestamptz NOT NULL
);
CREATE TRIGGER ledger_seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A day's books in one currency, as they stood at its end.
CREATE TABLE closings (
    day      date        NOT NULL,
    currency text        NOT NULL,
    item     text        NOT NULL, -- a kind of account, or provider/stakes, provider/payouts, provider/ggr
    ours     bigint      NOT NULL,
    theirs   bigint,              -- of the provider's own list; null where there was none
    seal     bigint      NOT NULL, -- the last seal then
    made_at  timestamptz NOT NULL,
    PRIMARY KEY (day, currency, item)
);

-- +goose Down
DROP TABLE closings, ledger_seals, break_events, breaks, watermarks, statement_lines, statement_pages, statements;

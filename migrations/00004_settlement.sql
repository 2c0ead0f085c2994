-- BeT's word on coupons, and what each word did. The inbox's state stands in no index, so that
-- applying a result updates the row in place; what is left to do is found through the chunks
-- (a row for up to some hundreds of results) and through attention (exceptions only).
-- +goose Up
CREATE TABLE callbacks (
    id       uuid        NOT NULL,
    at       timestamptz NOT NULL,
    provider text        NOT NULL,
    path     text        NOT NULL,
    source   text        NOT NULL, -- the caller's address
    body     bytea       NOT NULL,
    status   smallint    NOT NULL, -- our answer
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE callbacks_rest PARTITION OF callbacks DEFAULT;

CREATE TABLE results (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    bar_code    text        COLLATE "C" NOT NULL,
    decided_at  timestamptz NOT NULL,
    status      integer     NOT NULL,
    ext_status  integer     NOT NULL,
    amount_out  bigint,
    state       text        NOT NULL DEFAULT 'pending',
    attention   text,       -- why a later placement or a person must see to it
    reason      text,
    callback_id uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    CONSTRAINT results_once  UNIQUE NULLS NOT DISTINCT (bar_code, decided_at, status, ext_status, amount_out),
    CONSTRAINT results_state CHECK (state IN ('pending', 'applied', 'stale', 'duplicate', 'parked', 'refused'))
) WITH (fillfactor = 50);
CREATE INDEX results_attention ON results (id) WHERE attention IS NOT NULL;

CREATE TABLE result_chunks (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    result_ids bigint[]    NOT NULL,
    guarded    boolean     NOT NULL DEFAULT false, -- its push takes back too much: reversals wait for a person
    rung       integer     NOT NULL DEFAULT 1,     -- how often a job was asked for
    rung_at    timestamptz NOT NULL,
    done_at    timestamptz
);
CREATE INDEX result_chunks_open ON result_chunks (id) WHERE done_at IS NULL;

CREATE TABLE settlements (
    coupon_id      uuid        NOT NULL,
    n              integer     NOT NULL, -- 1, 2, 3, …
    result_id      bigint      NOT NULL,
    outcome        text        NOT NULL,
    payout_before  bigint      NOT NULL,
    payout_after   bigint      NOT NULL,
    transaction_id uuid,       -- null: the same payout, nothing moved
    operator       text,
    comment        text,
    at             timestamptz NOT NULL,
    PRIMARY KEY (coupon_id, n),
    CONSTRAINT settlements_outcome CHECK (outcome IN ('won', 'lost', 'refunded')),
    CONSTRAINT settlements_payout  CHECK (payout_before >= 0 AND payout_after >= 0)
);
CREATE TRIGGER settlements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON settlements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How much has been taken back from players in an hour: the blast-radius guard's memory.
CREATE TABLE reversal_hours (
    hour     timestamptz NOT NULL,
    currency text        NOT NULL,
    count    bigint      NOT NULL,
    amount   bigint      NOT NULL,
    PRIMARY KEY (hour, currency)
);

-- +goose Down
DROP TABLE reversal_hours, settlements, result_chunks, results, callbacks;

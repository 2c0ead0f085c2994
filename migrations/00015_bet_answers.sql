-- What BeT answered where the answer could not be taken, and the logins that processes share.
-- +goose Up
CREATE TABLE coupon_answers (
    coupon_id   uuid        PRIMARY KEY,
    bet_code    text        COLLATE "C", -- the code found in it; null: none
    http_status smallint    NOT NULL,    -- 0: none is known
    reason      text        NOT NULL,    -- why it could not be taken
    body        bytea       NOT NULL,    -- its beginning, as it came
    body_size   bigint      NOT NULL,    -- of the whole
    at          timestamptz NOT NULL,
    asked       integer     NOT NULL DEFAULT 0, -- how often BeT was asked about the code
    ask_at      timestamptz,             -- when it shall be asked; null: never
    told        text,                    -- what it said last
    told_at     timestamptz,
    CONSTRAINT coupon_answers_ask CHECK (ask_at IS NULL OR bet_code IS NOT NULL)
);
CREATE INDEX coupon_answers_ask  ON coupon_answers (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX coupon_answers_code ON coupon_answers (bet_code) WHERE bet_code IS NOT NULL;

-- One process logs in for all: the right to do so ends by itself, since its holder may die.
-- sealed is empty where there is no session.
ALTER TABLE provider_sessions
    ADD COLUMN login_key     bytea,       -- tells of which credentials the next three speak
    ADD COLUMN logins        integer     NOT NULL DEFAULT 0, -- since BeT last answered on a session
    ADD COLUMN login_at      timestamptz,
    ADD COLUMN login_refused boolean     NOT NULL DEFAULT false,
    ADD COLUMN claimed_by    text,
    ADD COLUMN claimed_until timestamptz;

-- +goose Down
ALTER TABLE provider_sessions
    DROP COLUMN login_key, DROP COLUMN logins, DROP COLUMN login_at, DROP COLUMN login_refused,
    DROP COLUMN claimed_by, DROP COLUMN claimed_until;
DROP TABLE coupon_answers;

-- A coupon and its way to BeT. Columns that a settlement changes stand in no index, so that
-- settling updates the row in place (HOT): open_since, not status, feeds the sweep's index.
-- +goose Up
CREATE TABLE coupons (
    id               uuid        PRIMARY KEY,
    player_id        uuid        NOT NULL,
    status           text        NOT NULL,
    currency         text        NOT NULL,
    stake            bigint      NOT NULL,
    sent_amount      bigint      NOT NULL, -- realAmount as BeT was told it: AmountOut counts in it
    nominal          boolean     NOT NULL, -- sent_amount is the fixed nominal, not the stake
    rate_mode        text        NOT NULL,
    lang             text        NOT NULL,
    pointers         text[]      NOT NULL,
    coef             bigint      NOT NULL, -- millionths: as asked for, then as accepted
    possible_win     bigint      NOT NULL,
    payout           bigint      NOT NULL DEFAULT 0,
    bet_code         text COLLATE "C",
    error_code       text,
    error_message    text,
    placed_at        timestamptz NOT NULL,
    answered_status  text,                 -- what the placement call was answered with
    open_since       timestamptz,          -- set while placing or unconfirmed
    settled_at       timestamptz,
    settlement_count integer     NOT NULL DEFAULT 0,
    decided_at       timestamptz,          -- DateRecive of the result that holds
    result_id        bigint,               -- that result
    CONSTRAINT coupons_status CHECK (status IN ('placing', 'accepted', 'rejected', 'unconfirmed',
                                                'won', 'lost', 'refunded', 'cancelled')),
    CONSTRAINT coupons_open   CHECK ((open_since IS NOT NULL) = (status IN ('placing', 'unconfirmed'))),
    CONSTRAINT coupons_code   CHECK (bet_code IS NOT NULL OR status IN ('placing', 'rejected', 'unconfirmed', 'cancelled')),
    CONSTRAINT coupons_money  CHECK (stake > 0 AND sent_amount > 0 AND payout >= 0 AND coef > 0 AND possible_win >= 0)
) WITH (fillfactor = 65);
CREATE UNIQUE INDEX coupons_bet_code ON coupons (bet_code) WHERE bet_code IS NOT NULL;
CREATE INDEX coupons_player ON coupons (player_id, id);
CREATE INDEX coupons_open   ON coupons (open_since) WHERE open_since IS NOT NULL;

CREATE TABLE selections (
    coupon_id  uuid     NOT NULL,
    position   smallint NOT NULL,
    pointer    text     NOT NULL,
    match_id   text     NOT NULL,
    teams      text     NOT NULL,
    tournament text     NOT NULL,
    bet_name   text     NOT NULL,
    coef       bigint   NOT NULL,
    live       boolean  NOT NULL,
    event_date timestamptz,
    PRIMARY KEY (coupon_id, position)
);

CREATE TABLE provider_sessions (
    provider   text        PRIMARY KEY,
    sealed     bytea       NOT NULL, -- cookies, AES-256-GCM under a key derived from the password
    updated_at timestamptz NOT NULL
);

-- +goose Down
DROP TABLE provider_sessions, selections, coupons;

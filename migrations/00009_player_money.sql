-- A player's two pockets, the bonuses that fill the second, the limits that hold both, and what was
-- put right by hand.
-- +goose Up
-- A statement that touched another number of rows than it must ends its transaction here, in the
-- database: who sends COMMIT in the same pipeline has no say any more.
-- +goose StatementBegin
CREATE FUNCTION must_touch(got bigint, want bigint, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF got <> want THEN
        RAISE EXCEPTION '% of % % written', got, want, what USING ERRCODE = 'EV001';
    END IF;
END
$$;
-- +goose StatementEnd

INSERT INTO accounts (currency, kind)
SELECT c.currency, k.kind
  FROM (SELECT DISTINCT currency FROM accounts WHERE player_id IS NULL) c, (VALUES ('promotions'), ('adjustments')) k (kind)
    ON CONFLICT DO NOTHING;

ALTER TABLE transactions
    ADD bonus_amount bigint,      -- the bonus pocket's part of amount
    ADD bonus_id     uuid,        -- the bonus the player had when the stake was made
    ADD contribution bigint,      -- towards its wagering; below zero where it is taken back
    ADD staked       bigint,      -- to what the player has staked; below zero where a stake comes back
    ADD effective_at timestamptz; -- when it counts towards limits; null: towards none
-- What happened in a round, or to a coupon, is asked for by support.
CREATE INDEX transactions_round  ON transactions (round_id, player_id) WHERE round_id IS NOT NULL;
CREATE INDEX transactions_coupon ON transactions (coupon_id) WHERE coupon_id IS NOT NULL;
-- The player's own history by what is rare in it; bets and wins are found by time.
CREATE INDEX transactions_rare ON transactions (player_id, id)
 WHERE kind NOT IN ('bet', 'win', 'bet_win', 'stake', 'payout', 'loss', 'refused', 'tombstone');

ALTER TABLE coupons
    ADD bonus_stake  bigint NOT NULL DEFAULT 0, -- the part of the stake that the bonus pocket paid
    ADD bonus_id     uuid,
    ADD contribution bigint NOT NULL DEFAULT 0, -- what it counts once it is won or lost
    ADD contributed  bigint NOT NULL DEFAULT 0; -- what it has counted so far

ALTER TABLE rounds
    ADD bonus_staked bigint NOT NULL DEFAULT 0,
    ADD bonus_id     uuid;

CREATE TABLE bonuses (
    id         uuid        PRIMARY KEY,
    player_id  uuid        NOT NULL,
    campaign   text        NOT NULL,
    status     text        NOT NULL,
    currency   text        NOT NULL,
    granted    bigint      NOT NULL,
    required   bigint      NOT NULL, -- stakes that complete it
    wagered    bigint      NOT NULL DEFAULT 0, -- once it has ended; while it is active its player's tally counts
    released   bigint      NOT NULL DEFAULT 0, -- what the pocket had when it was completed, with what came later
    converted  bigint      NOT NULL DEFAULT 0, -- of that, what became cash
    terms      jsonb       NOT NULL,
    operator   text        NOT NULL DEFAULT '',
    granted_at timestamptz NOT NULL,
    expires_at timestamptz,
    ended_at   timestamptz,
    CONSTRAINT bonuses_status CHECK (status IN ('active', 'completed', 'expired', 'forfeited')),
    CONSTRAINT bonuses_ended  CHECK ((status = 'active') = (ended_at IS NULL)),
    CONSTRAINT bonuses_money  CHECK (granted > 0 AND required >= 0 AND converted >= 0)
);
CREATE UNIQUE INDEX bonuses_active ON bonuses (player_id) WHERE status = 'active';
CREATE INDEX bonuses_player ON bonuses (player_id, id);
CREATE INDEX bonuses_ended  ON bonuses (player_id) WHERE status <> 'active';
CREATE INDEX bonuses_expiry ON bonuses (expires_at) WHERE status = 'active' AND expires_at IS NOT NULL;

-- What counts towards limits and wagering changes with every stake, so it stands in the row that every
-- stake writes: that of the player's cash. Null for players without an allowance.
ALTER TABLE accounts
    ADD tally_revision  integer,     -- of the allowance: another one means it has changed
    ADD tally_quarter   timestamptz, -- the quarter of an hour that the next three count
    ADD tally_deposited bigint,
    ADD tally_lost      bigint,
    ADD tally_staked    bigint,
    ADD tally_wagered   bigint;      -- towards the active bonus

-- One row for each player who has limits, or has had a bonus: what seldom changes of it. It changes only
-- while the player's cash account is locked.
CREATE TABLE allowances (
    player_id      uuid        PRIMARY KEY,
    bonus_id       uuid,                 -- the active bonus
    limits         bigint[]    NOT NULL, -- deposit, loss, wager, each daily, weekly, monthly; null: none
    waiting        jsonb,                -- changes that make it easier, and from when they hold
    zone           text        NOT NULL, -- IANA; where the player's days begin
    rolling        boolean     NOT NULL, -- the last 24 hours, 7 and 30 days instead of the calendar's
    excluded_until timestamptz,
    cooling_until  timestamptz,
    earlier        bigint[]    NOT NULL, -- deposited, lost, staked in the day, the week, the month up to that quarter
    since          timestamptz NOT NULL  -- counted from
) WITH (fillfactor = 70);

CREATE TABLE usage_quarters (
    player_id uuid        NOT NULL,
    quarter   timestamptz NOT NULL,
    deposited bigint      NOT NULL,
    lost      bigint      NOT NULL,
    staked    bigint      NOT NULL,
    PRIMARY KEY (player_id, quarter)
);

CREATE TABLE adjustments (
    id          uuid        PRIMARY KEY,
    reference   text        COLLATE "C" NOT NULL, -- one adjustment each
    player_id   uuid        NOT NULL,
    amount      bigint      NOT NULL,
    comment     text        NOT NULL,
    operator    text        NOT NULL,
    status      text        NOT NULL,
    decided_by  text,
    decision    text,
    created_at  timestamptz NOT NULL,
    decided_at  timestamptz,
    CONSTRAINT adjustments_reference UNIQUE (reference),
    CONSTRAINT adjustments_status    CHECK (status IN ('pending', 'posted', 'refused')),
    CONSTRAINT adjustments_comment   CHECK (comment <> ''),
    CONSTRAINT adjustments_two       CHECK (decided_by IS NULL OR decided_by <> operator OR status = 'refused')
);
CREATE INDEX adjustments_pending ON adjustments (id) WHERE status = 'pending';

-- What platforms say their games are, for bonuses whose stakes count by category.
CREATE TABLE games (
    provider text COLLATE "C" NOT NULL,
    code     text COLLATE "C" NOT NULL,
    category text NOT NULL,
    PRIMARY KEY (provider, code)
);

-- +goose Down
DROP TABLE games, adjustments, usage_quarters, allowances, bonuses;
ALTER TABLE accounts DROP tally_revision, DROP tally_quarter, DROP tally_deposited, DROP tally_lost, DROP tally_staked, DROP tally_wagered;
ALTER TABLE rounds DROP bonus_staked, DROP bonus_id;
ALTER TABLE coupons DROP bonus_stake, DROP bonus_id, DROP contribution, DROP contributed;
DROP INDEX transactions_rare, transactions_coupon, transactions_round;
DROP FUNCTION must_touch;
ALTER TABLE transactions DROP bonus_amount, DROP bonus_id, DROP contribution, DROP staked, DROP effective_at;

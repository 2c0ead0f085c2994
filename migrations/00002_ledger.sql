-- The one ledger. A transfer has one debit account, one credit account and one positive
-- amount: double entry by construction. Foreign keys are left out on purpose: each would lock
-- the house account's row for every bet (docs/decisions/0003); `evens audit` checks them.
-- +goose Up
CREATE TABLE accounts (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    player_id uuid,             -- null: the house's own, one per currency and kind
    currency  text   NOT NULL,
    kind      text   NOT NULL,
    balance   bigint,           -- ten-thousandths; null for the house, whose balance is the sum of its transfers
    version   bigint NOT NULL DEFAULT 0, -- how many transfers have touched a player's account
    CONSTRAINT accounts_balance CHECK ((player_id IS NULL) = (balance IS NULL)),
    CONSTRAINT accounts_kind    CHECK ((player_id IS NULL) = (kind NOT IN ('cash', 'bonus')))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX accounts_player ON accounts (player_id, kind) WHERE player_id IS NOT NULL;
CREATE UNIQUE INDEX accounts_house  ON accounts (currency, kind)  WHERE player_id IS NULL;

CREATE TABLE transactions (
    id           uuid        PRIMARY KEY,
    source       text        COLLATE "C" NOT NULL, -- compared byte by byte: it is looked up for every movement
    external_id  text        COLLATE "C" NOT NULL,
    kind         text        NOT NULL,
    player_id    uuid        NOT NULL,
    amount       bigint      NOT NULL, -- signed effect on the player's pockets together
    cash_after   bigint      NOT NULL, -- the player's balances when this was done
    bonus_after  bigint      NOT NULL,
    provider     text,
    game_id      text,
    round_id     text,
    coupon_id    uuid,
    payload_hash bytea       NOT NULL,
    operator     text,
    comment      text,
    at           timestamptz NOT NULL,
    CONSTRAINT transactions_key UNIQUE (source, external_id)
);
CREATE INDEX transactions_player ON transactions (player_id, id);

CREATE TABLE transfers (
    transaction_id  uuid        NOT NULL,
    leg             smallint    NOT NULL,
    debit_account   bigint      NOT NULL,
    credit_account  bigint      NOT NULL,
    amount          bigint      NOT NULL,
    balance_after   bigint,  -- of the player's account, where one is touched
    account_version bigint,  -- that account's version with this transfer: 1, 2, 3, … without a gap
    at              timestamptz NOT NULL,
    PRIMARY KEY (transaction_id, leg),
    CONSTRAINT transfers_amount   CHECK (amount > 0),
    CONSTRAINT transfers_accounts CHECK (debit_account <> credit_account)
);

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a caller's Idempotency-Key was first answered with.
CREATE TABLE requests (
    scope     text        COLLATE "C" NOT NULL,
    key       text        COLLATE "C" NOT NULL,
    hash      bytea       NOT NULL,
    coupon_id uuid,
    status    smallint,   -- null: the coupon tells
    answer    jsonb,
    at        timestamptz NOT NULL,
    PRIMARY KEY (scope, key)
);

-- +goose Down
DROP TABLE requests, transfers, transactions, accounts;
DROP FUNCTION refuse_change;

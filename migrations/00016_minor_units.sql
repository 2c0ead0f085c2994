-- +goose NO TRANSACTION
-- The unit that a settlement's payout was rounded to. Null: settled by a release that rounded to the
-- digits a currency is shown with (money.Currency.FormerMinorUnit), and rounded refunds too.
-- +goose Up
ALTER TABLE settlements
    ADD COLUMN IF NOT EXISTS unit bigint,
    DROP CONSTRAINT IF EXISTS settlements_unit,
    ADD CONSTRAINT settlements_unit CHECK (unit > 0) NOT VALID;
ALTER TABLE settlements VALIDATE CONSTRAINT settlements_unit;

-- +goose Down
ALTER TABLE settlements DROP COLUMN unit;

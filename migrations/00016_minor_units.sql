-- The unit that a settlement's payout was rounded to. Null: settled by a release that rounded to the
-- digits a currency is shown with (money.Currency.FormerMinorUnit), and rounded refunds too.
-- +goose Up
ALTER TABLE settlements ADD COLUMN unit bigint;
ALTER TABLE settlements ADD CONSTRAINT settlements_unit CHECK (unit > 0) NOT VALID;

-- +goose Down
ALTER TABLE settlements DROP COLUMN unit;

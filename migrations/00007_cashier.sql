-- Withdrawals that the payment gateway has yet to pay have an account of the house.
-- +goose Up
INSERT INTO accounts (currency, kind)
SELECT DISTINCT currency, 'withdrawals_held' FROM accounts WHERE player_id IS NULL
    ON CONFLICT DO NOTHING;

-- +goose Down
SELECT 1; -- an account that transfers name stays

-- +goose Up
-- A list may leave out when a coupon was decided, and what it pays: that is neither a time nor zero.
ALTER TABLE statement_lines
    ADD dated       boolean NOT NULL DEFAULT true, -- false: at is the epoch
    ADD amount_told boolean NOT NULL DEFAULT true; -- false: amount is 0

-- +goose Down
ALTER TABLE statement_lines DROP dated, DROP amount_told;

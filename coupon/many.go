package coupon

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"evens/internal/postgres"
)

// Index: coupons_pkey.
const readCoupons = `SELECT ` + couponColumns + ` FROM coupons WHERE id = ANY ($1)`

// Many returns the coupons of those ids, in no order. Unknown ids are left out.
func (s *Store) Many(ctx context.Context, ids []uuid.UUID) ([]Coupon, error) {
	rows, err := s.db.Pool.Query(ctx, readCoupons, postgres.UUIDs(ids))
	if err != nil {
		return nil, fmt.Errorf("read coupons: %w", err)
	}
	coupons, err := s.complete(ctx, rows)
	if err != nil {
		return nil, fmt.Errorf("read coupons: %w", err)
	}
	return coupons, nil
}

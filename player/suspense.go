package player

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/internal/postgres"
	"evens/wallet"
)

// Suspense ends what waits in the suspense account, on the word of an operator with the role finance or
// admin, who says why. It is safe for concurrent use.
type Suspense struct {
	db        *postgres.DB
	poster    *wallet.Poster
	operators *access.Operators
	now       func() time.Time
}

// NewSuspense returns the suspense account kept in db.
func NewSuspense(db *postgres.DB, poster *wallet.Poster, operators *access.Operators, now func() time.Time) *Suspense {
	return &Suspense{db: db, poster: poster, operators: operators, now: now}
}

func (s *Suspense) open(ctx context.Context, id uuid.UUID, operator, comment string) (row wallet.SuspenseRow, email string, err error) {
	if strings.TrimSpace(comment) == "" {
		return row, "", ErrNoComment
	}
	if email, err = adjuster(ctx, s.operators, operator); err != nil {
		return row, "", err
	}
	row, err = wallet.SuspenseByID(ctx, s.db, id)
	return row, email, err
}

// Assign books what waits to the player it belongs to: see [wallet.AssignSuspense].
func (s *Suspense) Assign(ctx context.Context, id, player uuid.UUID, operator, comment string, agree wallet.Agree) (wallet.SuspenseRow, error) {
	row, email, err := s.open(ctx, id, operator, comment)
	if err != nil {
		return row, err
	}
	end := wallet.SuspenseEnd{Row: row, Operator: email, Comment: comment, At: s.now(), Agree: agree}
	return row, wallet.AssignSuspense(ctx, s.poster, end, player)
}

// Close ends what waits without a player: see [wallet.CloseSuspense].
func (s *Suspense) Close(ctx context.Context, id uuid.UUID, outside bool, operator, comment string, agree wallet.Agree) (wallet.SuspenseRow, error) {
	row, email, err := s.open(ctx, id, operator, comment)
	if err != nil {
		return row, err
	}
	end := wallet.SuspenseEnd{Row: row, Operator: email, Comment: comment, At: s.now(), Agree: agree}
	return row, wallet.CloseSuspense(ctx, s.db, end, outside)
}

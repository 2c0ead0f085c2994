package coupon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"evens/internal/postgres"
)

// Sessions keeps BeT's session between processes, sealed by its client. It is a bet.SessionStore.
type Sessions struct {
	db  *postgres.DB
	now func() time.Time
}

// NewSessions returns the sessions kept in db.
func NewSessions(db *postgres.DB, now func() time.Time) *Sessions { return &Sessions{db: db, now: now} }

type sessionRow struct {
	Provider  string `gorm:"primaryKey"`
	Sealed    []byte
	UpdatedAt time.Time `gorm:"autoUpdateTime:false"`
}

func (sessionRow) TableName() string { return "provider_sessions" }

// Load returns what was saved last, nil when nothing was.
func (s *Sessions) Load(ctx context.Context) ([]byte, error) {
	row, err := gorm.G[sessionRow](s.db.Gorm).Where("provider = ?", Provider).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the bookmaker's session: %w", err)
	}
	return row.Sealed, nil
}

// Save keeps a session in place of the one before.
func (s *Sessions) Save(ctx context.Context, sealed []byte) error {
	row := sessionRow{Provider: Provider, Sealed: sealed, UpdatedAt: s.now()}
	err := s.db.Gorm.WithContext(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
	if err != nil {
		return fmt.Errorf("save the bookmaker's session: %w", err)
	}
	return nil
}

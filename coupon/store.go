package coupon

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/money"
)

// Store reads coupons. It is safe for concurrent use.
type Store struct{ db *postgres.DB }

// NewStore returns a store over db.
func NewStore(db *postgres.DB) *Store { return &Store{db: db} }

const couponColumns = `id, provider, player_id, status, currency, stake, sent_amount, nominal, rate_mode, lang, pointers,
	coef, possible_win, payout, coalesce(bet_code, ''), coalesce(error_code, ''), coalesce(error_message, ''),
	placed_at, coalesce(answered_status, ''), settled_at, bonus_stake, bonus_id, contribution, coalesce(sent_currency, currency)`

func scanCoupons(rows pgx.Rows) ([]Coupon, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Coupon, error) {
		var c Coupon
		var pointers []string
		var settled pgtype.Timestamptz
		err := row.Scan(&c.ID, &c.Provider, &c.Player, &c.Status, &c.Currency, &c.Stake, &c.sent, &c.nominal, &c.RateMode, &c.Lang,
			&pointers, &c.Coef, &c.PossibleWin, &c.Payout, &c.BetCode, &c.ErrorCode, &c.ErrorMessage,
			&c.PlacedAt, &c.answeredStatus, &settled, &c.bonusStake, &c.bonusID, &c.contribution, &c.sentCurrency)
		if err != nil {
			return Coupon{}, err
		}
		c.PlacedAt, c.SettledAt = c.PlacedAt.UTC(), postgres.Time(settled)
		parsed := make([]bet.Pointer, len(pointers))
		for i, text := range pointers {
			if parsed[i], err = bet.ParsePointer(text); err != nil {
				return Coupon{}, fmt.Errorf("coupon %s: %w", c.ID, err)
			}
		}
		c.Selections = asked(parsed)
		return c, nil
	})
}

// Index: coupons_pkey.
const readCoupon = `SELECT ` + couponColumns + ` FROM coupons WHERE id = $1`

// Get returns the coupon with its selections and every settlement, or ErrNotFound.
func (s *Store) Get(ctx context.Context, id uuid.UUID) (Coupon, error) {
	rows, err := s.db.Pool.Query(ctx, readCoupon, id)
	if err != nil {
		return Coupon{}, fmt.Errorf("read coupon %s: %w", id, err)
	}
	coupons, err := s.complete(ctx, rows)
	if err != nil {
		return Coupon{}, fmt.Errorf("read coupon %s: %w", id, err)
	}
	if len(coupons) == 0 {
		return Coupon{}, ErrNotFound
	}
	return coupons[0], nil
}

// Filter chooses coupons. Zero fields choose all.
type Filter struct {
	Player   uuid.NullUUID
	Status   Status
	From, To time.Time     // of placing: From included, To not
	Before   uuid.NullUUID // older than this coupon: the page before ended with it
	Limit    int           // rows at the most; 50 when zero
}

// Ids are UUIDv7, so their order is the order of placing. Index: coupons_player, coupons_pkey.
const listCoupons = `
	SELECT ` + couponColumns + `
	  FROM coupons
	 WHERE ($1::uuid IS NULL OR player_id = $1)
	   AND ($2::text = '' OR status = $2)
	   AND ($3::timestamptz IS NULL OR placed_at >= $3)
	   AND ($4::timestamptz IS NULL OR placed_at < $4)
	   AND ($5::uuid IS NULL OR id < $5)
	 ORDER BY id DESC
	 LIMIT $6`

// List returns coupons, newest first.
func (s *Store) List(ctx context.Context, filter Filter) ([]Coupon, error) {
	limit := filter.Limit
	if limit <= 0 {
		limit = 50
	}
	// Planned with its values each time: which index serves depends on which filters are set.
	rows, err := s.db.Pool.Query(ctx, listCoupons, pgx.QueryExecModeExec, filter.Player, string(filter.Status),
		postgres.NullTime(filter.From), postgres.NullTime(filter.To), filter.Before, limit)
	if err != nil {
		return nil, fmt.Errorf("list coupons: %w", err)
	}
	coupons, err := s.complete(ctx, rows)
	if err != nil {
		return nil, fmt.Errorf("list coupons: %w", err)
	}
	return coupons, nil
}

// complete collects coupons and reads their selections and settlements in one round trip.
func (s *Store) complete(ctx context.Context, rows pgx.Rows) ([]Coupon, error) {
	coupons, err := scanCoupons(rows)
	if err != nil || len(coupons) == 0 {
		return nil, err
	}
	byID := make(map[uuid.UUID]*Coupon, len(coupons))
	ids := make([]uuid.UUID, len(coupons))
	for i := range coupons {
		byID[coupons[i].ID], ids[i] = &coupons[i], coupons[i].ID
	}
	batch := &pgx.Batch{}
	batch.Queue(readSelections, postgres.UUIDs(ids)).Query(func(rows pgx.Rows) error { return scanSelections(rows, byID) })
	batch.Queue(readSettlements, postgres.UUIDs(ids)).Query(func(rows pgx.Rows) error { return scanSettlements(rows, byID) })
	return coupons, s.db.Pool.SendBatch(ctx, batch).Close()
}

// Index: selections_pkey.
const readSelections = `
	SELECT coupon_id, position, teams, tournament, bet_name, coef, event_date
	  FROM selections WHERE coupon_id = ANY ($1)`

func scanSelections(rows pgx.Rows, byID map[uuid.UUID]*Coupon) error {
	var id uuid.UUID
	var position int
	var teams, tournament, name string
	var coef money.Coef
	var date pgtype.Timestamptz
	_, err := pgx.ForEachRow(rows, []any{&id, &position, &teams, &tournament, &name, &coef, &date}, func() error {
		c := byID[id]
		if position < 0 || position >= len(c.Selections) {
			return fmt.Errorf("coupon %s has no selection %d", id, position)
		}
		selection := &c.Selections[position]
		selection.Teams, selection.Tournament, selection.BetName, selection.Coef = teams, tournament, name, coef
		if date.Valid {
			selection.EventDate = date.Time.UTC()
		}
		return nil
	})
	return err
}

// Index: settlements_pkey, results_pkey.
const readSettlements = `
	SELECT s.coupon_id, s.at, s.outcome, s.payout_before, s.payout_after, coalesce(r.status, 0), coalesce(r.ext_status, 0),
	       r.amount_out, r.decided_at
	  FROM settlements s LEFT JOIN results r ON r.id = s.result_id
	 WHERE s.coupon_id = ANY ($1)
	 ORDER BY s.coupon_id, s.n`

func scanSettlements(rows pgx.Rows, byID map[uuid.UUID]*Coupon) error {
	var id uuid.UUID
	var s Settlement
	var amount pgtype.Int8
	var decided pgtype.Timestamptz
	targets := []any{
		&id, &s.At, &s.Outcome, &s.PayoutBefore, &s.PayoutAfter, &s.Result.Status, &s.Result.ExtStatus, &amount, &decided,
	}
	_, err := pgx.ForEachRow(rows, targets, func() error {
		settled := s
		settled.At, settled.Result.DecidedAt = s.At.UTC(), postgres.Time(decided)
		settled.Result.AmountOut, settled.Result.HasAmount = money.Amount(amount.Int64), amount.Valid
		byID[id].Settlements = append(byID[id].Settlements, settled)
		return nil
	})
	return err
}

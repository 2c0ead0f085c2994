package wallet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/money"
)

// BonusView is a bonus as it stands.
type BonusView struct {
	Bonus
	Balance money.Amount // in the bonus pocket; 0 once it has ended
}

// GiveBonus grants a bonus in a shared commit. Refusals are those of [Batch.Grant], and
// ErrRequestConflict; the same request again is answered as at first.
func GiveBonus(ctx context.Context, poster *Poster, grant Grant, request Request) (BonusView, error) {
	var view BonusView
	work := &Work{Players: []uuid.UUID{grant.Player}, Request: request, Reader: grants, At: grant.At}
	work.Decide = func(batch *Batch) error {
		view = BonusView{}
		answered, err := batch.Answered(request)
		if err != nil {
			return err
		}
		if answered != nil {
			return json.Unmarshal(answered.Body, &view)
		}
		bonus, err := batch.Grant(grant)
		if err != nil {
			return err
		}
		view = BonusView{Bonus: *bonus, Balance: batch.Purse(grant.Player).Bonus.Balance}
		body, err := json.Marshal(view)
		if err != nil {
			return fmt.Errorf("keep the answer: %w", err)
		}
		batch.Remember(request, Answer{Status: http.StatusCreated, Body: body}, grant.At)
		return nil
	}
	if err := poster.Do(ctx, work); err != nil {
		return BonusView{}, err
	}
	return view, nil
}

// Forfeiture is an operator's word that a bonus ends. Agree is asked about what is taken back.
type Forfeiture struct {
	Player, Bonus     uuid.UUID
	Operator, Comment string
	At                time.Time
	Agree             Agree
}

// ForfeitBonus takes a player's active bonus back, on an operator's word. ErrNoBonus where it is not
// active (any more).
func ForfeitBonus(ctx context.Context, poster *Poster, f Forfeiture) error {
	work := &Work{Players: []uuid.UUID{f.Player}, At: f.At}
	work.Decide = func(batch *Batch) error {
		purse := batch.Purse(f.Player)
		if purse == nil {
			return ErrUnknownPlayer
		}
		before := purse.Bonus.Balance
		if err := batch.Forfeit(f.Player, f.Bonus, f.Operator, f.Comment, f.At); err != nil {
			return err
		}
		return batch.agreed(f.Agree, before-purse.Bonus.Balance, purse.Currency)
	}
	return poster.Do(ctx, work)
}

// Indexes: bonuses_player, accounts_player.
const listBonuses = `
	SELECT ` + bonusColumns + `, a.tally_wagered, p.balance
	  FROM bonuses b
	  LEFT JOIN accounts a ON a.player_id = b.player_id AND a.kind = 'cash' AND b.status = 'active'
	  LEFT JOIN accounts p ON p.player_id = b.player_id AND p.kind = 'bonus' AND b.status = 'active'
	 WHERE b.player_id = $1 AND ($2::uuid IS NULL OR b.id < $2)
	 ORDER BY b.id DESC
	 LIMIT $3`

// Bonuses lists a player's bonuses, newest first; before is the last of the page before.
func Bonuses(ctx context.Context, db *postgres.DB, player uuid.UUID, before uuid.NullUUID, limit int) ([]BonusView, error) {
	rows, err := db.Pool.Query(ctx, listBonuses, player, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list bonuses: %w", err)
	}
	views, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (BonusView, error) {
		var b bonusRow
		var progress, balance pgtype.Int8
		if err := row.Scan(append(b.targets(), &progress, &balance)...); err != nil {
			return BonusView{}, err
		}
		bonus, err := b.bonus()
		if err != nil {
			return BonusView{}, err
		}
		view := BonusView{Bonus: *bonus, Balance: money.Amount(balance.Int64)}
		if progress.Valid {
			view.Wagered = money.Amount(progress.Int64)
		}
		return view, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list bonuses: %w", err)
	}
	return views, nil
}

// Index: bonuses_expiry.
const readExpired = `
	SELECT player_id FROM bonuses WHERE status = 'active' AND expires_at <= $1 ORDER BY expires_at LIMIT $2`

// ExpireBonuses takes back the bonuses whose time is over, at most limit of them, and tells how many.
// A bonus is never played with after its time, whether this has run or not.
func ExpireBonuses(ctx context.Context, db *postgres.DB, poster *Poster, now time.Time, limit int) (int, error) {
	rows, err := db.Pool.Query(ctx, readExpired, now, limit)
	if err != nil {
		return 0, fmt.Errorf("list expired bonuses: %w", err)
	}
	players, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return 0, fmt.Errorf("list expired bonuses: %w", err)
	}
	for i, player := range players {
		work := &Work{Players: []uuid.UUID{player}, At: now}
		work.Decide = func(batch *Batch) error {
			if a := batch.allowances[player]; a != nil {
				return batch.lapse(a, now)
			}
			return nil
		}
		if err := poster.Do(ctx, work); err != nil {
			return i, fmt.Errorf("expire the bonus of player %s: %w", player, err)
		}
	}
	return len(players), nil
}

// UsageKept is for how long what has been used is kept by the quarter of an hour: no window reaches
// further back.
const UsageKept = keptUsage + 8*24*time.Hour

// ErrNoCampaign says that there is no campaign of that name.
var ErrNoCampaign = errors.New("no such campaign")

package wallet

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"evens/internal/dbclock"
	"evens/ledger"
	"evens/money"
)

// BonusSource is the source of the transactions that bonuses make; their external id is the bonus's,
// with what became of it.
const BonusSource = "bonus"

// Post records a transaction as [ledger.Book.Post] does, counts it towards the player's limits and
// wagering, and brings the player's bonus to where that leads: an expired one is taken back before, a
// wagered one is converted after, and what came of a stake that an ended bonus paid goes where that
// bonus went.
func (b *Batch) Post(t ledger.Transaction, moves ...ledger.Move) (posted *ledger.Transaction, fresh bool, err error) {
	return b.record(t, func() (*ledger.Transaction, bool, error) { return b.Book.Post(t, moves...) })
}

// Note records a transaction that moves nothing as [ledger.Book.Note] does, and counts it as Post does.
func (b *Batch) Note(t ledger.Transaction) (noted *ledger.Transaction, fresh bool, err error) {
	return b.record(t, func() (*ledger.Transaction, bool, error) { return b.Book.Note(t) })
}

func (b *Batch) record(t ledger.Transaction, write func() (*ledger.Transaction, bool, error)) (posted *ledger.Transaction, fresh bool, err error) {
	a := b.allowances[t.Player]
	if a == nil || b.Known(t.Key) != nil {
		return write()
	}
	if err := b.lapse(a, t.At); err != nil {
		return nil, false, err
	}
	if posted, fresh, err = write(); err != nil || !fresh {
		return posted, fresh, err
	}
	b.save(a)
	a.count(posted)
	return posted, true, b.progress(a, posted)
}

// progress does what a transaction means for the bonus behind it.
func (b *Batch) progress(a *allowance, t *ledger.Transaction) error {
	if !t.BonusID.Valid {
		return b.complete(a, t.At)
	}
	bonus := a.bonuses[t.BonusID.UUID]
	if bonus == nil { // whoever posts it has not asked for what it may follow: no pocket is guessed
		return fmt.Errorf("%s %s: its bonus %s has not been read", t.Source, t.ExternalID, t.BonusID.UUID)
	}
	if bonus == a.active {
		a.wagered = plus(a.wagered, t.Contribution)
		if t.Contribution != 0 {
			a.counted, a.turned = true, a.turned || a.stale
		}
		return b.complete(a, t.At)
	}
	if t.Contribution != 0 {
		b.change(bonus)
		bonus.Wagered = plus(bonus.Wagered, t.Contribution)
	}
	if err := b.follow(bonus, t); err != nil {
		return err
	}
	return b.reopen(a, bonus, t)
}

// complete ends the active bonus once it is wagered. A pocket that a correction left below zero is
// made good first.
func (b *Batch) complete(a *allowance, at time.Time) error {
	if a.active == nil || a.wagered < a.active.Required || b.Purse(a.player).Bonus.Balance < 0 {
		return nil
	}
	return b.end(a, BonusCompleted, "", "", at)
}

// lapse ends the active bonus once its time is over.
func (b *Batch) lapse(a *allowance, at time.Time) error {
	if a.active == nil || !a.active.expired(at) {
		return nil
	}
	return b.end(a, BonusExpired, "", "", at)
}

var endings = map[BonusStatus]ledger.Kind{
	BonusCompleted: ledger.BonusConversion, BonusExpired: ledger.BonusExpiry, BonusForfeited: ledger.BonusForfeiture,
}

// end ends the active bonus: the pocket is emptied, and what a completed one may convert becomes cash.
func (b *Batch) end(a *allowance, status BonusStatus, operator, comment string, at time.Time) error {
	bonus, left := a.active, b.Purse(a.player).Bonus.Balance
	b.save(a)
	b.change(bonus)
	bonus.Status, bonus.EndedAt, bonus.Wagered = status, at, a.wagered
	a.active, a.wagered, a.counted, a.turned = nil, 0, true, true
	moves := Split{Bonus: left}.Moves(ledger.Promotions)
	if status == BonusCompleted {
		bonus.Released, bonus.Converted = left, bonus.convertible(left)
		moves = append(moves, Split{Cash: -bonus.Converted}.Moves(ledger.Promotions)...)
	}
	b.tell(bonusEvent(bonus, operator, comment, at), false)
	if len(moves) == 0 {
		return nil
	}
	_, _, err := b.Book.Post(ledger.Transaction{
		Key: ledger.Key{Source: BonusSource, ExternalID: bonus.endID()}, Kind: endings[status], Player: bonus.Player,
		BonusID: uuid.NullUUID{UUID: bonus.ID, Valid: true}, Payload: ledger.HashOf(string(status)), Operator: operator, Comment: comment, At: at,
	}, moves...)
	return err
}

// follow sends what reached the pocket for an ended bonus after it: to cash, as far as its terms
// convert it, where it was completed; to the house where it was not. What left the pocket comes back
// from there.
func (b *Batch) follow(bonus *Bonus, t *ledger.Transaction) error {
	if t.Bonus == 0 {
		return nil
	}
	moves := Split{Bonus: t.Bonus}.Moves(ledger.Promotions)
	if bonus.Status == BonusCompleted {
		b.change(bonus)
		before := bonus.Converted
		bonus.Released = plus(bonus.Released, t.Bonus)
		bonus.Converted = bonus.convertible(bonus.Released)
		moves = append(moves, Split{Cash: before - bonus.Converted}.Moves(ledger.Promotions)...)
	}
	_, _, err := b.Book.Post(ledger.Transaction{
		Key: ledger.Key{Source: BonusSource, ExternalID: bonus.ID.String() + ":after:" + t.ID.String()}, Kind: ledger.BonusCorrection,
		Player: bonus.Player, BonusID: t.BonusID, Payload: ledger.HashOf(t.ID.String()), Coupon: t.Coupon, Game: t.Game, Round: t.Round,
		Comment: "the bonus was " + string(bonus.Status), At: t.At,
	}, moves...)
	return err
}

// Grant is a bonus that a player is to get.
type Grant struct {
	Player   uuid.UUID
	Currency money.Currency
	Amount   money.Amount // above zero
	Wagering money.Coef   // how many times it must be staked; not below zero
	Campaign string
	Terms    *Terms
	// ExpiresAt is when it is over; zero: never.
	ExpiresAt time.Time
	Operator  string
	At        time.Time
}

// Grant gives a player a bonus: ErrUnknownPlayer, ErrCurrency, ErrExcluded, or ErrBonusActive where
// there is one already; one that was played down to nothing ends by it.
func (b *Batch) Grant(g Grant) (*Bonus, error) {
	purse := b.Purse(g.Player)
	switch {
	case purse == nil:
		return nil, ErrUnknownPlayer
	case purse.Currency != g.Currency:
		return nil, ErrCurrency
	}
	a := b.allowances[g.Player]
	if a == nil {
		a = newAllowance(g.Player, g.At)
		b.allowances[g.Player] = a
	}
	if err := b.lapse(a, g.At); err != nil {
		return nil, err
	}
	switch {
	case !a.rules.barred(g.At).IsZero():
		return nil, ErrExcluded
	case a.active != nil && !b.playedDown(a):
		return nil, ErrBonusActive
	case a.active != nil:
		if err := b.end(a, BonusForfeited, "", playedDownComment, g.At); err != nil {
			return nil, err
		}
	}
	required, err := g.Amount.MulDiv(int64(g.Wagering), int64(money.One), 1)
	if err != nil {
		return nil, err
	}
	bonus := &Bonus{
		ID: dbclock.NewID(), Player: g.Player, Campaign: g.Campaign, Status: BonusActive, Currency: g.Currency, Granted: g.Amount,
		Required: required, Terms: g.Terms, Operator: g.Operator, GrantedAt: g.At, ExpiresAt: g.ExpiresAt,
	}
	_, _, err = b.Book.Post(ledger.Transaction{
		Key: ledger.Key{Source: BonusSource, ExternalID: bonus.ID.String() + ":grant"}, Kind: ledger.BonusGrant, Player: g.Player,
		BonusID: uuid.NullUUID{UUID: bonus.ID, Valid: true}, Payload: ledger.HashOf(g.Amount.String()), Operator: g.Operator, Comment: g.Campaign, At: g.At,
	}, ledger.Move{From: ledger.Promotions, To: ledger.Bonus, Amount: g.Amount})
	if err != nil {
		return nil, err
	}
	b.save(a)
	b.change(bonus)
	b.journal = append(b.journal, func() { delete(a.bonuses, bonus.ID) })
	a.active, a.bonuses[bonus.ID], a.wagered, a.counted, a.turned = bonus, bonus, 0, true, true
	b.tell(bonusEvent(bonus, g.Operator, "", g.At), false)
	return bonus, b.complete(a, g.At)
}

// Forfeit takes a player's active bonus back, or answers ErrNoBonus where that one is not active (any
// more).
func (b *Batch) Forfeit(player, id uuid.UUID, operator, comment string, at time.Time) error {
	a := b.allowances[player]
	if a == nil {
		return ErrNoBonus
	}
	if err := b.lapse(a, at); err != nil {
		return err
	}
	if a.active == nil || a.active.ID != id {
		return ErrNoBonus
	}
	return b.end(a, BonusForfeited, operator, comment, at)
}

// BonusActive reports whether that is the player's active bonus.
func (b *Batch) BonusActive(player uuid.UUID, id uuid.NullUUID) bool {
	a := b.allowances[player]
	return id.Valid && a != nil && a.active != nil && a.active.ID == id.UUID
}

// save remembers an allowance as it is, for a work that is refused later.
func (b *Batch) save(a *allowance) {
	before := *a
	b.journal = append(b.journal, func() { *a = before })
}

// change remembers a bonus as it is, and has it written.
func (b *Batch) change(bonus *Bonus) {
	before, listed := *bonus, b.changedBonuses[bonus.ID] != nil
	b.changedBonuses[bonus.ID] = bonus
	b.journal = append(b.journal, func() {
		*bonus = before
		if !listed {
			delete(b.changedBonuses, bonus.ID)
		}
	})
}

// undo takes the batch back to where a work began.
func (b *Batch) undo(mark, journal, told int) {
	b.Undo(mark)
	for i := len(b.journal) - 1; i >= journal; i-- {
		b.journal[i]()
	}
	b.journal = b.journal[:journal]
	b.events.undo(told)
}

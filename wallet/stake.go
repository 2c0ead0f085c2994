package wallet

import (
	"time"

	"github.com/google/uuid"

	"evens/ledger"
	"evens/money"
)

// Staking is a stake that a player wants to make.
type Staking struct {
	Player   uuid.UUID
	Currency money.Currency
	Wager
	// CashOnly keeps the bonus pocket out of it.
	CashOnly bool
	// Pays says that the stake is nothing and that the same instruction pays what has been won: no player
	// is barred from that.
	Pays bool
	// Before is what has been staked on the same round already: a bonus's largest stake is of both together.
	Before money.Amount
	// Provider and Reference say, in the activity log, which stake a limit refused.
	Provider  string
	Reference string
	At        time.Time
}

// Split says which pocket pays what of a sum.
type Split struct {
	Cash  money.Amount
	Bonus money.Amount
}

// Paid is how a stake is paid, and what it counts.
type Paid struct {
	Split
	// BonusID is the bonus that the player has.
	BonusID uuid.NullUUID
	// Contribution is what the stake counts towards its wagering.
	Contribution money.Amount
}

// Stake answers how a stake is paid, or why it is not taken: ErrUnknownPlayer, ErrCurrency,
// ErrPlayerBlocked, ErrExcluded, ErrInsufficientFunds, ErrBonusStake, or a *LimitError, which leaves a line in the
// activity log whatever becomes of the work. A purse below zero pays nothing. A stake of zero is a free
// spin, which an earlier bet has paid for: it is taken whatever the balance, and what it wins makes a debt
// smaller. The work must have asked for Statuses.
func (b *Batch) Stake(s Staking) (Paid, error) {
	purse := b.Purse(s.Player)
	switch {
	case purse == nil:
		return Paid{}, ErrUnknownPlayer
	case purse.Currency != s.Currency:
		return Paid{}, ErrCurrency
	case s.Pays && s.Stake == 0:
		return Paid{}, nil
	case b.statuses[s.Player] != Active:
		return Paid{}, ErrPlayerBlocked
	}
	a := b.allowances[s.Player]
	if a == nil {
		if s.Stake > purse.Cash.Balance && s.Stake > 0 {
			return Paid{}, ErrInsufficientFunds
		}
		return Paid{Split: Split{Cash: s.Stake}}, nil
	}
	if err := b.lapse(a, s.At); err != nil {
		return Paid{}, err
	}
	if !a.rules.barred(s.At).IsZero() {
		return Paid{}, ErrExcluded
	}
	if s.Stake == 0 {
		return Paid{}, nil
	}
	paid, err := b.pay(purse, a.active, s)
	if err != nil {
		return Paid{}, err
	}
	if exceeded := a.tightest(s.Stake, paid.Cash); exceeded != nil {
		b.tell(limitExceeded(s.Player, s.Provider, s.Reference, exceeded, s.At), true)
		return Paid{}, exceeded
	}
	return paid, nil
}

// tightest is the limit that a stake would exceed, the one with the least left.
func (a *allowance) tightest(stake, cash money.Amount) *LimitError {
	wager, loss := a.exceeds(Wagers, stake), a.exceeds(Losses, cash)
	if wager == nil || loss != nil && loss.Limit-loss.Used < wager.Limit-wager.Used {
		return loss
	}
	return wager
}

// pay splits a stake over the pockets in the house's order.
func (b *Batch) pay(purse *ledger.Purse, active *Bonus, s Staking) (Paid, error) {
	w := s.Wager
	paid := Paid{}
	cash, bonus := purse.Cash.Balance, money.Amount(0)
	if active != nil {
		paid.BonusID = uuid.NullUUID{UUID: active.ID, Valid: true}
		tooLarge := active.Terms.MaxStake > 0 && plus(w.Stake, s.Before) > active.Terms.MaxStake
		if !s.CashOnly && !tooLarge {
			bonus = active.pays(purse.Bonus.Balance, w)
		}
		var err error
		switch {
		case tooLarge && !s.CashOnly && cash >= 0 && cash < w.Stake && plus(cash, Playable(0, purse.Bonus.Balance, active, w, s.At)) >= w.Stake:
			return Paid{}, ErrBonusStake
		case tooLarge:
		default:
			paid.Contribution, err = active.Terms.contribution(w)
		}
		if err != nil {
			return Paid{}, err
		}
	}
	switch {
	case cash < 0 || plus(cash, bonus) < w.Stake:
		return Paid{}, ErrInsufficientFunds
	case b.bonusFirst:
		paid.Bonus = min(bonus, w.Stake)
		paid.Cash = w.Stake - paid.Bonus
	default:
		paid.Cash = min(cash, w.Stake)
		paid.Bonus = w.Stake - paid.Cash
	}
	return paid, nil
}

// pays is how much of a pocket may go into a wager.
func (b *Bonus) pays(pocket money.Amount, w Wager) money.Amount {
	if pocket <= 0 || b.Terms.rate(w) == 0 {
		return 0
	}
	return pocket
}

// Playable is what may be staked on a kind of wager, of a purse as it is: all of the cash, and the
// bonus where it may be played with. The wager's Stake is not asked for.
func Playable(cash, pocket money.Amount, active *Bonus, w Wager, at time.Time) money.Amount {
	if active == nil || active.expired(at) || cash < 0 {
		return cash
	}
	w.Stake = 0
	return plus(cash, active.pays(pocket, w))
}

// Playable is what a player may stake on a kind of wager now.
func (b *Batch) Playable(player uuid.UUID, w Wager, at time.Time) money.Amount {
	purse := b.Purse(player)
	var active *Bonus
	if a := b.allowances[player]; a != nil {
		active = a.active
	}
	return Playable(purse.Cash.Balance, purse.Bonus.Balance, active, w, at)
}

// Share splits what a stake gave, or gave back, as the stake was split: the bonus pocket's part is
// rounded half up to the currency's minor unit, the cash has the rest.
func Share(amount, stake, bonusStake money.Amount, currency money.Currency) (Split, error) {
	return ShareTo(amount, stake, bonusStake, currency.MinorUnit())
}

// ShareTo is Share with the bonus pocket's part rounded to a unit: what an earlier release shared is
// taken back as it was shared.
func ShareTo(amount, stake, bonusStake, unit money.Amount) (Split, error) {
	switch {
	case bonusStake <= 0 || stake <= 0:
		return Split{Cash: amount}, nil
	case amount == stake: // what comes back as it went comes back to the unit
		return Split{Cash: stake - bonusStake, Bonus: bonusStake}, nil
	case bonusStake >= stake:
		return Split{Bonus: amount}, nil
	}
	bonus, err := amount.MulDiv(int64(bonusStake), int64(stake), unit)
	if err != nil {
		return Split{}, err
	}
	bonus = min(bonus, amount)
	return Split{Cash: amount - bonus, Bonus: bonus}, nil
}

// Moves are the transfers of a split: from the pockets to an account of the house, or from it to them
// where an amount is below zero. Nothing moves nothing.
func (s Split) Moves(house ledger.AccountKind) []ledger.Move {
	var moves []ledger.Move
	for _, part := range []struct {
		pocket ledger.AccountKind
		amount money.Amount
	}{{ledger.Cash, s.Cash}, {ledger.Bonus, s.Bonus}} {
		switch {
		case part.amount > 0:
			moves = append(moves, ledger.Move{From: part.pocket, To: house, Amount: part.amount})
		case part.amount < 0:
			moves = append(moves, ledger.Move{From: house, To: part.pocket, Amount: -part.amount})
		}
	}
	return moves
}

// Back is the split that undoes s.
func (s Split) Back() Split { return Split{Cash: -s.Cash, Bonus: -s.Bonus} }

// Total is both parts together.
func (s Split) Total() money.Amount { return s.Cash + s.Bonus }

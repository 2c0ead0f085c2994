package wallet

import (
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"evens/ledger"
	"evens/money"
)

var sequences = flag.Int("sequences", 3000, "how many sequences of a player's life are tried; make property tries 200,000")

// Any sequence of what can happen to a player's money leaves pockets, progress and usage as a plain
// model has them, after every step.
func TestPlayerMoneyIsAPlainModel(t *testing.T) {
	t.Parallel()
	const most = 40
	if err := flag.Set("rapid.checks", fmt.Sprint(*sequences)); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		life := newLife(t)
		for range rapid.IntRange(1, most).Draw(t, "steps") {
			life.step()
		}
	})
}

// life is one player's, decided by the wallet and told to the model.
type life struct {
	*rapid.T
	now    time.Time
	batch  *Batch
	purse  *ledger.Purse
	stored map[time.Time]Usage // as the table of quarters would have it
	model  *plain
	stakes []*played
	n      int
}

// played is a stake with what became of it.
type played struct {
	coupon      bool
	transaction *ledger.Transaction // of a bet
	paid        Paid
	stake       money.Amount
	at          time.Time
	wins        []*ledger.Transaction
	gone        bool // rolled back or refunded
	settled     bool
	payout      money.Amount
	contributed money.Amount
}

const currency = money.Currency("USD")

func newLife(t *rapid.T) *life {
	purse := &ledger.Purse{Player: uuid.Must(uuid.NewV7()), Currency: currency, Cash: ledger.Account{ID: 1}, Bonus: ledger.Account{ID: 2}}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 60*24*40).Draw(t, "start")) * time.Minute)
	l := &life{T: t, now: start, purse: purse, stored: make(map[time.Time]Usage), model: newPlain()}
	l.batch = &Batch{
		Book: ledger.Blank(purse), statuses: map[uuid.UUID]Status{purse.Player: Active}, changedBonuses: make(map[uuid.UUID]*Bonus),
		allowances: map[uuid.UUID]*allowance{purse.Player: newAllowance(purse.Player, start)},
		bonusFirst: rapid.Bool().Draw(t, "bonus first"), byKey: make(map[any]RowSet),
	}
	l.model.first = l.batch.bonusFirst
	return l
}

func (l *life) allowance() *allowance { return l.batch.allowances[l.purse.Player] }

func (l *life) key() ledger.Key {
	l.n++
	return ledger.Key{Source: "test", ExternalID: fmt.Sprint(l.n)}
}

func (l *life) amount(label string) money.Amount {
	return money.Amount(rapid.Int64Range(1, 30_000).Draw(l.T, label)) * 10 // to a tenth of a cent
}

// step does one thing as a work of its own: refused, it is undone.
func (l *life) step() {
	if rapid.IntRange(0, 2).Draw(l.T, "wait") == 0 {
		l.now = l.now.Add(time.Duration(rapid.IntRange(0, 60*36).Draw(l.T, "minutes")) * time.Minute)
	}
	l.load()
	doings := []struct {
		name string
		do   func() error
	}{
		{"deposit", l.deposit}, {"withdraw", l.withdraw}, {"bet", l.bet}, {"bet", l.bet}, {"coupon", l.place}, {"win", l.win}, {"spin", l.spin},
		{"rollback", l.rollback}, {"undo win", l.undoWin}, {"settle", l.settle}, {"settle", l.settle}, {"limits", l.limit}, {"grant", l.grant}, {"forfeit", l.forfeit},
	}
	doing := doings[rapid.IntRange(0, len(doings)-1).Draw(l.T, "doing")]
	mark, journal, told, before := l.batch.Mark(), len(l.batch.journal), len(l.batch.events), l.model.clone()
	err := doing.do()
	if err != nil {
		l.batch.undo(mark, journal, told)
		l.model = before
	}
	l.store()
	l.agree(doing.name, err)
}

// store and load do what the database does between two works.
func (l *life) store() {
	a := l.allowance()
	for _, past := range a.past {
		sum := l.stored[past.quarter]
		sum.add(past.Usage)
		l.stored[past.quarter] = sum
	}
	a.past = nil
}

func (l *life) load() {
	a := l.allowance()
	var kept []pastUsage
	if Quarter(l.now).After(a.quarter) {
		for at, usage := range l.stored {
			if !at.Before(Quarter(l.now).Add(-keptUsage)) {
				kept = append(kept, pastUsage{at, usage})
			}
		}
	}
	a.turn(l.now, kept)
}

func (l *life) agree(doing string, refusal error) {
	a, m := l.allowance(), l.model
	if l.purse.Cash.Balance != m.cash || l.purse.Bonus.Balance != m.bonus {
		l.Fatalf("after %s (%v): cash %s, bonus %s; the model has %s and %s", doing, refusal, l.purse.Cash.Balance, l.purse.Bonus.Balance, m.cash, m.bonus)
	}
	if (a.active == nil) != (m.active == nil) {
		l.Fatalf("after %s (%v): active bonus %v, the model's %v", doing, refusal, a.active, m.active)
	}
	if a.active != nil && a.wagered != m.active.wagered {
		l.Fatalf("after %s: wagered %s, the model has %s", doing, a.wagered, m.active.wagered)
	}
	for id, bonus := range a.bonuses {
		if plain := m.bonuses[id]; bonus.Status != plain.status || bonus != a.active && (bonus.Wagered != plain.wagered || bonus.Converted != plain.converted) {
			l.Fatalf("after %s: bonus %s wagered %s converted %s; the model has %+v", doing, bonus.Status, bonus.Wagered, bonus.Converted, plain)
		}
	}
	for measure := range measures {
		for period := range periods {
			if used, plain := a.used(measure, period), m.used(measure, period, l.now); used != plain {
				l.Fatalf("after %s: %s %s used %s, the model has %s", doing, period, measure, used, plain)
			}
		}
	}
}

// same compares a refusal with the model's.
func (l *life) same(doing string, err error, refusal string) error {
	got := ""
	if limit, ok := errors.AsType[*LimitError](err); ok {
		got = limit.Measure.String()
	} else if err != nil {
		got = err.Error()
	}
	if got != refusal {
		l.Fatalf("%s: %q, the model says %q", doing, got, refusal)
	}
	return err
}

func (l *life) deposit() error {
	cash := Cash{Player: l.purse.Player, Amount: l.amount("deposit"), Currency: currency, TransactionID: l.key().ExternalID, At: l.now}
	err := l.batch.mayMove(l.purse, cash, ledger.Deposit)
	if l.same("deposit", err, l.model.mayDeposit(cash.Amount, l.now)) != nil {
		return err
	}
	_, _, err = l.batch.Post(ledger.Transaction{Key: l.key(), Kind: ledger.Deposit, Player: cash.Player, At: l.now, Effective: l.now},
		ledger.Move{From: ledger.Cashier, To: ledger.Cash, Amount: cash.Amount})
	l.model.lapse(l.now)
	l.model.cash += cash.Amount
	l.model.count(l.now, Usage{Deposits: cash.Amount})
	l.model.complete()
	return err
}

func (l *life) withdraw() error {
	cash := Cash{Player: l.purse.Player, Amount: l.amount("withdrawal"), Currency: currency, TransactionID: l.key().ExternalID, At: l.now}
	short := ""
	if l.model.cash < cash.Amount {
		short = ErrInsufficientFunds.Error()
	}
	err := l.batch.mayMove(l.purse, cash, ledger.Withdrawal)
	if l.same("withdraw", err, short) != nil {
		return err
	}
	if err := l.batch.forfeitByWithdrawal(cash); err != nil {
		l.Fatalf("forfeit by withdrawal: %v", err)
	}
	l.model.lapse(l.now)
	l.model.end(BonusForfeited)
	_, _, err = l.batch.Post(ledger.Transaction{Key: l.key(), Kind: ledger.Withdrawal, Player: cash.Player, At: l.now},
		ledger.Move{From: ledger.Cash, To: ledger.Cashier, Amount: cash.Amount})
	l.model.cash -= cash.Amount
	return err
}

func (l *life) wager(sports bool) Wager {
	w := Wager{Sports: sports, Stake: l.amount("stake")}
	if sports {
		w.Coef = money.Coef(rapid.Int64Range(101, 300).Draw(l.T, "coef")) * 10_000
	} else {
		w.Category = rapid.SampledFrom([]string{"slots", "table", "live", "bingo", ""}).Draw(l.T, "category")
	}
	return w
}

// stake asks both whether a stake is taken, and how it is paid.
func (l *life) stake(w Wager) (Paid, error) {
	paid, err := l.batch.Stake(Staking{Player: l.purse.Player, Currency: currency, Wager: w, At: l.now})
	expected, refusal := l.model.stake(w, l.now)
	if l.same("stake", err, refusal) != nil {
		return Paid{}, err
	}
	if paid.Split != expected.Split || paid.Contribution != expected.Contribution {
		l.Fatalf("stake of %s is paid %+v, the model says %+v", w.Stake, paid, expected)
	}
	return paid, nil
}

func (l *life) bet() error {
	w := l.wager(false)
	paid, err := l.stake(w)
	if err != nil {
		return err
	}
	t, _, err := l.batch.Post(ledger.Transaction{
		Key: l.key(), Kind: ledger.Bet, Player: l.purse.Player, BonusID: paid.BonusID, Contribution: paid.Contribution, Staked: w.Stake, Effective: l.now, At: l.now,
	}, paid.Moves(ledger.Casino)...)
	l.stakes = append(l.stakes, &played{transaction: t, paid: paid, stake: w.Stake, at: l.now})
	l.model.move(l.now, l.now, paid.BonusID.UUID, paid.Back(), w.Stake, paid.Contribution)
	return err
}

// spin is a bet and its win in one instruction, as TG has it.
func (l *life) spin() error {
	w, win := l.wager(false), l.amount("win")*money.Amount(rapid.IntRange(0, 2).Draw(l.T, "times"))
	paid, err := l.stake(w)
	if err != nil {
		return err
	}
	won, err := Share(win, w.Stake, paid.Bonus, currency)
	if err != nil {
		return err
	}
	net := Split{Cash: won.Cash - paid.Cash, Bonus: won.Bonus - paid.Bonus}
	t, _, err := l.batch.Post(ledger.Transaction{
		Key: l.key(), Kind: ledger.BetWin, Player: l.purse.Player, BonusID: paid.BonusID, Contribution: paid.Contribution, Staked: w.Stake, Effective: l.now, At: l.now,
	}, append(paid.Moves(ledger.Casino), won.Back().Moves(ledger.Casino)...)...)
	l.stakes = append(l.stakes, &played{transaction: t, paid: paid, stake: w.Stake, at: l.now, settled: true})
	l.model.move(l.now, l.now, paid.BonusID.UUID, net, w.Stake, paid.Contribution)
	return err
}

func (l *life) place() error {
	w := l.wager(true)
	paid, err := l.stake(w)
	if err != nil {
		return err
	}
	_, _, err = l.batch.Post(ledger.Transaction{
		Key: l.key(), Kind: ledger.Stake, Player: l.purse.Player, BonusID: paid.BonusID, Staked: w.Stake, Effective: l.now, At: l.now,
	}, paid.Moves(ledger.StakesHeld)...)
	l.stakes = append(l.stakes, &played{coupon: true, paid: paid, stake: w.Stake, at: l.now})
	l.model.move(l.now, l.now, paid.BonusID.UUID, paid.Back(), w.Stake, 0)
	return err
}

func (l *life) pick(fits func(*played) bool) *played {
	var fitting []*played
	for _, p := range l.stakes {
		if fits(p) {
			fitting = append(fitting, p)
		}
	}
	if len(fitting) == 0 {
		return nil
	}
	return fitting[rapid.IntRange(0, len(fitting)-1).Draw(l.T, "which")]
}

func (l *life) win() error {
	p := l.pick(func(p *played) bool { return !p.coupon && !p.gone && !p.settled })
	if p == nil {
		return nil
	}
	amount := l.amount("win") * 3
	won, err := Share(amount, p.stake, p.paid.Bonus, currency)
	if err != nil {
		return err
	}
	t, _, err := l.batch.Post(ledger.Transaction{Key: l.key(), Kind: ledger.Win, Player: l.purse.Player, BonusID: p.paid.BonusID, Effective: l.now, At: l.now},
		won.Back().Moves(ledger.Casino)...)
	p.wins = append(p.wins, t)
	l.model.move(l.now, l.now, p.paid.BonusID.UUID, won, 0, 0)
	return err
}

// undo takes an instruction back as a rollback does.
func (l *life) undo(t *ledger.Transaction) error {
	back := Split{Cash: t.Cash(), Bonus: t.Bonus}
	undo := ledger.Transaction{
		Key: l.key(), Kind: ledger.Rollback, Player: l.purse.Player, BonusID: t.BonusID, Contribution: -t.Contribution, Staked: -t.Staked, Effective: t.Effective, At: l.now,
	}
	var err error
	if moves := back.Moves(ledger.Casino); len(moves) > 0 {
		_, _, err = l.batch.Post(undo, moves...)
	} else {
		_, _, err = l.batch.Note(undo)
	}
	l.model.move(l.now, t.Effective, t.BonusID.UUID, back.Back(), -t.Staked, -t.Contribution)
	return err
}

func (l *life) rollback() error {
	p := l.pick(func(p *played) bool { return !p.coupon && !p.gone && len(p.wins) == 0 })
	if p == nil {
		return nil
	}
	p.gone = true
	return l.undo(p.transaction)
}

func (l *life) undoWin() error {
	p := l.pick(func(p *played) bool { return len(p.wins) > 0 })
	if p == nil {
		return nil
	}
	last := p.wins[len(p.wins)-1]
	p.wins = p.wins[:len(p.wins)-1]
	return l.undo(last)
}

// settle gives a coupon a result, or another one than it had.
func (l *life) settle() error {
	p := l.pick(func(p *played) bool { return p.coupon })
	if p == nil {
		return nil
	}
	payout, counts := money.Amount(0), p.paid.Contribution
	switch rapid.SampledFrom([]string{"lost", "won", "refunded"}).Draw(l.T, "result") {
	case "won":
		payout = l.amount("payout") * 3
	case "refunded":
		payout, counts = p.stake, 0
	}
	shall, err := Share(payout, p.stake, p.paid.Bonus, currency)
	if err != nil {
		return err
	}
	before, err := Share(p.payout, p.stake, p.paid.Bonus, currency)
	if err != nil {
		return err
	}
	if counts > p.contributed && !l.batch.BonusActive(l.purse.Player, p.paid.BonusID) {
		counts = p.contributed
	}
	change := Split{Cash: shall.Cash - before.Cash, Bonus: shall.Bonus - before.Bonus}
	moves := change.Back().Moves(ledger.Sportsbook)
	if p.settled && len(moves) == 0 {
		return nil
	}
	if !p.settled {
		moves = append(moves, ledger.Move{From: ledger.StakesHeld, To: ledger.Sportsbook, Amount: p.stake})
	}
	_, _, err = l.batch.Post(ledger.Transaction{
		Key: l.key(), Kind: ledger.Resettlement, Player: l.purse.Player, BonusID: p.paid.BonusID, Contribution: counts - p.contributed, Effective: p.at, At: l.now,
	}, moves...)
	l.model.move(l.now, p.at, p.paid.BonusID.UUID, change, 0, counts-p.contributed)
	p.settled, p.payout, p.contributed = true, payout, counts
	return err
}

func (l *life) grant() error {
	terms := &Terms{
		Games: map[string]Rate{"slots": Whole, "table": 1000, "live": Rate(rapid.Int64Range(0, 10_000).Draw(l.T, "live"))}, Other: Rate(rapid.Int64Range(0, 1).Draw(l.T, "other")) * Whole,
		Sports: 5000, MinCoef: 1_500_000, MaxStake: money.Amount(rapid.Int64Range(0, 1).Draw(l.T, "max stake")) * 20 * money.Scale,
		MaxConversion: money.Amount(rapid.Int64Range(0, 1).Draw(l.T, "max conversion")) * 10 * money.Scale,
	}
	g := Grant{
		Player: l.purse.Player, Currency: currency, Amount: l.amount("bonus"), Wagering: money.Coef(rapid.Int64Range(1, 30).Draw(l.T, "wagering")) * money.One / 10,
		Terms: terms, At: l.now,
	}
	if rapid.Bool().Draw(l.T, "expires") {
		g.ExpiresAt = l.now.Add(time.Duration(rapid.IntRange(1, 60*72).Draw(l.T, "life")) * time.Minute)
	}
	bonus, err := l.batch.Grant(g)
	l.model.lapse(l.now)
	refusal := ""
	switch {
	case l.model.barred(l.now):
		refusal = ErrExcluded.Error()
	case l.model.active != nil:
		refusal = ErrBonusActive.Error()
	}
	if l.same("grant", err, refusal) != nil {
		return err
	}
	l.model.bonus += g.Amount
	l.model.active = &plainBonus{status: BonusActive, required: g.Amount * money.Amount(g.Wagering) / money.Amount(money.One), terms: terms, expires: g.ExpiresAt}
	l.model.bonuses[bonus.ID] = l.model.active
	l.model.active.id = bonus.ID
	l.model.complete()
	return nil
}

func (l *life) forfeit() error {
	a := l.allowance()
	if a.active == nil {
		return nil
	}
	id := a.active.ID
	over := a.active.expired(l.now)
	err := l.batch.Forfeit(l.purse.Player, id, "ana", "a test", l.now)
	if over {
		return l.same("forfeit", err, ErrNoBonus.Error())
	}
	l.model.end(BonusForfeited)
	return l.same("forfeit", err, "")
}

func (l *life) limit() error {
	var wish Wish
	measure, period := Measure(rapid.IntRange(0, int(measures)-1).Draw(l.T, "measure")), Period(rapid.IntRange(0, int(periods)-1).Draw(l.T, "period"))
	wished := Cap{}
	if rapid.IntRange(0, 3).Draw(l.T, "removal") > 0 {
		wished = Cap{Amount: l.amount("limit") * 4, Set: true}
	}
	wish.Caps[measure][period] = &wished
	switch rapid.IntRange(0, 15).Draw(l.T, "more") {
	case 0:
		zone, rolling := rapid.SampledFrom([]string{"UTC", "Asia/Kathmandu", "America/Noronha"}).Draw(l.T, "zone"), rapid.Bool().Draw(l.T, "rolling")
		wish.Zone, wish.Rolling = &zone, &rolling
	case 1:
		until := l.now.Add(time.Duration(rapid.IntRange(1, 48*60).Draw(l.T, "excluded")) * time.Minute)
		wish.ExcludedUntil = &until
	case 2:
		until := l.now.Add(time.Duration(rapid.IntRange(1, 48*60).Draw(l.T, "cooling")) * time.Minute)
		wish.CoolingUntil = &until
	}
	err := l.batch.reword(l.purse.Player, wish, l.now, RaiseAfter, "ana", "")
	if err = l.same("limit", err, l.model.wish(wish, measure, period, wished, l.now)); err == nil {
		l.store()
		l.load() // a calendar that changed is summed up with the next look
	}
	return err
}

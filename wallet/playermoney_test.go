package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/settlement/booktest"
	"evens/wallet"
	"evens/wallet/campaign"
)

// purse is a player who stakes on games, without a platform in between.
type purse struct {
	*bank
	id uuid.UUID
	n  int
}

func (b *bank) purse(cash string) *purse { return &purse{bank: b, id: b.player(cash)} }

func (p *purse) key() ledger.Key {
	p.n++
	return ledger.Key{Source: "game", ExternalID: fmt.Sprintf("%s-%d", p.id, p.n)}
}

// bet stakes on a game of a category at a time.
func (p *purse) bet(category, stake string, when time.Time) (*ledger.Transaction, error) {
	p.t.Helper()
	return p.betKeyed(p.key(), category, stake, when)
}

func (p *purse) betKeyed(key ledger.Key, category, stake string, when time.Time) (*ledger.Transaction, error) {
	var posted *ledger.Transaction
	work := &wallet.Work{Players: []uuid.UUID{p.id}, Keys: []ledger.Key{key}, Statuses: true, At: when}
	work.Decide = func(batch *wallet.Batch) error {
		amount := money.MustParse(stake)
		paid, err := batch.Stake(wallet.Staking{
			Player: p.id, Currency: "USD", Wager: wallet.Wager{Category: category, Stake: amount}, Provider: "game", Reference: key.ExternalID, At: when,
		})
		if err != nil {
			return err
		}
		posted, _, err = batch.Post(ledger.Transaction{
			Key: key, Kind: ledger.Bet, Provider: key.Source, Player: p.id, BonusID: paid.BonusID, Contribution: paid.Contribution, Staked: amount, Effective: when, At: when,
			Payload: ledger.HashOf(stake),
		}, paid.Moves(ledger.Casino)...)
		return err
	}
	return posted, p.poster.Do(context.Background(), work)
}

// win pays what a bet won, split as it was.
func (p *purse) win(bet *ledger.Transaction, amount string, when time.Time) *ledger.Transaction {
	p.t.Helper()
	split, err := wallet.Share(money.MustParse(amount), bet.Staked, -bet.Bonus, "USD")
	if err != nil {
		p.t.Fatal(err)
	}
	return p.post(ledger.Transaction{Kind: ledger.Win, BonusID: bet.BonusID, Effective: when, At: when}, split.Back().Moves(ledger.Casino)...)
}

// rollback takes an instruction back.
func (p *purse) rollback(of *ledger.Transaction, when time.Time) *ledger.Transaction {
	p.t.Helper()
	return p.post(ledger.Transaction{
		Key:  ledger.Key{Source: of.Source + ":rollback", ExternalID: of.ExternalID},
		Kind: ledger.Rollback, BonusID: of.BonusID, Contribution: -of.Contribution, Staked: -of.Staked, Effective: of.Effective, At: when,
	}, wallet.Split{Cash: of.Cash(), Bonus: of.Bonus}.Moves(ledger.Casino)...)
}

func (p *purse) post(t ledger.Transaction, moves ...ledger.Move) *ledger.Transaction {
	p.t.Helper()
	if t.Player = p.id; t.Key == (ledger.Key{}) {
		t.Key = p.key()
	}
	t.Provider, _, _ = strings.Cut(t.Source, ":")
	var posted *ledger.Transaction
	work := &wallet.Work{Players: []uuid.UUID{p.id}, Keys: []ledger.Key{t.Key}, At: t.At}
	work.Decide = func(batch *wallet.Batch) (err error) {
		posted, _, err = batch.Post(t, moves...)
		return err
	}
	if err := p.poster.Do(p.t.Context(), work); err != nil {
		p.t.Fatal(err)
	}
	return posted
}

func (p *purse) mustBet(category, stake string, when time.Time) *ledger.Transaction {
	p.t.Helper()
	bet, err := p.bet(category, stake, when)
	if err != nil {
		p.t.Fatalf("a stake of %s on %s: %v", stake, category, err)
	}
	return bet
}

// has checks both pockets.
func (p *purse) has(cash, bonus string) {
	p.t.Helper()
	balance, err := p.players.Balance(p.t.Context(), p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	if balance.Cash.String() != cash || balance.Bonus.String() != bonus {
		p.t.Fatalf("cash %s, bonus %s; want %s and %s", balance.Cash, balance.Bonus, cash, bonus)
	}
}

func (p *purse) grant(amount, wagering string, change func(*wallet.Grant)) wallet.BonusView {
	p.t.Helper()
	multiplier, err := money.ParseCoef(wagering)
	if err != nil {
		p.t.Fatal(err)
	}
	grant := wallet.Grant{Player: p.id, Currency: "USD", Amount: money.MustParse(amount), Wagering: multiplier, Terms: wallet.OpenTerms(), At: at}
	if change != nil {
		change(&grant)
	}
	bonus, err := wallet.GiveBonus(p.t.Context(), p.poster, grant, wallet.Request{})
	if err != nil {
		p.t.Fatal(err)
	}
	return bonus
}

// newest is the player's newest bonus as it stands.
func (p *purse) forfeit(id uuid.UUID, comment string, when time.Time) error {
	return wallet.ForfeitBonus(p.t.Context(), p.poster, wallet.Forfeiture{Player: p.id, Bonus: id, Operator: "ana", Comment: comment, At: when})
}

func (p *purse) newest() wallet.BonusView {
	p.t.Helper()
	bonuses, err := wallet.Bonuses(p.t.Context(), p.db, p.id, uuid.NullUUID{}, 1)
	if err != nil || len(bonuses) != 1 {
		p.t.Fatalf("bonuses %v, %v", bonuses, err)
	}
	return bonuses[0]
}

func (p *purse) stands(status wallet.BonusStatus, wagered, converted string) {
	p.t.Helper()
	if b := p.newest(); b.Status != status || b.Wagered.String() != wagered || b.Converted.String() != converted {
		p.t.Fatalf("the bonus is %s, wagered %s, converted %s; want %s, %s, %s", b.Status, b.Wagered, b.Converted, status, wagered, converted)
	}
}

// The house's worked example (seed 000): a bonus of 100 asks for stakes of 4,000 on slots, and for ten
// times that on table games.
func TestABonusOfAHundredAsksForFourThousand(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		category, stake string
		stakes          int
	}{{"slots", "100", 40}, {"table", "1000", 40}} {
		t.Run(test.category, func(t *testing.T) {
			t.Parallel()
			p := open(t).purse("1000")
			p.grant("100", "40", nil)
			for i := range test.stakes {
				if i == test.stakes-1 {
					p.stands(wallet.BonusActive, "3900.00", "0.00")
				}
				bet := p.mustBet(test.category, test.stake, at)
				p.win(bet, test.stake, at) // neither wins nor loses
			}
			p.stands(wallet.BonusCompleted, "4000.00", "100.00")
			p.has("1100.00", "0.00")
		})
	}
}

// Stakes take the cash first; what a stake wins, and what comes back of it, follows its split.
func TestAWinFollowsItsStakesSplit(t *testing.T) {
	t.Parallel()
	p := open(t).purse("10")
	p.grant("100", "40", nil)
	bet := p.mustBet("slots", "40", at)
	p.has("0.00", "70.00") // 10 of cash, 30 of the bonus
	win := p.win(bet, "100", at)
	p.has("25.00", "145.00")
	p.rollback(win, at)
	p.has("0.00", "70.00")
	p.rollback(bet, at)
	p.has("10.00", "100.00")
	p.stands(wallet.BonusActive, "0.00", "0.00")
	odd := p.mustBet("slots", "33.3333", at)
	p.win(odd, "0.01", at)
	p.rollback(odd, at)
	p.has("10.00", "100.01")
}

func TestABonusFirstHouseKeepsTheCash(t *testing.T) {
	t.Parallel()
	b := open(t)
	books := wallet.NewBooks(b.db, nil, slog.New(slog.DiscardHandler))
	books.BonusFirst = true
	b.poster = wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(b.poster.Close)
	p := b.purse("10")
	p.grant("30", "40", nil)
	p.mustBet("slots", "35", at)
	p.has("5.00", "0.00")
}

// Bonus money pays for what counts, and up to the largest stake that does.
func TestWhereABonusMayBeStaked(t *testing.T) {
	t.Parallel()
	p := open(t).purse("10")
	p.grant("100", "40", func(g *wallet.Grant) {
		g.Terms = &wallet.Terms{Games: map[string]wallet.Rate{"slots": wallet.Whole}, MaxStake: money.MustParse("20")}
	})
	for _, test := range []struct{ category, stake string }{{"bingo", "10.01"}, {"", "10.01"}, {"slots", "110.01"}} {
		if _, err := p.bet(test.category, test.stake, at); !errors.Is(err, wallet.ErrInsufficientFunds) {
			t.Errorf("%s on %q: %v", test.stake, test.category, err)
		}
	}
	if _, err := p.bet("slots", "20.01", at); !errors.Is(err, wallet.ErrBonusStake) || !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("a stake that only the bonus would cover: %v", err)
	}
	p.mustBet("bingo", "5", at)
	p.has("5.00", "100.00")
	p.stands(wallet.BonusActive, "0.00", "0.00")
	p.mustBet("slots", "20", at)
	p.has("0.00", "85.00")
	p.stands(wallet.BonusActive, "20.00", "0.00")
}

// What a stake of an ended bonus wins later goes where the bonus went.
func TestAWinAfterTheBonusHasEnded(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                     string
		end                      func(*purse)
		most                     string // may become cash
		won, afterWin, afterBack string // cash
		converted                string // at last
	}{
		{"completed", func(p *purse) { p.mustBet("slots", "50", at) }, "0", "30", "80.00", "50.00", "50.00"},
		{"completed, with a ceiling", func(p *purse) { p.mustBet("slots", "50", at) }, "60", "30", "60.00", "50.00", "50.00"},
		{"expired", func(p *purse) {
			if n, err := wallet.ExpireBonuses(p.t.Context(), p.db, p.poster, at.Add(time.Hour), 10); n != 1 || err != nil {
				p.t.Fatalf("%d expired, %v", n, err)
			}
		}, "0", "30", "0.00", "0.00", "0.00"},
		{"forfeited", func(p *purse) {
			if err := p.forfeit(p.newest().ID, "asked for it", at); err != nil {
				p.t.Fatal(err)
			}
		}, "0", "30", "0.00", "0.00", "0.00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := open(t).purse("")
			p.grant("150", "0.9999", func(g *wallet.Grant) {
				g.ExpiresAt, g.Terms.MaxConversion = at.Add(time.Hour), money.MustParse(test.most)
			})
			bet := p.mustBet("slots", "50", at)
			p.mustBet("slots", "40", at) // the next of 50 is beyond 149.985, with what is counted: 140
			if test.name == "completed" || test.name == "completed, with a ceiling" {
				p.mustBet("slots", "10", at) // 100; 50 stay in the pocket
				p.post(ledger.Transaction{Kind: ledger.Win, BonusID: bet.BonusID, Effective: at, At: at}, ledger.Move{From: ledger.Casino, To: ledger.Bonus, Amount: money.MustParse("50")})
			}
			test.end(p)
			win := p.win(bet, test.won, at.Add(time.Hour))
			p.has(test.afterWin, "0.00")
			p.rollback(win, at.Add(time.Hour))
			p.has(test.afterBack, "0.00")
			if b := p.newest(); b.Converted.String() != test.converted {
				t.Errorf("converted %s, want %s", b.Converted, test.converted)
			}
		})
	}
}

// What was converted and is already spent comes back below zero when the win behind it is taken back:
// never more than was converted.
func TestAConversionIsTakenBack(t *testing.T) {
	t.Parallel()
	p := open(t).purse("")
	p.grant("10", "2", nil)
	bet := p.mustBet("slots", "10", at)
	win := p.win(bet, "30", at)
	p.mustBet("slots", "10", at)
	p.stands(wallet.BonusCompleted, "20.00", "20.00")
	if _, err := wallet.Withdraw(t.Context(), p.poster, order(p.id, "15", uuid.NewString())); err != nil {
		t.Fatal(err)
	}
	p.rollback(win, at)
	p.has("-15.00", "0.00")
	p.stands(wallet.BonusCompleted, "20.00", "0.00")
	if _, err := p.bet("slots", "1", at); !errors.Is(err, wallet.ErrInsufficientFunds) {
		t.Errorf("a stake below zero: %v", err)
	}
	if _, err := wallet.Deposit(t.Context(), p.poster, order(p.id, "20", uuid.NewString())); err != nil {
		t.Fatal(err)
	}
	p.has("5.00", "0.00")
}

// A pocket that a correction left below zero is made good before the bonus is completed.
func TestABonusBelowZeroIsNotCompleted(t *testing.T) {
	t.Parallel()
	p := open(t).purse("100")
	p.grant("10", "3", nil)
	p.poster.Close()
	books := wallet.NewBooks(p.db, nil, slog.New(slog.DiscardHandler))
	books.BonusFirst = true
	p.poster = wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(p.poster.Close)
	bet := p.mustBet("slots", "10", at)
	win := p.win(bet, "12", at)
	p.mustBet("slots", "12", at)
	p.rollback(win, at)
	p.has("100.00", "-12.00")
	last := p.mustBet("slots", "8", at) // 30 of 30 are wagered
	p.stands(wallet.BonusActive, "30.00", "0.00")
	_ = last
	p.win(bet, "15", at)
	p.has("95.00", "0.00")
	p.stands(wallet.BonusCompleted, "30.00", "3.00")
}

func TestAWithdrawalForfeitsTheBonus(t *testing.T) {
	t.Parallel()
	p := open(t).purse("20")
	p.grant("100", "40", nil)
	if _, err := wallet.Withdraw(t.Context(), p.poster, order(p.id, "20.01", uuid.NewString())); !errors.Is(err, wallet.ErrInsufficientFunds) {
		t.Fatalf("bonus money was to be withdrawn: %v", err)
	}
	p.has("20.00", "100.00")
	cash := order(p.id, "5", uuid.NewString())
	for range 2 { // a repeat moves nothing
		balance, err := wallet.Withdraw(t.Context(), p.poster, cash)
		if err != nil || balance.Total().String() != "15.00" {
			t.Fatalf("%+v, %v", balance, err)
		}
	}
	p.has("15.00", "0.00")
	p.stands(wallet.BonusForfeited, "0.00", "0.00")
}

func TestOneActiveBonusAtATime(t *testing.T) {
	t.Parallel()
	p := open(t).purse("")
	request := wallet.Request{Scope: "test", Key: "k", Hash: ledger.HashOf("10")}
	grant := wallet.Grant{Player: p.id, Currency: "USD", Amount: money.MustParse("10"), Wagering: money.One, Terms: wallet.OpenTerms(), At: at}
	var ids [8]uuid.UUID
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			bonus, err := wallet.GiveBonus(t.Context(), p.poster, grant, request)
			if err != nil {
				t.Error(err)
			}
			ids[i] = bonus.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("the same request was answered with %s and %s", ids[0], id)
		}
	}
	if _, err := wallet.GiveBonus(t.Context(), p.poster, grant, wallet.Request{}); !errors.Is(err, wallet.ErrBonusActive) {
		t.Errorf("a second bonus: %v", err)
	}
	p.has("0.00", "10.00")
	// Once it has ended the next may come, in the same moment as the old one's time is over.
	expired := p.newest().ID
	if err := p.forfeit(expired, "test", at); err != nil {
		t.Fatal(err)
	}
	if err := p.forfeit(expired, "again", at); !errors.Is(err, wallet.ErrNoBonus) {
		t.Errorf("forfeited twice: %v", err)
	}
	p.grant("7", "1", func(g *wallet.Grant) { g.ExpiresAt = at.Add(time.Minute) })
	p.grant("8", "1", func(g *wallet.Grant) { g.At = at.Add(time.Minute) })
	p.has("0.00", "8.00")
}

func campaigns(t testing.TB) *campaign.Book {
	t.Helper()
	f, err := os.Open("../docs/campaigns.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	book, err := campaign.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// The house's offer (seed 000): 150 % of the first deposit, up to 300; once, whoever races.
func TestTheFirstDepositBringsItsBonus(t *testing.T) {
	t.Parallel()
	b := open(t)
	books := wallet.NewBooks(b.db, nil, slog.New(slog.DiscardHandler))
	books.Offers = campaigns(t)
	b.poster = wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(b.poster.Close)
	for deposit, bonus := range map[string]string{"100": "150.00", "200": "300.00", "5000": "300.00", "0.01": "0.02"} {
		p := b.purse(deposit)
		balance, err := b.players.Balance(t.Context(), p.id)
		if err != nil || balance.Bonus.String() != bonus {
			t.Errorf("a deposit of %s brought %s, want %s (%v)", deposit, balance.Bonus, bonus, err)
		}
		if _, err := wallet.Deposit(t.Context(), b.poster, order(p.id, "50", uuid.NewString())); err != nil {
			t.Fatal(err)
		}
		if again, _ := b.players.Balance(t.Context(), p.id); again.Bonus != balance.Bonus {
			t.Errorf("a second deposit brought %s more", again.Bonus-balance.Bonus)
		}
	}
	p := b.purse("")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if _, err := wallet.Deposit(t.Context(), b.poster, order(p.id, "10", fmt.Sprint("race-", i%4, p.id))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	p.has("40.00", "15.00")
	if b := p.newest(); b.Campaign != "welcome" || b.Required.String() != "600.00" || !b.ExpiresAt.Equal(at.Add(720*time.Hour)) {
		t.Errorf("the bonus is %+v", b)
	}
}

func cap(amount string) *wallet.Cap { return &wallet.Cap{Amount: money.MustParse(amount), Set: true} }

func (p *purse) rulebook(now time.Time) *wallet.Rulebook {
	return wallet.NewRulebook(wallet.NewBooks(p.db, nil, slog.New(slog.DiscardHandler)), 0, func() time.Time { return now })
}

func (p *purse) limit(now time.Time, set func(*wallet.Wish)) wallet.RulesView {
	p.t.Helper()
	var wish wallet.Wish
	set(&wish)
	view, err := p.rulebook(now).Change(p.t.Context(), p.id, wish, "ana", "asked for it")
	if err != nil {
		p.t.Fatal(err)
	}
	return view
}

// 64 callers stake 1.00 each for one player with 10.00 left under the limit: ten pass.
func TestExactlyTenPassUnderALimit(t *testing.T) {
	t.Parallel()
	b := open(t)
	p := b.purse("1000")
	p.mustBet("slots", "40", at)
	p.limit(at, func(w *wallet.Wish) { w.Caps[wallet.Wagers][wallet.Daily] = cap("50") })
	second := wallet.NewPoster(wallet.NewBooks(b.db, nil, slog.New(slog.DiscardHandler)), wallet.PosterConfig{}) // another process
	t.Cleanup(second.Close)
	var passed, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		one := &purse{bank: &bank{t: t, db: b.db, players: b.players, poster: b.poster}, id: p.id}
		if i%2 == 1 {
			one.poster = second
		}
		wg.Go(func() {
			_, err := one.betKeyed(ledger.Key{Source: "game", ExternalID: fmt.Sprint("race", i, p.id)}, "slots", "1", at)
			switch {
			case err == nil:
				passed.Add(1)
			case errors.Is(err, wallet.ErrLimitExceeded):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 10 || refused.Load() != 54 {
		t.Errorf("%d passed, %d were refused", passed.Load(), refused.Load())
	}
	p.has("950.00", "0.00")
	var events int
	var detail string
	err := b.db.Pool.QueryRow(t.Context(), `SELECT count(*), max(detail ->> 'limit') || ' ' || max(detail ->> 'used') || ' ' || max(detail ->> 'asked')
		FROM activity_log WHERE event = 'limit_exceeded' AND player_id = $1`, p.id).Scan(&events, &detail)
	if err != nil || events != 54 || detail != "50.00 50.00 1.00" {
		t.Errorf("%d events, the last with %s (%v)", events, detail, err)
	}
}

func TestLimitsHoldWhatTheySay(t *testing.T) {
	t.Parallel()
	p := open(t).purse("500") // which is deposited before there is a limit, and counts
	view := p.limit(at, func(w *wallet.Wish) {
		w.Caps[wallet.Deposits][wallet.Weekly] = cap("600")
		w.Caps[wallet.Losses][wallet.Daily] = cap("100")
	})
	if used := view.Used[wallet.Deposits][wallet.Weekly]; used.String() != "500.00" {
		t.Fatalf("deposited this week: %s", used)
	}
	deposit := func(amount string, when time.Time) error {
		cash := order(p.id, amount, uuid.NewString())
		cash.At = when
		_, err := wallet.Deposit(t.Context(), p.poster, cash)
		return err
	}
	if err := deposit("100.01", at); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("over the weekly limit: %v", err)
	}
	if err := deposit("100", at); err != nil {
		t.Error(err)
	}
	// Withdrawals do not make room: the limit is gross.
	if _, err := wallet.Withdraw(t.Context(), p.poster, order(p.id, "50", uuid.NewString())); err != nil {
		t.Fatal(err)
	}
	if err := deposit("0.01", at); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("after a withdrawal: %v", err)
	}
	bet := p.mustBet("slots", "100", at)
	if _, err := p.bet("slots", "0.01", at); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("over the day's losses: %v", err)
	}
	win := p.win(bet, "40", at) // never blocked
	p.mustBet("slots", "40", at)
	// Taken back the next day it counts on the day of the win: today's play is not blocked by it.
	tomorrow := at.AddDate(0, 0, 1)
	p.rollback(win, tomorrow)
	rules, err := p.rulebook(tomorrow).Read(t.Context(), p.id)
	if err != nil || rules.Used[wallet.Losses][wallet.Daily] != 0 || rules.Used[wallet.Losses][wallet.Weekly].String() != "140.00" {
		t.Errorf("used %v, %v", rules.Used, err)
	}
	p.mustBet("slots", "100", tomorrow)
	if err := deposit("600", at.AddDate(0, 0, 7)); err != nil {
		t.Errorf("in the next week: %v", err)
	}
}

func TestALimitIsLowerAtOnceAndHigherADayLater(t *testing.T) {
	t.Parallel()
	p := open(t).purse("500")
	set := func(now time.Time, wished *wallet.Cap) wallet.RulesView {
		return p.limit(now, func(w *wallet.Wish) { w.Caps[wallet.Wagers][wallet.Monthly] = wished })
	}
	set(at, cap("100"))
	set(at, cap("50"))
	if _, err := p.bet("slots", "50.01", at); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("over the lowered limit: %v", err)
	}
	view := set(at, cap("200"))
	if len(view.Raises) != 1 || view.Limits[wallet.Wagers][wallet.Monthly].Amount.String() != "50.00" {
		t.Errorf("after asking for more: %+v", view.Rules)
	}
	almost := at.Add(24*time.Hour - quarterOfAnHour)
	set(almost, cap("150")) // asked again for less than that: it does not wait anew
	if _, err := p.bet("slots", "50.01", almost); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("before the day is over: %v", err)
	}
	p.mustBet("slots", "150", at.Add(24*time.Hour))
	if _, err := p.bet("slots", "0.01", at.Add(24*time.Hour)); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("over the raised limit: %v", err)
	}
	set(at.Add(25*time.Hour), &wallet.Cap{})
	p.mustBet("slots", "10", at.Add(49*time.Hour+quarterOfAnHour))
}

const quarterOfAnHour = 15 * time.Minute

// A day begins where the player is.
func TestDaysBeginInThePlayersZone(t *testing.T) {
	t.Parallel()
	p := open(t).purse("500")
	p.limit(at, func(w *wallet.Wish) { w.Zone = new("Asia/Kathmandu") })
	p.limit(at, func(w *wallet.Wish) { w.Caps[wallet.Wagers][wallet.Daily] = cap("10") })
	p.mustBet("slots", "10", at)                      // 23:45 there
	p.mustBet("slots", "10", at.Add(quarterOfAnHour)) // midnight
	if _, err := p.bet("slots", "1", at.Add(time.Hour)); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("the same day: %v", err)
	}
	// Rolling: the 24 hours before. It could let more pass, so it waits.
	view := p.limit(at.Add(time.Hour), func(w *wallet.Wish) { w.Rolling = new(true) })
	if view.Calendar.Rolling || view.NextFrom.Before(at.Add(25*time.Hour)) {
		t.Errorf("the window changes at %s", view.NextFrom)
	}
	later := at.Add(72 * time.Hour)
	p.mustBet("slots", "10", later)
	if _, err := p.bet("slots", "1", later.Add(24*time.Hour)); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Errorf("24 hours later the quarter still counts: %v", err)
	}
	p.mustBet("slots", "10", later.Add(24*time.Hour+quarterOfAnHour))
	if _, err := p.rulebook(at).Change(t.Context(), p.id, wallet.Wish{Zone: new("Mars/Olympus")}, "ana", ""); !errors.Is(err, wallet.ErrZone) {
		t.Errorf("an unknown zone: %v", err)
	}
}

func TestWhoIsExcludedStakesAndDepositsNothing(t *testing.T) {
	t.Parallel()
	p := open(t).purse("100")
	bet := p.mustBet("slots", "10", at)
	until := at.Add(48 * time.Hour)
	p.limit(at, func(w *wallet.Wish) { w.CoolingUntil = &until })
	if _, err := p.bet("slots", "1", at); !errors.Is(err, wallet.ErrExcluded) || !errors.Is(err, wallet.ErrPlayerBlocked) {
		t.Errorf("a stake: %v", err)
	}
	if _, err := wallet.Deposit(t.Context(), p.poster, under("excluded", order(p.id, "1", uuid.NewString()))); !errors.Is(err, wallet.ErrExcluded) {
		t.Errorf("a deposit: %v", err)
	}
	p.win(bet, "25", at)
	if _, err := wallet.Withdraw(t.Context(), p.poster, order(p.id, "15", uuid.NewString())); err != nil {
		t.Errorf("a withdrawal: %v", err)
	}
	p.has("100.00", "0.00")
	shorter := until.Add(-time.Minute)
	if _, err := p.rulebook(at).Change(t.Context(), p.id, wallet.Wish{CoolingUntil: &shorter}, "ana", ""); !errors.Is(err, wallet.ErrShorter) {
		t.Errorf("made shorter: %v", err)
	}
	p.mustBet("slots", "1", until)
}

// broken is rows that the database refuses.
type broken struct{}

func (broken) Queue(batch *pgx.Batch) { batch.Queue("SELECT 1 / 0") }

// A commit that fails half-way leaves pockets, progress and usage as they were.
func TestACommitThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	p := open(t).purse("100")
	p.grant("10", "5", nil)
	p.limit(at, func(w *wallet.Wish) { w.Caps[wallet.Wagers][wallet.Daily] = cap("50") })
	key := p.key()
	work := &wallet.Work{Players: []uuid.UUID{p.id}, Keys: []ledger.Key{key}, Statuses: true, At: at}
	work.Decide = func(batch *wallet.Batch) error {
		stake := money.MustParse("50")
		paid, err := batch.Stake(wallet.Staking{Player: p.id, Currency: "USD", Wager: wallet.Wager{Category: "slots", Stake: stake}, At: at})
		if err != nil {
			return err
		}
		_, _, err = batch.Post(ledger.Transaction{
			Key: key, Kind: ledger.Bet, Provider: key.Source, Player: p.id, BonusID: paid.BonusID, Contribution: paid.Contribution, Staked: stake, Effective: at, At: at,
		}, paid.Moves(ledger.Casino)...)
		batch.Rows(key, func() wallet.RowSet { return broken{} })
		return err
	}
	if err := p.poster.Do(t.Context(), work); err == nil {
		t.Fatal("a commit that divides by zero succeeded")
	}
	p.has("100.00", "10.00")
	p.stands(wallet.BonusActive, "0.00", "0.00")
	booktest.Clean(t, p.db)
	p.mustBet("slots", "50", at)
	p.stands(wallet.BonusCompleted, "50.00", "10.00")
}

// miscounted is a statement that touches no row where it must touch one.
type miscounted struct{}

func (miscounted) Queue(batch *pgx.Batch) {
	postgres.QueueExactly(batch, 1, "players", "UPDATE players SET name = name WHERE false")
}

// A row that another has changed first ends the whole commit, in the database.
func TestAMiscountEndsTheCommit(t *testing.T) {
	t.Parallel()
	p := open(t).purse("100")
	key := p.key()
	work := &wallet.Work{Players: []uuid.UUID{p.id}, Keys: []ledger.Key{key}, At: at}
	work.Decide = func(batch *wallet.Batch) error {
		_, _, err := batch.Post(ledger.Transaction{Key: key, Kind: ledger.Bet, Player: p.id, At: at},
			ledger.Move{From: ledger.Cash, To: ledger.Casino, Amount: money.MustParse("1")})
		batch.Rows(key, func() wallet.RowSet { return miscounted{} })
		return err
	}
	if err := p.poster.Do(t.Context(), work); !postgres.Miscounted(err) {
		t.Fatalf("the commit ended with %v", err)
	}
	p.has("100.00", "0.00")
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ amount, stake, bonusStake, cash, bonus string }{
		{"100", "40", "30", "25.00", "75.00"},
		{"100", "40", "0", "100.00", "0.00"},
		{"100", "40", "40", "0.00", "100.00"},
		{"40", "40", "30.0055", "9.9945", "30.0055"}, // as it went
		{"0.01", "30", "10", "0.01", "0.00"},
		{"0.02", "30", "20", "0.01", "0.01"},
		{"0.0049", "30", "30", "0.00", "0.0049"},
		{"100", "3", "1", "66.67", "33.33"},
		{"0", "3", "1", "0.00", "0.00"},
	} {
		split, err := wallet.Share(money.MustParse(test.amount), money.MustParse(test.stake), money.MustParse(test.bonusStake), "USD")
		if err != nil || split.Cash.String() != test.cash || split.Bonus.String() != test.bonus {
			t.Errorf("%s of %s, %s from the bonus: %+v, %v", test.amount, test.stake, test.bonusStake, split, err)
		}
	}
}

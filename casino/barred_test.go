package casino_test

import (
	"errors"
	"testing"
	"time"

	"evens/casino"
	"evens/money"
	"evens/wallet"
)

// What has been won is paid, whoever won it and however it comes; a stake is refused for as long as the
// player may not play, and no longer.
func TestNobodyIsBarredFromAWin(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for name, bar := range map[string]struct{ on, off func(b table) }{
		"blocked": {
			func(b table) { b.status("blocked") }, func(b table) { b.status("active") },
		},
		"cooling off": {
			func(b table) {
				until := at.Add(24 * time.Hour)
				if _, err := b.Rules.Change(b.t.Context(), b.who.ID, wallet.Wish{CoolingUntil: &until}, "ana", ""); err != nil {
					b.t.Fatal(err)
				}
			},
			func(b table) { b.SetClock(at.Add(25 * time.Hour)) },
		},
		"excluded": {
			func(b table) {
				until := at.Add(24 * time.Hour)
				if _, err := b.Rules.Change(b.t.Context(), b.who.ID, wallet.Wish{ExcludedUntil: &until}, "ana", ""); err != nil {
					b.t.Fatal(err)
				}
			},
			func(b table) { b.SetClock(at.Add(25 * time.Hour)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := sit(t, "100")
			b.SetClock(at)
			bar.on(b)
			outcome, err := b.both("prize", "0", "500")
			b.has(outcome, err, "600")
			outcome, err = b.both("prize", "0", "500")
			b.has(outcome, err, "600")
			if _, err = b.both("stake", "10", "500"); !errors.Is(err, wallet.ErrPlayerBlocked) {
				t.Errorf("a stake that wins: %v", err)
			}
			if _, err = b.bet("bet", "10"); !errors.Is(err, wallet.ErrPlayerBlocked) {
				t.Errorf("a stake: %v", err)
			}
			if _, err = b.bet("free", "0"); !errors.Is(err, wallet.ErrPlayerBlocked) {
				t.Errorf("a free spin that has won nothing: %v", err)
			}
			bar.off(b)
			outcome, err = b.bet("bet", "10")
			b.has(outcome, err, "590")
			outcome, err = b.both("stake", "10", "20")
			b.has(outcome, err, "600")
		})
	}
}

func (b table) status(status string) {
	b.t.Helper()
	if _, err := b.DB.Pool.Exec(b.t.Context(), `UPDATE players SET status = $2 WHERE id = $1`, b.who.ID, status); err != nil {
		b.t.Fatal(err)
	}
}

// A bonus's largest stake is of a round's stakes together; cash goes beyond it, and counts nothing.
func TestALargestStakeIsOfARound(t *testing.T) {
	t.Parallel()
	b := sit(t, "0")
	terms := wallet.OpenTerms()
	terms.MaxStake = usd("5")
	b.Grant(t, b.who, usd("50"), 40*money.One, terms)
	outcome, err := b.bet("b1", "3")
	done(t, outcome, err)
	if _, err = b.bet("b2", "3"); !errors.Is(err, wallet.ErrBonusStake) || casino.Code(err) != "limit_exceeded" {
		t.Errorf("more in one round: %v", err)
	}
	outcome, err = b.bet("b3", "2")
	done(t, outcome, err)
	b.round = "another"
	outcome, err = b.bet("b4", "5")
	done(t, outcome, err)
	b.pockets("0", "40")
	if _, err = b.bet("b5", "40.01"); !errors.Is(err, wallet.ErrInsufficientFunds) {
		t.Errorf("more than there is: %v", err)
	}
	b.Deposit(t, b.who.ID, usd("10"))
	outcome, err = b.bet("b6", "10")
	done(t, outcome, err)
	b.pockets("0", "40")
	if got := b.Bonus(t, b.who).Wagered; got != usd("10") {
		t.Errorf("wagered %s", got)
	}
}

// A bonus of which nothing is left ends when the next is given, unless something may still come back to it.
func TestABonusPlayedDownToNothingEnds(t *testing.T) {
	t.Parallel()
	at := time.Now().UTC() // ids are of the machine's own time
	give := func(b table) error {
		_, err := wallet.GiveBonus(b.t.Context(), b.Poster, wallet.Grant{
			Player: b.who.ID, Currency: "USD", Amount: usd("7"), Wagering: 40 * money.One, Terms: wallet.OpenTerms(), At: b.Now(),
		}, wallet.Request{})
		return err
	}
	for name, c := range map[string]struct {
		play func(b table)
		ends bool
	}{
		"lost":           {func(b table) { _, _ = b.bet("b", "50"); _, _ = b.win("w", "0") }, true},
		"lost at once":   {func(b table) { _, _ = b.both("b", "50", "0") }, true},
		"still open":     {func(b table) { _, _ = b.bet("b", "50") }, false},
		"open for a day": {func(b table) { _, _ = b.bet("b", "50"); b.SetClock(at.Add(25 * time.Hour)) }, true},
		"taken back":     {func(b table) { _, _ = b.bet("b", "50"); _, _ = b.rollback("b") }, false},
		"something left": {func(b table) { _, _ = b.both("b", "49.99", "0") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := sit(t, "0")
			b.SetClock(at)
			b.Grant(t, b.who, usd("50"), 40*money.One, nil)
			c.play(b)
			err := give(b)
			if c.ends && err != nil || !c.ends && !errors.Is(err, wallet.ErrBonusActive) {
				t.Fatalf("the next bonus: %v", err)
			}
			if c.ends {
				b.pockets("0", "7")
			}
		})
	}
}

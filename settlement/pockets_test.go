package settlement_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/money"
	"evens/settlement"
	"evens/wallet"
)

// grant gives a player a bonus on open terms, of which coupons count from 1.50 on.
func (s *shop) grant(player uuid.UUID, amount string, wagering money.Coef) {
	s.t.Helper()
	terms := wallet.OpenTerms()
	terms.MinCoef = 1_500_000
	_, err := wallet.GiveBonus(s.t.Context(), s.poster, wallet.Grant{
		Player: player, Currency: "USD", Amount: money.MustParse(amount), Wagering: wagering * money.One, Terms: terms, At: s.clock.Now(),
	}, wallet.Request{})
	if err != nil {
		s.t.Fatal(err)
	}
}

// pockets checks a player's cash and bonus, and what is wagered of the newest bonus.
func (s *shop) pockets(player uuid.UUID, cash, bonus, wagered string) {
	s.t.Helper()
	balance, err := s.players.Balance(s.t.Context(), player)
	if err != nil {
		s.t.Fatal(err)
	}
	bonuses, err := wallet.Bonuses(s.t.Context(), s.db, player, uuid.NullUUID{}, 1)
	if err != nil || len(bonuses) != 1 {
		s.t.Fatalf("bonuses %v, %v", bonuses, err)
	}
	if balance.Cash.String() != cash || balance.Bonus.String() != bonus || bonuses[0].Wagered.String() != wagered {
		s.t.Errorf("cash %s, bonus %s, wagered %s; want %s, %s, %s", balance.Cash, balance.Bonus, bonuses[0].Wagered, cash, bonus, wagered)
	}
}

// A coupon counts towards the wagering once it is won or lost; whatever its results say later, payouts
// follow the stake's split and the contribution follows the result.
func TestACouponPaidFromTwoPockets(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("10.00")
	s.grant(p, "100.00", 40)
	c := s.place(p, "40.00", "2.00") // 10 of cash, 30 of the bonus
	s.pockets(p, "0.00", "70.00", "0.00")
	s.settle(won(c.BetCode, 1, "80.00"))
	s.pockets(p, "20.00", "130.00", "40.00")
	s.settle(lost(c.BetCode, 2))
	s.pockets(p, "0.00", "70.00", "40.00")
	s.settle(void(c.BetCode, 3, "40.00"))
	s.is(c, coupon.Refunded, "40.00", "10.00")
	s.pockets(p, "10.00", "100.00", "0.00")
	s.settle(won(c.BetCode, 4, "80.00"))
	s.pockets(p, "20.00", "130.00", "40.00")
}

func TestACouponBelowTheMinimumCoefficient(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("10.00")
	s.grant(p, "100.00", 40)
	if !func() bool {
		_, err := s.desk.Place(t.Context(), order(p, "10.01", "1.49"))
		return err != nil
	}() {
		t.Error("bonus money was staked where it does not count")
	}
	c := s.place(p, "10.00", "1.49")
	s.settle(lost(c.BetCode, 1))
	s.pockets(p, "0.00", "100.00", "0.00")
}

// A rejected coupon's stake goes back to the pockets that paid it.
func TestARejectedCouponGivesBothPocketsBack(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("10.00")
	s.grant(p, "100.00", 40)
	s.bet = func(bet.Ticket) (bet.Answer, error) {
		return bet.Answer{}, &bet.Rejection{Code: "odds", Message: "changed"}
	}
	placed, err := s.desk.Place(t.Context(), order(p, "40.00", "2.00"))
	if err != nil || placed.Status != coupon.Rejected {
		t.Fatalf("%+v, %v", placed, err)
	}
	s.pockets(p, "10.00", "100.00", "0.00")
}

// The wagering is done while coupons are open: what they pay later follows the bonus into the cash, and
// a correction takes it out of there.
func TestACouponThatIsDecidedAfterItsBonus(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("0.01")
	s.grant(p, "100.00", 1)
	open := s.place(p, "40.01", "2.00") // a cent of cash
	last := s.place(p, "60.00", "2.00")
	s.settle(won(last.BetCode, 1, "120.00"))
	s.pockets(p, "0.00", "120.00", "60.00")
	s.settle(lost(last.BetCode, 2))
	s.settle(won(open.BetCode, 3, "80.02"))
	s.pockets(p, "80.02", "0.00", "100.01") // completed: 0.02 of cash and 80 of the bonus
	s.settle(lost(open.BetCode, 4))
	s.pockets(p, "0.00", "0.00", "100.01")
	s.settle(won(last.BetCode, 5, "120.00"))
	s.pockets(p, "120.00", "0.00", "100.01")
}

// A result that comes a day later counts towards the limits of the day of the stake.
func TestALateResultCountsWhenTheStakeDid(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	p := s.player("100.00")
	rules := wallet.NewRulebook(s.books, 0, s.clock.Now)
	var wish wallet.Wish
	wish.Caps[wallet.Losses][wallet.Daily] = &wallet.Cap{Amount: money.MustParse("30"), Set: true}
	if _, err := rules.Change(t.Context(), p, wish, "test", ""); err != nil {
		t.Fatal(err)
	}
	first := s.place(p, "30.00", "2.00")
	if _, err := s.desk.Place(t.Context(), order(p, "0.01", "2.00")); err == nil {
		t.Error("over the day's losses")
	}
	s.settle(won(first.BetCode, 1, "60.00"))
	s.place(p, "20.00", "2.00")
	s.clock.forward(24 * time.Hour)
	s.settle(lost(first.BetCode, 2)) // yesterday lost 50 after all
	view, err := rules.Read(t.Context(), p)
	if err != nil || view.Used[wallet.Losses][wallet.Daily] != 0 || view.Used[wallet.Losses][wallet.Weekly].String() != "50.00" {
		t.Errorf("used %v, %v", view.Used, err)
	}
	s.place(p, "30.00", "2.00")
}

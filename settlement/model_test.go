package settlement_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/money"
	"evens/money/threshold"
	"evens/settlement"
)

// model is what the books must come to, written the plain way: a player has what was paid in,
// less the stakes of coupons that stand, plus what the last word on each says.
type model struct {
	paidIn  map[uuid.UUID]money.Amount
	coupons []*modelCoupon
}

type modelCoupon struct {
	id     uuid.UUID
	player uuid.UUID
	code   string
	stake  money.Amount
	win    money.Amount
	stands bool // not returned
	held   bool // at BeT or perhaps there: results may come
	said   []settlement.Head
}

// last is the word that holds: the latest decision, then the latest arrival, of those that make sense.
func (c *modelCoupon) last() (settlement.Head, bool) {
	var last settlement.Head
	found := false
	for _, head := range c.said {
		if head.Status == 3 {
			continue
		}
		if !found || !head.DecidedAt.Before(last.DecidedAt) {
			last, found = head, true
		}
	}
	return last, found
}

func (c *modelCoupon) payout() money.Amount {
	head, ok := c.last()
	switch {
	case !ok || head.Status == 4:
		return 0
	case head.ExtStatus == 1:
		return c.stake
	default:
		return c.win
	}
}

func (m *model) cash(player uuid.UUID) money.Amount {
	cash := m.paidIn[player]
	for _, c := range m.coupons {
		if c.player == player && c.stands {
			cash += c.payout() - c.stake
		}
	}
	return cash
}

// Any interleaving of placements, results, sweeps and crashes ends in the same books as the
// plain model.
func TestAnyInterleavingEndsInTheModelsBooks(t *testing.T) {
	t.Parallel()
	runs := 8
	if testing.Short() {
		runs = 2
	}
	for seed := range runs {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			play(t, uint64(seed), 250)
		})
	}
}

func play(t *testing.T, seed uint64, steps int) {
	t.Helper()
	chance := rand.New(rand.NewPCG(seed, 99))
	s := open(t, settlement.Guard{Count: 1_000_000, Amount: threshold.Dollars(1 << 60)})
	m := &model{paidIn: make(map[uuid.UUID]money.Amount)}
	var players []uuid.UUID
	for range 4 {
		p := s.player("500.00")
		players, m.paidIn[p] = append(players, p), money.MustParse("500.00")
	}
	var rung []settlement.Chunk
	actions := []struct {
		weight int
		do     func()
	}{
		{8, func() { m.place(s, chance, players[chance.IntN(len(players))]) }},
		{10, func() { m.say(s, chance) }},
		{6, func() { // a worker takes something, somewhere in the queue
			rung = append(rung, s.bell.take()...)
			if len(rung) > 0 {
				i := chance.IntN(len(rung))
				if err := s.settler.Apply(t.Context(), rung[i].ID); err != nil {
					t.Fatal(err)
				}
				if chance.IntN(3) > 0 { // else: it is handed out again
					rung = slices.Delete(rung, i, i+1)
				}
			}
		}},
		{1, func() { // Redis forgets everything
			rung = nil
			s.bell.take()
		}},
		{1, func() {
			s.rungEarlier(settlement.SweepPatience + time.Second)
			if _, err := s.settler.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}},
		{1, func() { // a worker dies before its commit
			rung = append(rung, s.bell.take()...)
			if len(rung) > 0 {
				ctx, cancel := cancelSoon(t, chance)
				_ = s.settler.Apply(ctx, rung[chance.IntN(len(rung))].ID) // whichever way it went is right
				cancel()
			}
		}},
		{2, func() { m.confirm(s, chance) }},
	}
	total := 0
	for _, action := range actions {
		total += action.weight
	}
	for range steps {
		pick := chance.IntN(total)
		for _, action := range actions {
			if pick -= action.weight; pick < 0 {
				action.do()
				break
			}
		}
	}
	m.finish(s)
	for _, c := range m.coupons {
		if now := s.read(c.id); c.stands && now.Payout != c.payout() {
			t.Errorf("coupon %s %s has paid %s, the model says %s (%+v)", c.code, now.Status, now.Payout, c.payout(), c.said)
		}
	}
	for _, p := range players {
		if got, want := s.cash(p), m.cash(p).String(); got != want {
			t.Errorf("cash = %s, the model says %s", got, want)
		}
	}
}

// place stakes on one coupon; BeT takes it, refuses it, or loses its answer.
func (m *model) place(s *shop, chance *rand.Rand, player uuid.UUID) {
	s.t.Helper()
	stake := money.Amount(1+chance.IntN(20)) * money.Scale
	coefs := []string{"1.50", "2.00", "3.10"}[chance.IntN(3)]
	fate := chance.IntN(6)
	var code string
	s.bet = func(bet.Ticket) (bet.Answer, error) {
		code = s.nextCode()
		switch fate {
		case 0:
			return bet.Answer{}, &bet.Rejection{Code: bet.CodeSelectionBlocked}
		case 1:
			return bet.Answer{}, errLost
		default:
			return bet.Answer{BetCode: code}, nil
		}
	}
	placed, err := s.desk.Place(s.t.Context(), order(player, stake.String(), coefs))
	if err != nil {
		return // not enough left: nothing has happened
	}
	m.coupons = append(m.coupons, &modelCoupon{
		id: placed.ID, player: player, code: code, stake: stake, win: placed.PossibleWin,
		stands: placed.Status != coupon.Rejected, held: placed.Status == coupon.Unconfirmed,
	})
}

// say pushes one to four results, some of them said before, some older, some senseless.
func (m *model) say(s *shop, chance *rand.Rand) {
	var heads []settlement.Head
	for range 1 + chance.IntN(4) {
		if len(m.coupons) == 0 {
			return
		}
		c := m.coupons[chance.IntN(len(m.coupons))]
		if !c.stands || c.held {
			continue
		}
		var head settlement.Head
		minute := chance.IntN(30)
		switch chance.IntN(6) {
		case 0:
			if len(c.said) == 0 {
				continue
			}
			head = c.said[chance.IntN(len(c.said))] // again
		case 1, 2:
			head = won(c.code, minute, c.win.String())
		case 3:
			head = void(c.code, minute, c.stake.String())
		case 4:
			head = said(c.code, minute, 3, 0, "1.00")
		default:
			head = said(c.code, minute, 4, 0, c.win.String())
		}
		if !slices.Contains(c.said, head) {
			c.said = append(c.said, head)
		}
		heads = append(heads, head)
	}
	if len(heads) > 0 {
		s.push(heads...)
	}
}

// confirm lets time pass for unconfirmed coupons; what nobody confirmed goes back.
func (m *model) confirm(s *shop, chance *rand.Rand) {
	s.clock.forward(time.Duration(chance.IntN(20)) * time.Minute)
	due, err := s.desk.Due(s.t.Context(), 100)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, id := range due {
		if err := s.desk.Confirm(s.t.Context(), id); err != nil {
			s.t.Fatal(err)
		}
		for _, c := range m.coupons {
			if c.id == id && s.read(id).Status == coupon.Rejected {
				c.stands, c.held = false, false
			}
		}
	}
}

// finish works everything off, as the sweep would in time.
func (m *model) finish(s *shop) {
	s.t.Helper()
	for range 5 {
		s.work()
		s.clock.forward(time.Hour)
		s.rungEarlier(time.Hour)
		if _, err := s.settler.Sweep(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
	s.work()
	for state, n := range s.states() {
		if state == "pending" {
			s.t.Errorf("%d results are still pending", n)
		}
	}
}

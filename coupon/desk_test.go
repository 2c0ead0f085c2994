package coupon_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/money"
	"evens/wallet"
)

func TestSingleIsAccepted(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)
	var ticket bet.Ticket
	c := open(t, func(_ context.Context, asked bet.Ticket) (bet.Answer, error) {
		ticket = asked
		return bet.Answer{BetCode: "abc123", Coef: coef("1.95"), PossibleWin: money.MustParse("19.50"), Selections: []bet.AcceptedSelection{
			{LineID: "1000", Teams: "A - B", Tournament: "Cup", BetName: "Over 0.5", Coef: coef("1.95"), EventDate: start},
		}}, nil
	})
	p := c.player("100.00")
	placed := c.place(order(p, "10.00", "2.00"))
	if ticket.RealAmount != money.MustParse("10.00") || ticket.Currency != "USD" || ticket.Lang != "en" || ticket.RateMode != bet.RateReject ||
		ticket.RemoteHost != "https://us.example" || len(ticket.Pointers) != 1 || ticket.Pointers[0].String() != "live#1000|17|9|0.5#2.00" {
		t.Errorf("BeT was sent %+v", ticket)
	}
	kept := c.read(placed.ID)
	for _, got := range []coupon.Coupon{placed, kept} {
		if got.Status != coupon.Accepted || got.BetCode != "abc123" || got.Coef.String() != "1.95" || got.PossibleWin.String() != "19.50" ||
			got.Stake.String() != "10.00" || got.Player != p || !got.PlacedAt.Equal(opening) || got.ErrorCode != "" || got.Payout != 0 {
			t.Errorf("coupon = %+v", got)
		}
		want := coupon.Selection{
			Pointer: "live#1000|17|9|0.5#2.00", MatchID: "1000", Teams: "A - B", Tournament: "Cup", BetName: "Over 0.5",
			Coef: coef("1.95"), Live: true, EventDate: start,
		}
		if len(got.Selections) != 1 || got.Selections[0] != want {
			t.Errorf("selections = %+v, want %+v", got.Selections, want)
		}
	}
	c.has(p, "90.00")
	if len(c.accepted) != 1 || c.accepted[0] != "abc123" || c.changed != 1 {
		t.Errorf("told of codes %v and %d changes, want abc123 and 1", c.accepted, c.changed)
	}
}

// BeT lists an express's selections in an order of its own, and may leave its coefficient out.
func TestExpressIsAccepted(t *testing.T) {
	t.Parallel()
	c := open(t, answers(bet.Answer{BetCode: "express1", Selections: []bet.AcceptedSelection{
		{LineID: "1001", Teams: "C - D", Coef: coef("3.1")},
		{LineID: "1000", Teams: "A - B", Coef: coef("1.5")},
	}}, nil))
	placed := c.place(order(c.player("10.00"), "2.00", "1.50", "3.00", "2.00"))
	var told []string
	for _, s := range c.read(placed.ID).Selections {
		told = append(told, fmt.Sprintf("%s %s %s", s.MatchID, s.Teams, s.Coef))
	}
	// The third was not told of, and stays as it was asked for.
	if got, want := strings.Join(told, "; "), "1000 A - B 1.50; 1001 C - D 3.10; 1002  2.00"; got != want {
		t.Errorf("selections = %s, want %s", got, want)
	}
	if placed.Coef.String() != "9.30" || placed.PossibleWin.String() != "18.60" {
		t.Errorf("coef %s, possible win %s, want 1.5 × 3.1 × 2 = 9.30 and 18.60", placed.Coef, placed.PossibleWin)
	}
}

func TestNominalIsSentInTheStakesPlace(t *testing.T) {
	t.Parallel()
	var sent money.Amount
	c := open(t, func(_ context.Context, ticket bet.Ticket) (bet.Answer, error) {
		sent = ticket.RealAmount
		return bet.Answer{BetCode: "n1", Coef: coef("2.5"), PossibleWin: money.MustParse("2500.00")}, nil
	}, func(cfg *coupon.Config) { cfg.Nominal = money.MustParse("1000") })
	placed := c.place(order(c.player("10.00"), "4.00", "2.40"))
	if sent.String() != "1000.00" {
		t.Errorf("BeT was sent %s, want the nominal 1000.00", sent)
	}
	if placed.Stake.String() != "4.00" || placed.PossibleWin.String() != "10.00" {
		t.Errorf("stake %s, possible win %s, want 4.00 and 4 × 2.5 = 10.00", placed.Stake, placed.PossibleWin)
	}
	c.has(placed.Player, "6.00")
}

// What is provably not placed gives the stake back at once; of what nobody knows it is kept.
func TestRejectedAndUnconfirmed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		status coupon.Status
		code   string
		cash   string
	}{
		"the coefficient moved":   {&bet.Rejection{Code: bet.CodeCoefChanged, Message: "changed"}, coupon.Rejected, bet.CodeCoefChanged, "10.00"},
		"never reached BeT":       {fmt.Errorf("place: %w", &bet.Rejection{Code: bet.CodeProviderUnavailable}), coupon.Rejected, bet.CodeProviderUnavailable, "10.00"},
		"a message in odd bytes":  {&bet.Rejection{Code: bet.CodeProviderRefused, Message: "\xcd\xe5\xf2\x00!"}, coupon.Rejected, bet.CodeProviderRefused, "10.00"},
		"the answer was cut off":  {errLost, coupon.Unconfirmed, coupon.CodeUnconfirmed, "7.00"},
		"an error nobody foresaw": {errors.New("odd"), coupon.Unconfirmed, coupon.CodeUnconfirmed, "7.00"},
		"out of time":             {context.DeadlineExceeded, coupon.Unconfirmed, coupon.CodeUnconfirmed, "7.00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, answers(bet.Answer{}, test.err))
			placed := c.place(order(c.player("10.00"), "3.00", "2.00"))
			if placed.Status != test.status || placed.BetCode != "" {
				t.Errorf("coupon = %s %q, want %s without a code", placed.Status, placed.BetCode, test.status)
			}
			c.is(placed.ID, test.status, test.code, test.cash)
			if len(c.accepted) != 0 {
				t.Errorf("told of codes %v", c.accepted)
			}
			c.confirm(placed.ID) // too early to tell more
			c.is(placed.ID, test.status, test.code, test.cash)
		})
	}
}

// What BeT accepts it has, however odd its words: the coupon must not be lost for them.
func TestOddAnswersAreKept(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer bet.Answer
		status coupon.Status
	}{
		"names in odd bytes": {bet.Answer{BetCode: "o1", Selections: []bet.AcceptedSelection{
			{LineID: "1000", Teams: "A\x00 - \xff", Tournament: "\xcd\xe5\xf2", BetName: "\x00"},
		}}, coupon.Accepted},
		"a date beyond all calendars": {bet.Answer{BetCode: "o2", Selections: []bet.AcceptedSelection{
			{LineID: "1000", EventDate: time.UnixMilli(math.MaxInt64)},
		}}, coupon.Accepted},
		"a date before all calendars": {bet.Answer{BetCode: "o3", Selections: []bet.AcceptedSelection{
			{LineID: "1000", EventDate: time.UnixMilli(math.MinInt64)},
		}}, coupon.Accepted},
		"more selections than asked for": {bet.Answer{BetCode: "o4", Selections: make([]bet.AcceptedSelection, 9)}, coupon.Accepted},
		"a win beyond all numbers":       {bet.Answer{BetCode: "o5", Coef: math.MaxInt64}, coupon.Unconfirmed},
		"no code at all":                 {bet.Answer{Coef: coef("2.00")}, coupon.Unconfirmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, answers(test.answer, nil))
			p := c.player("500000000000.00")
			placed, err := c.desk.Place(t.Context(), order(p, "400000000000.00", "2.00"))
			if err != nil || placed.Status != test.status {
				t.Fatalf("Place() = %s, %v, want %s", placed.Status, err, test.status)
			}
			c.has(p, "100000000000.00")
		})
	}
}

func TestOrdersThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	c := open(t, takesAll())
	p := c.player("10.00")
	many := make([]string, 16)
	huge := make([]string, 15)
	for i := range many {
		many[i] = "1.10"
	}
	for i := range huge {
		huge[i] = "999.99"
	}
	with := func(change func(o *coupon.Order)) coupon.Order {
		o := order(p, "1.00", "2.00", "3.00")
		change(&o)
		return o
	}
	for name, test := range map[string]struct {
		order coupon.Order
		index int    // of the selection at fault
		field string // or the field
	}{
		"the second pointer is nonsense":    {order: with(func(o *coupon.Order) { o.Pointers[1] = "live#17" }), index: 1},
		"an empty pointer":                  {order: with(func(o *coupon.Order) { o.Pointers[0] = "" }), index: 0},
		"a pointer with a line break":       {order: with(func(o *coupon.Order) { o.Pointers[0] = "live#1|2|3|0\n#2.00" }), index: 0},
		"a coefficient below one":           {order: order(p, "1.00", "0.99"), index: 0},
		"the same match twice":              {order: with(func(o *coupon.Order) { o.Pointers[1] = "line#1000|1|1|0#1.5" }), index: -1},
		"no selections":                     {order: order(p, "1.00"), index: -1},
		"too many selections":               {order: order(p, "1.00", many...), index: -1},
		"coefficients beyond all numbers":   {order: order(p, "1.00", huge...), index: -1},
		"no rate mode":                      {order: with(func(o *coupon.Order) { o.RateMode = "" }), field: "rate_mode"},
		"another rate mode":                 {order: with(func(o *coupon.Order) { o.RateMode = "maybe" }), field: "rate_mode"},
		"nothing staked":                    {order: with(func(o *coupon.Order) { o.Stake = 0 }), field: "stake"},
		"less than nothing staked":          {order: with(func(o *coupon.Order) { o.Stake = -1 }), field: "stake"},
		"a possible win beyond all numbers": {order: with(func(o *coupon.Order) { o.Stake = math.MaxInt64 }), field: "stake"},
	} {
		_, err := c.desk.Place(t.Context(), under(name, test.order))
		selection, isSelection := errors.AsType[*coupon.SelectionError](err)
		field, isField := errors.AsType[*coupon.OrderError](err)
		switch {
		case test.field != "" && (!isField || field.Field != test.field):
			t.Errorf("%s: %v, want an error of %s", name, err, test.field)
		case test.field == "" && (!isSelection || selection.Index != test.index):
			t.Errorf("%s: %v, want an error of selection %d", name, err, test.index)
		}
	}
	c.has(p, "10.00")
	if c.asked.Load() != 0 {
		t.Errorf("BeT was asked %d times", c.asked.Load())
	}
}

func TestPlayersWhoMayNotStake(t *testing.T) {
	t.Parallel()
	c := open(t, takesAll())
	p, blocked := c.player("10.00"), c.player("10.00")
	if err := c.players.SetStatus(t.Context(), blocked, wallet.Blocked, "ann@example.com", "asked for it"); err != nil {
		t.Fatal(err)
	}
	euros := order(p, "1.00", "2.00")
	euros.Currency = "EUR"
	for name, test := range map[string]struct {
		order coupon.Order
		want  error
	}{
		"a blocked player":       {order(blocked, "1.00", "2.00"), wallet.ErrPlayerBlocked},
		"another currency":       {euros, wallet.ErrCurrency},
		"a player nobody knows":  {order(uuid.New(), "1.00", "2.00"), wallet.ErrUnknownPlayer},
		"a little more than all": {order(p, "10.0001", "2.00"), wallet.ErrInsufficientFunds},
	} {
		if _, err := c.desk.Place(t.Context(), test.order); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if c.asked.Load() != 0 {
		t.Errorf("BeT was asked %d times", c.asked.Load())
	}
	c.has(p, "10.00")
	c.place(order(p, "10.00", "2.00")) // all there is may be staked
	c.has(p, "0.00")
}

// The stake of a player who was blocked meanwhile still comes back.
func TestRejectionPaysBlockedPlayersBack(t *testing.T) {
	t.Parallel()
	var c *counter
	var p uuid.UUID
	c = open(t, func(ctx context.Context, _ bet.Ticket) (bet.Answer, error) {
		if err := c.players.SetStatus(ctx, p, wallet.Blocked, "ann@example.com", ""); err != nil {
			t.Error(err)
		}
		return bet.Answer{}, &bet.Rejection{Code: bet.CodeSelectionBlocked}
	})
	p = c.player("10.00")
	placed := c.place(order(p, "1.00", "2.00"))
	c.is(placed.ID, coupon.Rejected, bet.CodeSelectionBlocked, "10.00")
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	c := open(t, takesAll())
	p := c.player("10.00")
	first := c.place(under("k", order(p, "4.00", "2.00")))
	again := c.place(under("k", order(p, "4.00", "2.00")))
	if again.ID != first.ID || again.Status != coupon.Accepted || again.BetCode != first.BetCode || c.asked.Load() != 1 {
		t.Errorf("replay = %s %s, BeT asked %d times; want the first coupon %s", again.ID, again.Status, c.asked.Load(), first.ID)
	}
	for name, change := range map[string]func(o *coupon.Order){
		"another stake":    func(o *coupon.Order) { o.Stake++ },
		"another pointer":  func(o *coupon.Order) { o.Pointers[0] = "live#9|1|1|0#2.00" },
		"another mode":     func(o *coupon.Order) { o.RateMode = "accept" },
		"another language": func(o *coupon.Order) { o.Lang = "ru" },
	} {
		other := order(p, "4.00", "2.00")
		change(&other)
		if _, err := c.desk.Place(t.Context(), under("k", other)); !errors.Is(err, wallet.ErrRequestConflict) {
			t.Errorf("%s under the key: %v, want ErrRequestConflict", name, err)
		}
	}
	// A refusal is remembered, even when there is money by then.
	for range 2 {
		if _, err := c.desk.Place(t.Context(), under("dear", order(p, "7.00", "2.00"))); !errors.Is(err, wallet.ErrInsufficientFunds) {
			t.Errorf("7.00 of 6.00: %v", err)
		}
		c.deposit(p, "5.00")
	}
	c.has(p, "16.00")
	if _, err := c.desk.Place(t.Context(), order(p, "7.00", "2.00")); err != nil {
		t.Errorf("without the key: %v", err)
	}
}

// A rejected coupon is replayed as rejected; an unconfirmed one as unconfirmed, whatever
// became of it.
func TestReplayTellsTheFirstAnswer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err  error
		want coupon.Status
		code string
	}{
		"rejected":    {&bet.Rejection{Code: bet.CodeCoefChanged}, coupon.Rejected, bet.CodeCoefChanged},
		"unconfirmed": {errLost, coupon.Unconfirmed, coupon.CodeUnconfirmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, answers(bet.Answer{}, test.err))
			o := under("k", order(c.player("10.00"), "4.00", "2.00"))
			first := c.place(o)
			c.clock.forward(time.Hour)
			c.confirm(first.ID)
			if again := c.place(o); again.ID != first.ID || again.Status != test.want || again.ErrorCode != test.code ||
				again.ErrorMessage != first.ErrorMessage || again.BetCode != first.BetCode {
				t.Errorf("replay = %s %q %q, want the first answer %s %q %q",
					again.Status, again.ErrorCode, again.ErrorMessage, first.Status, first.ErrorCode, first.ErrorMessage)
			}
			c.has(first.Player, "10.00")
			if c.asked.Load() != 1 {
				t.Errorf("BeT was asked %d times", c.asked.Load())
			}
		})
	}
}

// Twenty callers send one order at once, to two processes: BeT is asked once, all get the coupon.
func TestReplayAtOnce(t *testing.T) {
	t.Parallel()
	slow := func(context.Context, bet.Ticket) (bet.Answer, error) {
		time.Sleep(100 * time.Millisecond)
		return bet.Answer{BetCode: "once"}, nil
	}
	c := open(t, slow)
	other := openAt(t, c.db.Pool.Config().ConnString(), slow)
	p := c.player("10.00")
	ids := make([]uuid.UUID, 20)
	together(len(ids), func(i int) {
		desk := c.desk
		if i%2 == 1 {
			desk = other.desk
		}
		placed, err := desk.Place(t.Context(), under("k", order(p, "4.00", "2.00")))
		if err != nil || placed.Status != coupon.Accepted {
			t.Errorf("caller %d: %s, %v", i, placed.Status, err)
		}
		ids[i] = placed.ID
	})
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("coupons %s and %s", ids[0], id)
		}
	}
	if asked := c.asked.Load() + other.asked.Load(); asked != 1 {
		t.Errorf("BeT was asked %d times", asked)
	}
	c.has(p, "6.00")
}

// Whoever asks again while the first call is under way is told so when patience ends.
func TestReplayWhileUnderWay(t *testing.T) {
	t.Parallel()
	reached, goOn := make(chan struct{}), make(chan struct{})
	c := open(t, func(context.Context, bet.Ticket) (bet.Answer, error) {
		close(reached)
		<-goOn
		return bet.Answer{BetCode: "slow"}, nil
	})
	o := under("k", order(c.player("10.00"), "4.00", "2.00"))
	done := make(chan coupon.Coupon, 1)
	go func() {
		placed, err := c.desk.Place(t.Context(), o)
		if err != nil {
			t.Error(err)
		}
		done <- placed
	}()
	<-reached
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.desk.Place(ctx, o); !errors.Is(err, coupon.ErrInProgress) {
		t.Errorf("asked again meanwhile: %v, want ErrInProgress", err)
	}
	close(goOn)
	if placed := <-done; placed.Status != coupon.Accepted {
		t.Errorf("the first call's coupon is %s", placed.Status)
	}
}

func TestNobodyStakesMoreThanThereIs(t *testing.T) {
	t.Parallel()
	c := open(t, takesAll())
	p := c.player("10.00")
	var accepted, refused atomic.Int64
	together(64, func(int) {
		switch placed, err := c.desk.Place(t.Context(), order(p, "1.00", "2.00")); {
		case err == nil && placed.Status == coupon.Accepted:
			accepted.Add(1)
		case errors.Is(err, wallet.ErrInsufficientFunds):
			refused.Add(1)
		default:
			t.Errorf("Place() = %s, %v", placed.Status, err)
		}
	})
	if accepted.Load() != 10 || refused.Load() != 54 || c.asked.Load() != 10 {
		t.Errorf("%d accepted, %d refused, BeT asked %d times; want 10, 54, 10", accepted.Load(), refused.Load(), c.asked.Load())
	}
	c.has(p, "0.00")
}

// BeT answers one code for several coupons: the first has it, of the others nobody knows.
func TestCodeOfAnotherCoupon(t *testing.T) {
	t.Parallel()
	c := open(t, answers(bet.Answer{BetCode: "same"}, nil))
	other := openAt(t, c.db.Pool.Config().ConnString(), answers(bet.Answer{BetCode: "same"}, nil))
	var accepted, unconfirmed atomic.Int64
	players := make([]uuid.UUID, 24)
	for i := range players {
		players[i] = c.player("1.00")
	}
	together(len(players), func(i int) {
		desk := c.desk
		if i%2 == 1 {
			desk = other.desk
		}
		placed, err := desk.Place(t.Context(), order(players[i], "1.00", "2.00"))
		switch {
		case err != nil:
			t.Error(err)
		case placed.Status == coupon.Accepted:
			accepted.Add(1)
		case placed.Status == coupon.Unconfirmed && placed.ErrorCode == coupon.CodeDuplicate && placed.BetCode == "":
			unconfirmed.Add(1)
		default:
			t.Errorf("coupon is %s %s", placed.Status, placed.ErrorCode)
		}
		c.has(players[i], "0.00")
	})
	if accepted.Load() != 1 || unconfirmed.Load() != 23 {
		t.Errorf("%d accepted, %d unconfirmed, want 1 and 23", accepted.Load(), unconfirmed.Load())
	}
}

// The caller goes away after the stake was reserved: the placement ends all the same.
func TestCallerGoesAway(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := open(t, func(asked context.Context, _ bet.Ticket) (bet.Answer, error) {
		cancel()
		return bet.Answer{BetCode: "kept"}, asked.Err()
	})
	p := c.player("10.00")
	placed, err := c.desk.Place(ctx, order(p, "4.00", "2.00"))
	if err != nil || placed.Status != coupon.Accepted {
		t.Errorf("Place() = %s, %v", placed.Status, err)
	}
	c.desk.Wait()
	list, err := c.store.List(t.Context(), coupon.Filter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d coupons, %v", len(list), err)
	}
	c.is(list[0].ID, coupon.Accepted, "", "6.00")
}

// The database is away when BeT answers: the answer is kept until it is back.
func TestDatabaseAwayWhenBeTAnswers(t *testing.T) {
	t.Parallel()
	private := testbed.PrivateServers(t)
	if err := postgres.Migrate(t.Context(), private.DatabaseURL()); err != nil {
		t.Fatal(err)
	}
	back := make(chan error, 1)
	c := openAt(t, private.DatabaseURL(), func(ctx context.Context, _ bet.Ticket) (bet.Answer, error) {
		if err := private.StopPostgres(ctx); err != nil {
			t.Error(err)
		}
		time.AfterFunc(500*time.Millisecond, func() { back <- private.StartPostgres(ctx) })
		return bet.Answer{BetCode: "kept"}, nil
	})
	placed, err := c.desk.Place(t.Context(), order(c.player("10.00"), "4.00", "2.00"))
	if err := <-back; err != nil {
		t.Fatal(err)
	}
	if err != nil || placed.Status != coupon.Accepted || placed.BetCode != "kept" {
		t.Fatalf("Place() = %s %q, %v", placed.Status, placed.BetCode, err)
	}
	c.db.Pool.Reset() // connections from before
	c.is(placed.ID, coupon.Accepted, "", "6.00")
}

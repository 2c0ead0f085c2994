package explain_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/casino"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/explain"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/settlement"
	"evens/settlement/booktest"
	"evens/wallet"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// takes is a bookmaker that takes everything.
type takes struct{}

func (takes) Place(context.Context, bet.Ticket) (bet.Answer, error) {
	return bet.Answer{BetCode: "code-1"}, nil
}

type later struct{ chunks []settlement.Chunk }

func (l *later) Ring(chunks []settlement.Chunk) { l.chunks = append(l.chunks, chunks...) }

// A coupon that won and then lost, and a game's bet: the stories have each step once, in order.
func TestStories(t *testing.T) {
	t.Parallel()
	db := booktest.Open(t, testbed.Database(t))
	t.Cleanup(func() { booktest.Clean(t, db) })
	log := slog.New(slog.DiscardHandler)
	now := func() time.Time { return time.Now().UTC() }
	books := wallet.NewBooks(db, nil, log)
	poster := wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	who, _, err := player.New(db, now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	check(err)
	_, err = wallet.Deposit(t.Context(), poster, wallet.Cash{Player: who.ID, Amount: money.MustParse("100"), Currency: "USD", Method: "pix", TransactionID: "d1", At: now()})
	check(err)
	desk := coupon.NewDesk(poster, coupon.NewStore(db), coupon.Config{Bookmaker: takes{}, RemoteHost: "http://x", Now: now, Log: log})
	t.Cleanup(desk.Wait)
	placed, err := desk.Place(t.Context(), coupon.Order{Player: who.ID, Pointers: []string{"line#1|17|9|0.5#2.00"}, Stake: money.MustParse("10"), Currency: "USD", Lang: "en", RateMode: "reject"})
	check(err)
	bell := &later{}
	inbox := settlement.NewInbox(db, bell, settlement.Guard{})
	settler := settlement.NewSettler(db, books, bell, settlement.Guard{}, now, settlement.Observer{}, log)
	between := now()
	for i, status := range []int{2, 4} {
		heads, err := settlement.ParsePush(fmt.Appendf(nil, `{"Heads":[{"KeyHead":{"BarCode":"code-1"},"Status":%d,"ExtStatus":0,"AmountOut":"20","DateRecive":"%d"}]}`, status, 1_700_000_000+i))
		check(err)
		_, err = inbox.Store(t.Context(), settlement.Push{Heads: heads, Body: []byte("{}"), At: now()})
		check(err)
		for _, chunk := range bell.chunks {
			check(settler.Apply(t.Context(), chunk.ID))
		}
		bell.chunks = nil
		if i == 0 {
			between = now()
		}
	}
	floor := casino.NewFloor(db, poster, player.NewDirectory(db), now, log)
	_, err = floor.Bet(t.Context(), casino.Bet{Stake: money.MustParse("3"), Call: casino.Call{
		Provider: "tg", ID: "b1", Player: player.Identity{ID: who.ID, Currency: "USD"}, Game: "g", Round: casino.Round{ID: "r"}, At: now(),
	}})
	check(err)

	rules := wallet.NewRulebook(books, 0, now)
	var wish wallet.Wish
	wish.Caps[wallet.Wagers][wallet.Daily] = &wallet.Cap{Amount: money.MustParse("15"), Set: true}
	_, err = rules.Change(t.Context(), who.ID, wish, "site", "")
	check(err)
	_, err = wallet.GiveBonus(t.Context(), poster, wallet.Grant{Player: who.ID, Currency: "USD", Amount: money.MustParse("50"), Wagering: 40 * money.One, Terms: wallet.OpenTerms(), At: now()}, wallet.Request{})
	check(err)
	spin := casino.Bet{Stake: money.MustParse("2"), Call: casino.Call{
		Provider: "tg", ID: "b2", Player: player.Identity{ID: who.ID, Currency: "USD"}, Game: "g", Round: casino.Round{ID: "r2"}, At: now(),
	}}
	_, err = floor.Bet(t.Context(), spin)
	check(err)
	spin.ID = "b3"
	if _, err = floor.Bet(t.Context(), spin); !errors.Is(err, wallet.ErrLimitExceeded) {
		t.Fatalf("over the limit: %v", err)
	}

	story := func(tell func() ([]explain.Step, error)) string {
		t.Helper()
		steps, err := tell()
		check(err)
		var out bytes.Buffer
		check(explain.Print(&out, steps))
		return out.String()
	}
	inOrder := func(text string, parts ...string) {
		t.Helper()
		rest := text
		for _, part := range parts {
			_, after, found := strings.Cut(rest, part)
			if !found {
				t.Fatalf("%q does not come, or not in order, in\n%s", part, text)
			}
			rest = after
		}
	}
	future := now().Add(time.Hour)
	text := story(func() ([]explain.Step, error) { return explain.Coupon(t.Context(), db, placed.ID.String(), future) })
	inOrder(text, "is placed", "stake -10.00", "moved    10.00 from cash to stakes_held", "BeT says 2/0, 20.00: applied", "paid 0.00, shall have paid 20.00",
		"BeT says 4/0", "paid 20.00, shall have paid 0.00", "it is lost")
	inOrder(text, "payout 20.00", "20.00 from sportsbook to cash", "resettlement -20.00", "20.00 from cash to sportsbook", "cash     90.00")
	if strings.Contains(text, "tg") {
		t.Errorf("the coupon's story tells of a game:\n%s", text)
	}
	early := story(func() ([]explain.Step, error) { return explain.Coupon(t.Context(), db, "code-1", between) })
	inOrder(early, "payout 20.00")
	if strings.Contains(early, "resettlement") || strings.Contains(early, "it is lost") {
		t.Errorf("what was not known then is told:\n%s", early)
	}
	inOrder(story(func() ([]explain.Step, error) { return explain.Player(t.Context(), db, "ana", future) }),
		"is opened in USD", "deposit 100.00", "100.00 from cashier to cash", "stake", "payout", "resettlement", "bet -3.00 of tg", "tg b1, game g, round r", "cash     87.00",
		"limits_changed by site", "bonus 50.00", "50.00 from promotions to bonus", "bonus    50.00", "bet -2.00", "2.00 counts towards the bonus",
		"limit_exceeded", "the daily wager limit is 15.00: 15.00 is used, 2.00 more is asked for", `"reference": "b3"`)
	_, err = settler.Cancel(t.Context(), settlement.Cancellation{Coupon: placed.ID, Operator: "ops@example.com", Comment: "void match"})
	check(err)
	inOrder(story(func() ([]explain.Step, error) { return explain.Coupon(t.Context(), db, placed.ID.String(), future) }),
		"settlement 3: cancelled, paid 0.00, shall have paid 10.00", "decided by ops@example.com: void match", "coupon_cancelled by ops@example.com", "it is cancelled")
	if _, err := explain.Player(t.Context(), db, "nobody", future); !errors.Is(err, explain.ErrNoPlayer) {
		t.Errorf("nobody's story: %v", err)
	}
	if _, err := explain.Coupon(t.Context(), db, "none", future); !errors.Is(err, explain.ErrNoCoupon) {
		t.Errorf("no coupon's story: %v", err)
	}
	// Another bookmaker has that code too: it names no coupon any more, the id does.
	other := uuid.New()
	_, err = db.Pool.Exec(t.Context(), `
		INSERT INTO coupons (id, provider, bet_code, player_id, status, currency, stake, sent_amount, nominal, rate_mode, lang, pointers, coef, possible_win, placed_at)
		SELECT $2, 'other', bet_code, player_id, 'accepted', currency, stake, sent_amount, nominal, rate_mode, lang, pointers, coef, possible_win, placed_at
		  FROM coupons WHERE id = $1`, placed.ID, other)
	check(err)
	_, err = explain.Coupon(t.Context(), db, placed.BetCode, future)
	if !errors.Is(err, explain.ErrSeveral) || !strings.Contains(err.Error(), placed.ID.String()) || !strings.Contains(err.Error(), "other "+other.String()) {
		t.Errorf("the story of two coupons' code: %v", err)
	}
	if told := story(func() ([]explain.Step, error) { return explain.Coupon(t.Context(), db, other.String(), future) }); strings.Contains(told, "BeT says") {
		t.Errorf("BeT's results are told of the other's coupon:\n%s", told)
	}
	_, err = db.Pool.Exec(t.Context(), `DELETE FROM coupons WHERE id = $1`, other)
	check(err)
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/settlement"
	"evens/wallet"
)

// loses is a bookmaker whose answers are all lost.
type loses struct{}

func (loses) Place(context.Context, bet.Ticket) (bet.Answer, error) {
	return bet.Answer{}, fmt.Errorf("cut off: %w", bet.ErrUnknownOutcome)
}

// keeps keeps what was rung for.
type keeps struct{ chunks []settlement.Chunk }

func (k *keeps) Ring(chunks []settlement.Chunk) { k.chunks = append(k.chunks, chunks...) }

// unanswered is a player, ana, at a bookmaker whose answers are lost.
type unanswered struct {
	t      *testing.T
	db     *postgres.DB
	who    player.Player
	books  *wallet.Books
	poster *wallet.Poster
	desk   *coupon.Desk
}

func (i *installation) unanswered(t *testing.T, cash string) *unanswered {
	t.Helper()
	u := &unanswered{t: t, db: i.db}
	log := slog.New(slog.DiscardHandler)
	var err error
	u.who, _, err = player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	u.check(err)
	u.books = wallet.NewBooks(i.db, nil, log)
	u.poster = wallet.NewPoster(u.books, wallet.PosterConfig{})
	t.Cleanup(u.poster.Close)
	_, err = wallet.Deposit(t.Context(), u.poster, wallet.Cash{
		Player: u.who.ID, Amount: money.MustParse(cash), Currency: "USD", Method: "pix", TransactionID: "d1", At: time.Now(),
	})
	u.check(err)
	u.desk = coupon.NewDesk(u.poster, coupon.NewStore(i.db), coupon.Config{Bookmaker: loses{}, RemoteHost: "http://x", Now: time.Now, Log: log})
	return u
}

func (u *unanswered) check(err error) {
	u.t.Helper()
	if err != nil {
		u.t.Fatal(err)
	}
}

// place places a single at 2.00 and returns its id.
func (u *unanswered) place(stake string) string {
	u.t.Helper()
	placed, err := u.desk.Place(u.t.Context(), coupon.Order{
		Player: u.who.ID, Pointers: []string{"line#1|17|9|0.5#2.00"}, Stake: money.MustParse(stake), Currency: "USD", Lang: "en", RateMode: "reject",
	})
	u.check(err)
	return placed.ID.String()
}

// told takes a push of Heads, and settles what it can.
func (u *unanswered) told(heads string) {
	u.t.Helper()
	bell := &keeps{}
	parsed, err := settlement.ParsePush([]byte(`{"Heads":[` + heads + `]}`))
	u.check(err)
	_, err = settlement.NewInbox(u.db, bell, settlement.Guard{}).Store(u.t.Context(), settlement.Push{Heads: parsed, Body: []byte("{}"), At: time.Now()})
	u.check(err)
	settler := settlement.NewSettler(u.db, u.books, bell, settlement.Guard{}, time.Now, settlement.Observer{}, slog.New(slog.DiscardHandler))
	for _, chunk := range bell.chunks {
		u.check(settler.Apply(u.t.Context(), chunk.ID))
	}
}

// A coupon whose answer was lost, a result that names nobody's coupon, a Head that cannot be read: as an operator
// ends them.
func TestCouponsByHand(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	u := i.unanswered(t, "50")
	adopted, cancelled := u.place("10"), u.place("7")
	u.told(fmt.Sprintf(`{"KeyHead":{"BarCode":"theirs"},"Status":2,"AmountOut":20,"DateRecive":%d},{"BarCode":"theirs","Status":"?"}`, time.Now().Unix()))

	var unknown, unreadable struct {
		ID     int64
		Why    string
		Text   string
		Likely []string `json:"likely_coupons"`
	}
	code, out := i.evens(t, "results", "list", "--json")
	lines := strings.SplitN(out, "\n", 2)
	if code != 0 || json.Unmarshal([]byte(lines[0]), &unreadable) != nil || json.Unmarshal([]byte(lines[1]), &unknown) != nil {
		t.Fatalf("results list: %d %s", code, out)
	}
	if unknown.Why != "unknown_bar_code" {
		unknown, unreadable = unreadable, unknown
	}
	if len(unknown.Likely) != 1 || unknown.Likely[0] != adopted || unreadable.Text != `{"BarCode":"theirs","Status":"?"}` {
		t.Errorf("results list: %s", out)
	}
	by := []string{"--operator", "operator@example.com", "--comment", "BeT confirmed by phone"}
	if code, out := i.evens(t, "coupon", "adopt", adopted, "--bet-code", "theirs", "--dry-run"); code != 0 || !strings.Contains(out, "won, shall have paid 20.00") {
		t.Errorf("a look: %d %s", code, out)
	}
	if code, _ := i.evens(t, "coupon", "adopt", adopted, "--bet-code", "theirs"); code == 0 {
		t.Error("adopted without an operator")
	}
	if n := i.count(t, `SELECT count(*) FROM coupons WHERE status = 'unconfirmed'`); n != 2 {
		t.Errorf("%d coupons are unconfirmed, want 2", n)
	}
	if code, out := i.evens(t, append([]string{"coupon", "adopt", adopted, "--bet-code", "theirs"}, by...)...); code != 0 || !strings.HasSuffix(out, "is won as theirs and has paid 20.00\n") {
		t.Errorf("coupon adopt: %d %s", code, out)
	}
	if code, out := i.evens(t, append([]string{"coupon", "cancel", cancelled}, by...)...); code != 0 ||
		!strings.Contains(out, "unconfirmed  cancelled") || !strings.HasSuffix(out, "cash is 60.00\n") {
		t.Errorf("coupon cancel: %d %s", code, out)
	}
	if code, _ := i.evens(t, append([]string{"coupon", "cancel", cancelled}, by...)...); code != 1 {
		t.Error("cancelled twice")
	}
	if code, _ := i.evens(t, append([]string{"coupon", "cancel", "x"}, by...)...); code != 1 {
		t.Error("cancelled what is no coupon")
	}
	apply := append([]string{"results", "apply", fmt.Sprint(unreadable.ID)}, by...)
	if code, _ := i.evens(t, apply...); code == 0 {
		t.Error("applied without its coupon")
	}
	if code, out := i.evens(t, append(apply, "--coupon", adopted, "--payout", "5", "--force")...); code != 0 || !strings.Contains(out, "has paid 5.00") {
		t.Errorf("results apply: %d %s", code, out)
	}
	if n := i.count(t, `SELECT balance FROM accounts WHERE kind = 'cash'`); n != 450_000 {
		t.Errorf("cash = %d, want 45.0000", n)
	}
	i.clean(t)
}

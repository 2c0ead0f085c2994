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

// A coupon whose answer was lost, a result that names nobody's coupon, a Head that cannot be read: as an operator
// ends them.
func TestCouponsByHand(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	who, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	check(err)
	books := wallet.NewBooks(i.db, nil, log)
	poster := wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	_, err = wallet.Deposit(t.Context(), poster, wallet.Cash{
		Player: who.ID, Amount: money.MustParse("50"), Currency: "USD", Method: "pix", TransactionID: "d1", At: time.Now(),
	})
	check(err)
	desk := coupon.NewDesk(poster, coupon.NewStore(i.db), coupon.Config{Bookmaker: loses{}, RemoteHost: "http://x", Now: time.Now, Log: log})
	place := func(stake string) string {
		placed, err := desk.Place(t.Context(), coupon.Order{
			Player: who.ID, Pointers: []string{"line#1|17|9|0.5#2.00"}, Stake: money.MustParse(stake), Currency: "USD", Lang: "en", RateMode: "reject",
		})
		check(err)
		return placed.ID.String()
	}
	adopted, cancelled := place("10"), place("7")
	bell := &keeps{}
	inbox := settlement.NewInbox(i.db, bell, settlement.Guard{})
	heads, err := settlement.ParsePush(fmt.Appendf(nil, `{"Heads":[{"KeyHead":{"BarCode":"theirs"},"Status":2,"AmountOut":20,"DateRecive":%d},{"BarCode":"theirs","Status":"?"}]}`,
		time.Now().Unix()))
	check(err)
	_, err = inbox.Store(t.Context(), settlement.Push{Heads: heads, Body: []byte("{}"), At: time.Now()})
	check(err)
	settler := settlement.NewSettler(i.db, books, bell, settlement.Guard{}, time.Now, settlement.Observer{}, log)
	for _, chunk := range bell.chunks {
		check(settler.Apply(t.Context(), chunk.ID))
	}

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

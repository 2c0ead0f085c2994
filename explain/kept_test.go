package explain_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/explain"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/settlement/booktest"
	"evens/wallet"
)

// contradicts is a bookmaker whose answer says two things.
type contradicts struct{}

func (contradicts) Place(context.Context, bet.Ticket) (bet.Answer, error) {
	return bet.Answer{}, &bet.UnknownError{
		Reason: "bet code with HTTP 500", BetCode: "code-2", HTTPStatus: 500, Body: []byte(`{"betCode":"code-2"}`),
	}
}

func (contradicts) Read(context.Context, []string) ([]bet.Head, error) { return nil, nil }

// The story of a coupon whose bet code is known and not its fate tells what BeT answered.
func TestStoryOfAKeptAnswer(t *testing.T) {
	t.Parallel()
	db := booktest.Open(t, testbed.Database(t))
	t.Cleanup(func() { booktest.Clean(t, db) })
	now := func() time.Time { return time.Now().UTC() }
	poster := wallet.NewPoster(wallet.NewBooks(db, nil, slog.New(slog.DiscardHandler)), wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	who, _, err := player.New(db, now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = wallet.Deposit(t.Context(), poster, wallet.Cash{
		Player: who.ID, Amount: money.MustParse("100"), Currency: "USD", Method: "pix", TransactionID: "d1", At: now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	desk := coupon.NewDesk(poster, coupon.NewStore(db), coupon.Config{
		Bookmaker: contradicts{}, Reader: contradicts{}, RemoteHost: "http://x", Now: now, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(desk.Wait)
	placed, err := desk.Place(t.Context(), coupon.Order{
		Player: who.ID, Pointers: []string{"line#1|17|9|0.5#2.00"}, Stake: money.MustParse("10"), Currency: "USD", Lang: "en", RateMode: "reject",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.Confirm(t.Context(), placed.ID); err != nil {
		t.Fatal(err)
	}
	steps, err := explain.Coupon(t.Context(), db, placed.ID.String(), now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := explain.Print(&text, steps); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"bet code code-2", "bet code with HTTP 500", `HTTP 500: "{\"betCode\":\"code-2\"}"`, "asked about code-2 1 times", "BeT's list does not have it"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the story has no %q:\n%s", want, &text)
		}
	}
}

package player

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// post moves money for a player the way a game or coupon would.
func (b bundle) post(t *testing.T, transaction ledger.Transaction, moves ...ledger.Move) {
	t.Helper()
	err := b.poster.Do(t.Context(), &wallet.Work{
		Players: []uuid.UUID{transaction.Player}, Keys: []ledger.Key{transaction.Key},
		Decide: func(batch *wallet.Batch) error {
			_, _, err := batch.Post(transaction, moves...)
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (b bundle) deposit(t *testing.T, player uuid.UUID, id, amount string) {
	t.Helper()
	_, err := wallet.Deposit(t.Context(), b.poster, wallet.Cash{
		Player: player, Amount: money.MustParse(amount), Currency: "USD", Method: "card", TransactionID: id, At: b.clock.at,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// story is a deposit, a stake in a coupon a minute later, the coupon's loss, and a game's bet.
func (b bundle) story(t *testing.T) (player, coupon uuid.UUID) {
	t.Helper()
	p := b.player(t, "ext-1")
	coupon = uuid.Must(uuid.NewV7())
	start := b.clock.at
	b.deposit(t, p.ID, "d1", "100")
	ofCoupon := uuid.NullUUID{UUID: coupon, Valid: true}
	b.post(t, ledger.Transaction{
		Key: ledger.Key{Source: "coupon", ExternalID: "c1:stake"}, Kind: ledger.Stake, Player: p.ID, Provider: "bet",
		Coupon: ofCoupon, At: start.Add(time.Minute),
	}, ledger.Move{From: ledger.Cash, To: ledger.StakesHeld, Amount: money.MustParse("15.50")})
	b.post(t, ledger.Transaction{
		Key: ledger.Key{Source: "coupon", ExternalID: "c1:1"}, Kind: ledger.Loss, Player: p.ID, Provider: "bet",
		Coupon: ofCoupon, At: start.Add(2 * time.Minute),
	}, ledger.Move{From: ledger.StakesHeld, To: ledger.Sportsbook, Amount: money.MustParse("15.50")})
	b.post(t, ledger.Transaction{
		Key: ledger.Key{Source: "tg", ExternalID: "r7"}, Kind: "bet", Player: p.ID, Provider: "tg", Game: "slot", Round: "round-7",
		At: start.Add(3 * time.Minute),
	}, ledger.Move{From: ledger.Cash, To: ledger.Sportsbook, Amount: money.MustParse("0.5")})
	return p.ID, coupon
}

func TestHistoryTellsNewestFirstWithoutLosses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	player, coupon := b.story(t)
	start := b.clock.at
	got, err := b.history.Page(t.Context(), player, HistoryFilter{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := []Movement{
		{
			At: start.Add(3 * time.Minute), Type: "bet", Amount: money.MustParse("-0.5"), Balance: money.MustParse("84"), Currency: "USD",
			Provider: "tg", TransactionID: "r7", GameID: "slot", RoundID: "round-7",
		},
		{
			At: start.Add(time.Minute), Type: ledger.Stake, Amount: money.MustParse("-15.5"), Balance: money.MustParse("84.5"), Currency: "USD",
			Provider: "bet", TransactionID: "c1:stake", Coupon: uuid.NullUUID{UUID: coupon, Valid: true},
		},
		{
			At: start, Type: ledger.Deposit, Amount: money.MustParse("100"), Balance: money.MustParse("100"), Currency: "USD",
			Provider: "cashier", TransactionID: "d1", Comment: "card",
		},
	}
	for i := range got {
		got[i].ID = uuid.UUID{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Page() (-want +got):\n%s", diff)
	}
}

func TestHistoryFilters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	player, coupon := b.story(t)
	start := b.clock.at
	for _, test := range []struct {
		name   string
		filter HistoryFilter
		want   []string
	}{
		{"nothing", HistoryFilter{}, []string{"r7", "c1:stake", "d1"}},
		{"from, included", HistoryFilter{From: start.Add(time.Minute)}, []string{"r7", "c1:stake"}},
		{"to, excluded", HistoryFilter{To: start.Add(time.Minute)}, []string{"d1"}},
		{"one type", HistoryFilter{Types: []string{"deposit"}}, []string{"d1"}},
		{"two types", HistoryFilter{Types: []string{"deposit", "stake"}}, []string{"c1:stake", "d1"}},
		{"losses, which are no movements", HistoryFilter{Types: []string{"loss"}}, nil},
		{"a provider", HistoryFilter{Provider: "bet"}, []string{"c1:stake"}},
		{"a game", HistoryFilter{GameID: "slot"}, []string{"r7"}},
		{"a round", HistoryFilter{RoundID: "round-7"}, []string{"r7"}},
		{"a coupon", HistoryFilter{Coupon: uuid.NullUUID{UUID: coupon, Valid: true}}, []string{"c1:stake"}},
		{"everything at once", HistoryFilter{From: start, To: start.Add(time.Hour), Types: []string{"bet"}, Provider: "tg", GameID: "slot", RoundID: "round-7"}, []string{"r7"}},
		{"two that exclude each other", HistoryFilter{GameID: "slot", Provider: "bet"}, nil},
	} {
		movements, err := b.history.Page(t.Context(), player, test.filter, 10)
		if got := externalIDs(movements); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: Page() = %v, %v, want %v", test.name, got, err, test.want)
		}
	}
	if movements, err := b.history.Page(t.Context(), uuid.New(), HistoryFilter{}, 10); err != nil || len(movements) != 0 {
		t.Errorf("Page() of an unknown player = %v, %v, want none", movements, err)
	}
}

func externalIDs(movements []Movement) []string {
	var ids []string
	for _, m := range movements {
		ids = append(ids, m.TransactionID)
	}
	return ids
}

func TestPagesAndStreamTellTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "ext-1"), b.player(t, "ext-2")
	const count = 2*chunk + 5
	var want []string
	err := b.poster.Do(t.Context(), &wallet.Work{
		Players: []uuid.UUID{p.ID, other.ID},
		Decide: func(batch *wallet.Batch) error {
			want = want[:0]
			for i := range count {
				for _, player := range []uuid.UUID{p.ID, other.ID} {
					id := fmt.Sprintf("%s-%d", player, i)
					_, _, err := batch.Post(ledger.Transaction{
						Key: ledger.Key{Source: "cashier", ExternalID: id}, Kind: ledger.Deposit, Player: player, At: b.clock.at,
					}, ledger.Move{From: ledger.Cashier, To: ledger.Cash, Amount: 1})
					if err != nil {
						return err
					}
				}
				want = append(want, fmt.Sprintf("%s-%d", p.ID, i))
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(want)

	var streamed []string
	for m, err := range b.history.All(t.Context(), p.ID, HistoryFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		streamed = append(streamed, m.TransactionID)
	}
	if !slices.Equal(streamed, want) {
		t.Errorf("All() told %d movements, want %d, newest first", len(streamed), len(want))
	}

	var paged []string
	filter := HistoryFilter{}
	for {
		movements, err := b.history.Page(t.Context(), p.ID, filter, 300)
		if err != nil {
			t.Fatal(err)
		}
		if len(movements) == 0 {
			break
		}
		paged = append(paged, externalIDs(movements)...)
		filter.Before = uuid.NullUUID{UUID: movements[len(movements)-1].ID, Valid: true}
	}
	if !slices.Equal(paged, want) {
		t.Errorf("pages told %d movements, want %d, newest first", len(paged), len(want))
	}

	for _, err := range b.history.All(t.Context(), p.ID, HistoryFilter{}) {
		if err != nil {
			t.Error(err)
		}
		break // a reader may leave
	}
}

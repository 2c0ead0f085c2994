package player

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"evens/access"
	"evens/money"
	"evens/wallet"
)

func TestCreateOpensAnEmptyPurse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	in := Registration{ExternalID: "ext-1", Name: "Ann", Email: "ann@example.com", Currency: "USD"}
	p, created, err := b.players.Create(t.Context(), in)
	if err != nil || !created {
		t.Fatalf("Create() created = %v, %v, want a new player", created, err)
	}
	want := Player{
		ID: p.ID, ExternalID: "ext-1", Name: "Ann", Email: "ann@example.com", Currency: "USD",
		Status: wallet.Active, CreatedAt: b.clock.at,
	}
	for name, read := range map[string]func() (Player, error){
		"Get":          func() (Player, error) { return b.players.Get(t.Context(), p.ID) },
		"ByExternalID": func() (Player, error) { return b.players.ByExternalID(t.Context(), "ext-1") },
	} {
		if got, err := read(); err != nil || got != want {
			t.Errorf("%s() = %+v, %v, want %+v", name, got, err, want)
		}
	}
	balance, err := b.players.Balance(t.Context(), p.ID)
	if want := (wallet.Balance{Player: p.ID, Currency: "USD"}); err != nil || balance != want {
		t.Errorf("Balance() = %+v, %v, want %+v", balance, err, want)
	}
}

func TestCreateAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.player(t, "ext-1")
	again, created, err := b.players.Create(t.Context(), Registration{ExternalID: "ext-1", Name: "Someone else", Currency: "USD"})
	if err != nil || created || again != first {
		t.Errorf("Create() again = %+v, created = %v, %v, want the same player %+v", again, created, err, first)
	}
	_, _, err = b.players.Create(t.Context(), Registration{ExternalID: "ext-1", Currency: "EUR"})
	if !errors.Is(err, ErrConflict) {
		t.Errorf("Create() in another currency = %v, want ErrConflict", err)
	}
	_, _, err = b.players.Create(t.Context(), Registration{Currency: "USD"})
	if !errors.Is(err, ErrNoExternalID) {
		t.Errorf("Create() without an external id = %v, want ErrNoExternalID", err)
	}
	_, _, err = b.players.Create(t.Context(), Registration{ExternalID: "ext-2", Currency: "usd"})
	if !errors.Is(err, money.ErrCurrency) {
		t.Errorf("Create() in no currency = %v, want money.ErrCurrency", err)
	}
}

func TestCreateAtOnceMakesOnePlayer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const callers = 12
	var wg sync.WaitGroup
	ids, created := make([]uuid.UUID, callers), make([]bool, callers)
	for i := range callers {
		wg.Go(func() {
			p, fresh, err := b.players.Create(t.Context(), Registration{ExternalID: "ext-1", Currency: "JPY"})
			if err != nil {
				t.Errorf("Create() = %v", err)
			}
			ids[i], created[i] = p.ID, fresh
		})
	}
	wg.Wait()
	creators := 0
	for i := range callers {
		if ids[i] != ids[0] {
			t.Errorf("caller %d got player %s, another got %s", i, ids[i], ids[0])
		}
		if created[i] {
			creators++
		}
	}
	if creators != 1 {
		t.Errorf("%d callers created the player, want 1", creators)
	}
	var accounts int
	if err := b.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM accounts WHERE player_id IS NOT NULL`).Scan(&accounts); err != nil || accounts != 2 {
		t.Errorf("%d accounts (%v), want cash and bonus of one player", accounts, err)
	}
}

func TestUnknownPlayer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, getErr := b.players.Get(t.Context(), uuid.New())
	_, externalErr := b.players.ByExternalID(t.Context(), "nobody")
	_, balanceErr := b.players.Balance(t.Context(), uuid.New())
	statusErr := b.players.SetStatus(t.Context(), uuid.New(), wallet.Blocked, "op@example.com", "")
	_, _, tokenErr := b.tokens.Issue(t.Context(), uuid.New(), 0)
	for name, err := range map[string]error{
		"Get": getErr, "ByExternalID": externalErr, "Balance": balanceErr, "SetStatus": statusErr, "Issue": tokenErr,
	} {
		if !errors.Is(err, wallet.ErrUnknownPlayer) {
			t.Errorf("%s() = %v, want wallet.ErrUnknownPlayer", name, err)
		}
	}
	found, err := b.players.Balances(t.Context(), []uuid.UUID{uuid.New()})
	if err != nil || len(found) != 0 {
		t.Errorf("Balances() = %v, %v, want none", found, err)
	}
}

func TestBalancesFollowTheLedger(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "ext-1"), b.player(t, "ext-2")
	cash := wallet.Cash{Player: p.ID, Amount: money.MustParse("150.25"), Currency: "USD", TransactionID: "d1", At: b.clock.at}
	if _, err := wallet.Deposit(t.Context(), b.poster, cash); err != nil {
		t.Fatal(err)
	}
	got, err := b.players.Balances(t.Context(), []uuid.UUID{p.ID, other.ID, uuid.New()})
	if err != nil {
		t.Fatal(err)
	}
	want := map[uuid.UUID]wallet.Balance{
		p.ID:     {Player: p.ID, Currency: "USD", Cash: money.MustParse("150.25")},
		other.ID: {Player: other.ID, Currency: "USD"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Balances() (-want +got):\n%s", diff)
	}
}

func TestSetStatusIsLogged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "ext-1")
	if err := b.players.SetStatus(t.Context(), p.ID, wallet.Blocked, "op@example.com", "asked for a break"); err != nil {
		t.Fatal(err)
	}
	if got, err := b.players.Get(t.Context(), p.ID); err != nil || got.Status != wallet.Blocked {
		t.Errorf("status = %s, %v, want blocked", got.Status, err)
	}
	var operator, comment, status string
	err := b.db.Pool.QueryRow(t.Context(), `
		SELECT operator, comment, detail->>'status' FROM activity_log WHERE player_id = $1 AND event = $2`,
		p.ID, EventPlayerStatus).Scan(&operator, &comment, &status)
	if err != nil || operator != "op@example.com" || comment != "asked for a break" || status != "blocked" {
		t.Errorf("activity = %q, %q, %q, %v", operator, comment, status, err)
	}
	if err := b.players.SetStatus(t.Context(), p.ID, "asleep", "op@example.com", ""); !errors.Is(err, ErrStatus) {
		t.Errorf("SetStatus(asleep) = %v, want ErrStatus", err)
	}
}

// Blocking a player ends their tokens: they read nothing, and do not come back with a pardon.
func TestBlockingEndsTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, status := range []wallet.Status{wallet.Blocked, wallet.Closed} {
		p := b.player(t, string(status))
		token, _, err := b.tokens.Issue(t.Context(), p.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range []wallet.Status{status, wallet.Active} {
			if err := b.players.SetStatus(t.Context(), p.ID, to, "eva@example.com", "asked for it"); err != nil {
				t.Fatal(err)
			}
			if _, err := b.tokens.Resolve(t.Context(), token); !errors.Is(err, access.ErrToken) {
				t.Errorf("a token of before, %s after %s: %v, want ErrToken", to, status, err)
			}
		}
		if _, _, err := b.tokens.Issue(t.Context(), p.ID, 0); err != nil {
			t.Errorf("a new token after a pardon: %v", err)
		}
	}
}

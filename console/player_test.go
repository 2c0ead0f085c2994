package console

import (
	"context"
	"encoding/csv"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// newSupport reads a database of the test's own.
func newSupport(t *testing.T) (*Support, *wallet.Poster) {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 2, HotConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	now := func() time.Time { return time.Now().UTC() }
	quiet := slog.New(slog.DiscardHandler)
	books := wallet.NewBooks(db, nil, quiet)
	poster := wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	support := &Support{
		Players: player.New(db, now), History: player.NewHistory(db), Rules: wallet.NewRulebook(books, 0, now), Log: quiet,
		Debts: func(ctx context.Context, id uuid.NullUUID) ([]player.Debt, error) { return player.Debts(ctx, db, id) },
		Bonuses: func(ctx context.Context, id uuid.UUID, before uuid.NullUUID, limit int) ([]wallet.BonusView, error) {
			return wallet.Bonuses(ctx, db, id, before, limit)
		},
	}
	return support, poster
}

// What support sees of a player: balances, the debt and its age, the bonus, limits, and the history
// that is asked for; all of it as CSV.
func TestThePageOfAPlayer(t *testing.T) {
	t.Parallel()
	support, poster := newSupport(t)
	who, _, err := support.Players.Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana <b>", Email: "ana@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	post := func(kind ledger.Kind, n int, cash string) {
		t.Helper()
		for range n {
			key := ledger.Key{Source: "test", ExternalID: uuid.NewString()}
			work := &wallet.Work{Players: []uuid.UUID{who.ID}, Keys: []ledger.Key{key}, At: time.Now().UTC()}
			work.Decide = func(batch *wallet.Batch) error {
				_, _, err := batch.Post(ledger.Transaction{Key: key, Kind: kind, Player: who.ID, Provider: "tg", Round: "r-" + string(kind), At: work.At},
					wallet.Split{Cash: -money.MustParse(cash)}.Moves(ledger.Casino)...)
				return err
			}
			if err := poster.Do(t.Context(), work); err != nil {
				t.Fatal(err)
			}
		}
	}
	post(ledger.Win, pageRows+5, "1.00")
	post(ledger.Rollback, 1, "-130.00")
	_, err = wallet.GiveBonus(t.Context(), poster, wallet.Grant{Player: who.ID, Currency: "USD", Amount: money.MustParse("7"), Wagering: 40 * money.One, Terms: wallet.OpenTerms(), At: time.Now().UTC()}, wallet.Request{})
	if err != nil {
		t.Fatal(err)
	}
	var wish wallet.Wish
	wish.Caps[wallet.Deposits][wallet.Weekly] = &wallet.Cap{Amount: money.MustParse("500"), Set: true}
	if _, err := support.Rules.Change(t.Context(), who.ID, wish, "test", ""); err != nil {
		t.Fatal(err)
	}
	server := serve(t, Config{Support: support})
	page := func(path string) string {
		t.Helper()
		status, body := get(t, server.URL+"/console/players/"+path, "ops@example.com", "correct horse")
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, body)
		}
		return body
	}
	body := page("ana")
	for _, part := range []string{"Ana &lt;b&gt;", "-25.00 USD", "Debt since", "280.00", "deposit, weekly", "500.00", "Older", ">rollback<"} {
		if !strings.Contains(body, part) {
			t.Errorf("the page does not show %q", part)
		}
	}
	if rows := strings.Count(body, "<tr><td>"); rows != pageRows {
		t.Errorf("%d rows", rows)
	}
	_, rest, _ := strings.Cut(body, `rel="next" href="`)
	link, _, _ := strings.Cut(rest, `"`)
	if older := page(who.ID.String() + strings.ReplaceAll(link, "&amp;", "&")); strings.Count(older, "<tr><td>") != 7 {
		t.Errorf("the older page has %d rows, want 7", strings.Count(older, "<tr><td>"))
	}
	if one := page("ana?type=rollback"); strings.Count(one, "<tr><td>") != 1 {
		t.Error("the filter by type")
	}
	if none := page("ana?round_id=none"); !strings.Contains(none, "Nothing here") {
		t.Error("the filter by round")
	}
	lines, err := csv.NewReader(strings.NewReader(page("ana/transactions.csv"))).ReadAll()
	if err != nil || len(lines) != 1+pageRows+7 {
		t.Errorf("%d lines of CSV, %v", len(lines), err)
	}
	for path, want := range map[string]int{"nobody": 404, "ana?from=yesterday": 422, "ana?coupon_id=7": 422, "nobody/transactions.csv": 404} {
		if status, body := get(t, server.URL+"/console/players/"+path, "ops@example.com", "correct horse"); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, body, want)
		}
	}
	if status, _ := get(t, server.URL+"/console/players/ana", "", ""); status != http.StatusUnauthorized {
		t.Errorf("without a login: %d", status)
	}
}

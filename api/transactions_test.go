package api

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"evens/ledger"
	"evens/player"
	"evens/wallet"
)

func TestTransactionsTellWhatHappened(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", depositBody("100").with("transaction_id", "d1"), idempotent("k1"))
	c := b.place(t, p.ID)
	var page transactionPage
	read := b.call(t, "GET", "/v1/players/"+p.ID+"/transactions", nil)
	read.into(t, &page)
	want := []transactionView{
		{
			Type: "stake", Amount: "-15.50", Balance: "84.50", BonusBalance: "0.00", Currency: "USD", Provider: new("bet"),
			TransactionID: c.ID + ":stake", CouponID: new(c.ID),
		},
		{
			Type: "deposit", Amount: "100.00", Balance: "100.00", BonusBalance: "0.00", Currency: "USD", Provider: new("cashier"),
			TransactionID: "d1", Comment: new("card"),
		},
	}
	for i := range page.Items {
		if _, ok := parseID(page.Items[i].ID); !ok || time.Since(page.Items[i].At) > time.Minute {
			t.Errorf("item %d has id %q and time %s", i, page.Items[i].ID, page.Items[i].At)
		}
		page.Items[i].ID, page.Items[i].At = "", time.Time{}
	}
	if diff := cmp.Diff(want, page.Items); read.status != http.StatusOK || page.NextCursor != nil || diff != "" {
		t.Errorf("transactions: %d, next %v (-want +got):\n%s", read.status, page.NextCursor, diff)
	}
	for query, want := range map[string]int{
		"type=deposit": 1, "type=deposit,stake": 2, "type=deposit&type=stake": 2, "type=loss": 0, "cursor=": 2,
		"provider=bet": 1, "provider=naga": 0, "game_id=slot": 0, "from=2100-01-01T00:00:00Z": 0, "to=2100-01-01T00:00:00Z": 2,
	} {
		var page transactionPage
		got := b.call(t, "GET", "/v1/players/"+p.ID+"/transactions?"+query, nil)
		got.into(t, &page)
		if got.status != http.StatusOK || len(page.Items) != want {
			t.Errorf("%s: %d with %d items, want 200 with %d", query, got.status, len(page.Items), want)
		}
	}
}

// deposits writes many movements past the API.
func (b bundle) deposits(t *testing.T, playerID string, count int, comment string) {
	t.Helper()
	id := uuid.MustParse(playerID)
	err := b.config.Poster.Do(t.Context(), &wallet.Work{
		Players: []uuid.UUID{id},
		Decide: func(batch *wallet.Batch) error {
			for i := range count {
				_, _, err := batch.Post(ledger.Transaction{
					Key: ledger.Key{Source: "test", ExternalID: fmt.Sprintf("%s %d", playerID, i)}, Kind: ledger.Deposit, Player: id,
					At: time.Now(), Comment: comment,
				}, ledger.Move{From: ledger.Cashier, To: ledger.Cash, Amount: 10_000})
				if err != nil {
					return err
				}
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTransactionsPageByPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	const count = 23
	b.deposits(t, p.ID, count, "")
	for _, limit := range []int{1, 7, count - 1, count, 500} {
		var ids []string
		cursor := ""
		for {
			var page transactionPage
			b.call(t, "GET", fmt.Sprintf("/v1/players/%s/transactions?limit=%d%s", p.ID, limit, cursor), nil).into(t, &page)
			for _, item := range page.Items {
				ids = append(ids, item.TransactionID)
			}
			if len(page.Items) > limit {
				t.Fatalf("%d items on a page of %d", len(page.Items), limit)
			}
			if page.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *page.NextCursor
		}
		var want []string
		for i := range count {
			want = append(want, fmt.Sprintf("%s %d", p.ID, count-1-i))
		}
		if !slices.Equal(ids, want) {
			t.Errorf("limit %d: %d items, want %d, newest first", limit, len(ids), count)
		}
	}
}

func TestTransactionsAsCSV(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	empty := b.call(t, "GET", "/v1/players/"+p.ID+"/transactions", nil, header("Accept", "text/csv"))
	if want := strings.Join(player.CSVHeader(), ",") + "\n"; empty.status != http.StatusOK || empty.body != want {
		t.Errorf("an empty selection: %d %q, want the header line alone", empty.status, empty.body)
	}
	const count = 2500
	b.deposits(t, p.ID, count, `says "hello", twice`)
	got := b.call(t, "GET", "/v1/players/"+p.ID+"/transactions?limit=3&type=deposit", nil, header("Accept", "text/csv"), bearing(b.token(t, p.ID)))
	if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") {
		t.Fatalf("CSV: %d %s", got.status, got.header.Get("Content-Type"))
	}
	lines, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil || len(lines) != count+1 {
		t.Fatalf("%d lines, %v, want %d", len(lines), err, count+1)
	}
	var item transactionPage
	b.call(t, "GET", "/v1/players/"+p.ID+"/transactions?limit=1", nil).into(t, &item)
	newest := item.Items[0]
	want := []string{
		newest.ID, newest.At.Format(time.RFC3339Nano), "deposit", "1.00", "2500.00", "0.00", "USD", "",
		newest.TransactionID, "", "", "", `says "hello", twice`,
	}
	if diff := cmp.Diff(want, lines[1]); diff != "" {
		t.Errorf("first line (-want +got):\n%s", diff)
	}
}

func TestAcceptChoosesTheRepresentation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	for accept, want := range map[string]string{
		"": mediaJSON, "*/*": mediaJSON, "application/json": mediaJSON, "text/html": mediaJSON, "application/json, text/csv;q=0.5": mediaJSON,
		"text/csv": mediaCSV, "text/csv, application/json;q=0.9": mediaCSV,
	} {
		got := b.call(t, "GET", "/v1/players/"+p.ID+"/transactions", nil, header("Accept", accept))
		if kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";"); got.status != http.StatusOK || kind != want {
			t.Errorf("Accept %q: %d %s, want %s", accept, got.status, kind, want)
		}
	}
}

func TestBrokenCSVDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	b.deposits(t, p.ID, 20_000, strings.Repeat("x", 600)) // more than the buffers between server and client hold
	response, err := http.DefaultClient.Do(b.request(t, "GET", "/v1/players/"+p.ID+"/transactions", nil, header("Accept", "text/csv")))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadFull(response.Body, make([]byte, 1000)); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("first lines: %d, %v", response.StatusCode, err)
	}
	if _, err := b.db.Pool.Exec(t.Context(), `ALTER TABLE transactions RENAME TO gone`); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.Copy(io.Discard, response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %d bytes more, %v, want the connection cut", rest, err)
	}
	if log := b.log.String(); !strings.Contains(log, "level=ERROR") {
		t.Error("nothing logged at the level of errors")
	}
	b.call(t, "GET", "/v1/players/"+p.ID+"/transactions", nil, header("Accept", "text/csv")).
		check(t, http.StatusInternalServerError, CodeInternal)
}

// Who asks for bets or wins sees the spins that were both in one.
func TestTypesOfSpins(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"bet": "bet,bet_win", "win": "win,bet_win", "rollback,bet": "rollback,bet,bet_win", "deposit": "deposit"} {
		var c checks
		if got := strings.Join(types(&c, []string{given}), ","); got != want || c.err() != nil {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}

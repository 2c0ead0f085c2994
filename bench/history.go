package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/coupon"
)

// historySteps fill an empty schema with one player, $2 = 1, who has $1 transactions over a year: bets
// and wins of four platforms, coupons, deposits and withdrawals. They are for reading; the ledger has
// no transfers of them.
var historySteps = []seedStep{
	{"the player", `
	INSERT INTO players (id, external_id, name, email, currency, created_at)
	SELECT pg_temp.seed_id(1, p), 'history-' || p, 'Player', 'p@example.com', 'USD', now() FROM generate_series(1, $2::bigint) p WHERE $1::bigint > 0`},
	{"accounts", `
	INSERT INTO accounts (player_id, currency, kind, balance)
	SELECT pg_temp.seed_id(1, p), 'USD', k.kind, 0 FROM generate_series(1, $2::bigint) p, (VALUES ('cash'), ('bonus')) k (kind) WHERE $1::bigint > 0`},
	{"a year of transactions", `
	INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, game_id, round_id, coupon_id, payload_hash, at)
	SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid,
	       'history', n::text, kind, pg_temp.seed_id(1, 1), 100, 100, 0,
	       CASE WHEN kind IN ('bet', 'win') THEN (ARRAY['betao', 'betron', 'tg', 'naga'])[1 + (n / 2) % 4] WHEN kind IN ('stake', 'payout') THEN '` + coupon.Provider + `' ELSE 'cashier' END,
	       CASE WHEN kind IN ('bet', 'win') THEN 'game-' || (n / 2) % 50 END,
	       CASE WHEN kind IN ('bet', 'win') THEN 'round-' || n / 2 END,
	       CASE WHEN kind IN ('stake', 'payout') THEN pg_temp.seed_id(4, n / 2) END,
	       '\x00', at
	  FROM (SELECT n, now() - ($1::bigint - n) * (interval '365 days' / $1::bigint) AS at,
	               CASE WHEN n % 1000 = 0 THEN 'deposit' WHEN n % 5000 = 7 THEN 'withdrawal' WHEN n % 100 < 4 THEN (ARRAY['stake', 'payout'])[1 + n % 2]
	                    ELSE (ARRAY['bet', 'win'])[1 + n % 2] END AS kind
	          FROM generate_series(1, $1::bigint) n) t WHERE $2::bigint > 0`},
}

// SeedHistory fills an empty schema with a player of n transactions, and returns the player's id.
func SeedHistory(ctx context.Context, pool *pgxpool.Pool, n int, progress io.Writer) (id uuid.UUID, err error) {
	fmt.Fprintf(progress, "seeding a player with %d transactions\n", n)
	if err := fill(ctx, pool, historySteps, n, 1); err != nil {
		return uuid.Nil, err
	}
	return id, pool.QueryRow(ctx, `SELECT id FROM players LIMIT 1`).Scan(&id)
}

// History reads a long history over HTTP.
type History struct {
	BaseURL, APIKey string
	Player          uuid.UUID
	Transactions    int
}

// pagesEach is how many pages of a selection are read.
const pagesEach = 50

// Pages reads pages of several selections, walking on from page to page where there are more, and tells
// the time of each.
func (h History) Pages(ctx context.Context, tell Tell) error {
	coupon, err := h.anyCoupon(ctx)
	if err != nil {
		return err
	}
	old := time.Now().AddDate(0, -9, 0).UTC().Format(time.RFC3339)
	for _, selection := range []struct{ name, query string }{
		{"everything", "limit=100"},
		{"a month long ago", "limit=100&to=" + old},
		{"deposits", "limit=100&type=deposit"},
		{"wins", "limit=100&type=win"},
		{"a platform", "limit=100&provider=tg"},
		{"a game", "limit=100&game_id=game-7"},
		{"a round", "limit=100&round_id=round-250013"},
		{"coupons", "limit=100&type=stake,payout"},
		{"a coupon", "limit=100&coupon_id=" + coupon},
	} {
		if err := h.pages(ctx, "history: "+selection.name, selection.query, tell); err != nil {
			return fmt.Errorf("%s: %w", selection.name, err)
		}
	}
	return nil
}

// anyCoupon is one that the player has placed.
func (h History) anyCoupon(ctx context.Context) (string, error) {
	response, err := h.get(ctx, "limit=1&type=stake", "application/json")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var page struct {
		Items []struct {
			Coupon string `json:"coupon_id"`
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil {
		return "", err
	}
	if len(page.Items) == 0 {
		return "", errors.New("there is no coupon")
	}
	return page.Items[0].Coupon, nil
}

func (h History) get(ctx context.Context, query, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.BaseURL+"/v1/players/"+h.Player.String()+"/transactions?"+query, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+h.APIKey)
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d", response.StatusCode)
	}
	return response, err
}

func (h History) pages(ctx context.Context, name, query string, tell Tell) error {
	resetPeak()
	before, started := measure(), time.Now()
	var latencies []time.Duration
	cursor := ""
	for range pagesEach {
		asked := time.Now()
		response, err := h.get(ctx, query+cursor, "application/json") //nolint:bodyclose // readNext closes it
		if err != nil {
			return err
		}
		next, err := readNext(response.Body)
		if err != nil {
			return err
		}
		latencies = append(latencies, time.Since(asked))
		cursor = ""
		if next != "" {
			cursor = "&cursor=" + url.QueryEscape(next)
		}
	}
	report := &Report{Name: name, N: len(latencies)}
	report.finish(time.Since(started), latencies, measure().since(before), Baseline{})
	return tell(report)
}

// CSV streams everything, and tells the time to the first byte as the latency.
func (h History) CSV(ctx context.Context, tell Tell) error {
	resetPeak()
	before, started := measure(), time.Now()
	response, err := h.get(ctx, "", "text/csv")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.ReadFull(response.Body, make([]byte, 1)); err != nil {
		return err
	}
	first := time.Since(started)
	lines, err := countLines(response.Body)
	if err != nil {
		return err
	}
	if lines != h.Transactions+1 {
		return fmt.Errorf("%d lines of CSV, want %d", lines, h.Transactions+1)
	}
	report := &Report{Name: "history: CSV, time to the first byte", N: h.Transactions}
	report.finish(time.Since(started), []time.Duration{first}, measure().since(before), Baseline{})
	return tell(report)
}

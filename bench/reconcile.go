package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/internal/postgres"
	"evens/reconcile"
)

// Reconcile measures one run of a provider's list against as many transactions of ours.
type Reconcile struct {
	N    int
	Pool *pgxpool.Pool
	// Run does the run over a window.
	Run      func(ctx context.Context, from, to time.Time) (*reconcile.Report, error)
	Progress io.Writer
}

// planted is how many differences the list has.
const planted = 500

// epoch is when the seeded transactions begin: a thousand a millisecond.
var epoch = time.UnixMilli(1_700_000_000_000).UTC()

// betsEach is how many of them a player has.
const betsEach = 20

// seedBets fill an empty schema with $1 bets of 1.00 of $2 players, books even.
var seedBets = []seedStep{
	seedSteps[0], // the players
	{"house accounts", `
	INSERT INTO accounts (currency, kind)
	SELECT 'USD', k FROM unnest('{cashier,casino,stakes_held,sportsbook,withdrawals_held}'::text[]) k WHERE $1::bigint > 0 AND $2::bigint > 0`},
	{"player accounts", `
	INSERT INTO accounts (player_id, currency, kind, balance, version)
	SELECT pg_temp.seed_id(1, p), 'USD', k.kind,
	       CASE k.kind WHEN 'cash' THEN 100000000 - 10000 * ((($1::bigint - p) / $2::bigint) + 1) ELSE 0 END,
	       CASE k.kind WHEN 'cash' THEN 1 + (($1::bigint - p) / $2::bigint) + 1 ELSE 0 END
	  FROM generate_series(1, $2::bigint) p, (VALUES ('cash'), ('bonus')) k (kind)`},
	{"deposits", `
	INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, payload_hash, at)
	SELECT pg_temp.seed_id(2, p), 'cashier', 'bench-' || p, 'deposit', pg_temp.seed_id(1, p), 100000000, 100000000, 0,
	       'cashier', '\x00', '2023-11-01'
	  FROM generate_series(1, $2::bigint) p WHERE $1::bigint > 0`},
	{"deposits' transfers", `
	INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, balance_after, account_version, at)
	SELECT pg_temp.seed_id(2, p), 1, (SELECT id FROM accounts WHERE kind = 'cashier'), a.id, 100000000, 100000000, 1, '2023-11-01'
	  FROM generate_series(1, $2::bigint) p
	  JOIN accounts a ON a.player_id = pg_temp.seed_id(1, p) AND a.kind = 'cash' WHERE $1::bigint > 0`},
	{"bets", `
	INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, provider, game_id, payload_hash, at)
	SELECT pg_temp.seed_id(3, c), 'betao', 'tx-' || lpad(c::text, 9, '0'), 'bet', pg_temp.seed_id(1, (c - 1) % $2 + 1),
	       -10000, 100000000 - 10000 * ((c - 1) / $2 + 1), 0, 'betao', 'game-101', '\x00', to_timestamp(1700000000 + c / 1000 / 1000.0)
	  FROM generate_series(1, $1::bigint) c`},
	{"bets' transfers", `
	INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, balance_after, account_version, at)
	SELECT pg_temp.seed_id(3, c), 1, a.id, (SELECT id FROM accounts WHERE kind = 'casino'), 10000,
	       100000000 - 10000 * ((c - 1) / $2 + 1), 2 + (c - 1) / $2, to_timestamp(1700000000 + c / 1000 / 1000.0)
	  FROM generate_series(1, $1::bigint) c
	  JOIN accounts a ON a.player_id = pg_temp.seed_id(1, (c - 1) % $2 + 1) AND a.kind = 'cash'`},
}

// fault is what the list says wrong of a transaction.
type fault int

const (
	even fault = iota
	lost
	failed
	amount
	player
	currency
	twice
	extraCredit
	extraDebit
	faults
)

func (r Reconcile) players() int { return max(1, r.N/betsEach) }

// plant draws which transactions the list has wrong.
func (r Reconcile) plant() map[int]fault {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same differences each time
	plants := make(map[int]fault, planted)
	for len(plants) < min(planted, r.N/4) {
		plants[1+random.IntN(r.N)] = fault(1 + random.IntN(int(faults)-1))
	}
	return plants
}

// Handler is the provider: its list of transactions, in pages, differences planted.
func (r Reconcile) Handler() http.Handler {
	plants, players := r.plant(), r.players()
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		var ask struct {
			Page     int
			PageSize int `json:"page_size"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, request.Body, 1<<16)).Decode(&ask); err != nil || ask.Page < 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		first, last := (ask.Page-1)*ask.PageSize+1, min(ask.Page*ask.PageSize, r.N)
		out := append(make([]byte, 0, 256*ask.PageSize), `{"items":[`...)
		comma := false
		for c := first; c <= last; c++ {
			for _, row := range rowsOf(c, players, plants[c]) {
				if comma {
					out = append(out, ',')
				}
				out, comma = append(out, row...), true
			}
		}
		next := 0
		if last < r.N {
			next = ask.Page + 1
		}
		out = append(append(append(out, `],"next_page":`...), strconv.Itoa(next)...), '}')
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(out) // a client that is gone has failed by itself
	})
}

// rowsOf is what the list says of the c-th transaction.
func rowsOf(c, players int, f fault) []string {
	row := func(id, kind, who, amount, currency, status string) string {
		at := epoch.Add(time.Duration(c/1000) * time.Millisecond).Format(time.RFC3339Nano)
		return `{"transaction_id":"` + id + `","type":"` + kind + `","timestamp":"` + at + `","player_id":"` + who + `","game_id":"game-101","round_id":"r","amount":` +
			amount + `,"currency":"` + currency + `","status":"` + status + `"}`
	}
	id, who := fmt.Sprintf("tx-%09d", c), "bench-"+strconv.Itoa((c-1)%players+1)
	plain := row(id, "debit", who, "1.00", "USD", "ok")
	switch f {
	case lost:
		return nil
	case failed:
		return []string{row(id, "debit", who, "1.00", "USD", "failed")}
	case amount:
		return []string{row(id, "debit", who, "1.01", "USD", "ok")}
	case player:
		return []string{row(id, "debit", "somebody", "1.00", "USD", "ok")}
	case currency:
		return []string{row(id, "debit", who, "1.00", "EUR", "ok")}
	case twice:
		return []string{plain, plain}
	case extraCredit:
		return []string{plain, row(id+"-win", "credit", who, "2.00", "USD", "ok")}
	case extraDebit:
		return []string{plain, row(id+"-bet", "debit", who, "2.00", "USD", "ok")}
	default:
		return []string{plain}
	}
}

var kindOf = map[fault]reconcile.Kind{
	lost: reconcile.MissingThere, failed: reconcile.StatusDiffers, amount: reconcile.AmountDiffers, player: reconcile.PlayerDiffers,
	currency: reconcile.CurrencyDiffers, twice: reconcile.Duplicate, extraCredit: reconcile.MissingHere, extraDebit: reconcile.MissingHere,
}

const fullJoin = `
	SELECT count(l.amount), count(x.amount)
	  FROM (SELECT * FROM statement_lines WHERE statement_id = (SELECT id FROM statements ORDER BY started_at DESC LIMIT 1)) l
	  FULL JOIN (SELECT * FROM transactions WHERE provider = 'betao') x ON x.external_id = l.transaction_id`

// Measure seeds, runs, checks that exactly the planted differences were found, and compares the
// matching with a plain FULL JOIN of the same two tables.
func (r Reconcile) Measure(ctx context.Context) (*Report, error) {
	fmt.Fprintf(r.Progress, "seeding %d bets of %d players\n", r.N, r.players())
	if err := fill(ctx, r.Pool, seedBets, r.N, r.players()); err != nil {
		return nil, err
	}
	resetPeak()
	before := measure()
	started := time.Now()
	found, err := r.Run(ctx, epoch.Add(-time.Hour), epoch.Add(time.Hour))
	if err != nil {
		return nil, err
	}
	took := time.Since(started)
	use := measure().since(before)
	if err := r.check(found); err != nil {
		return nil, err
	}
	join, err := r.fullJoin(ctx)
	if err != nil {
		return nil, err
	}
	report := &Report{Name: "reconcile", N: int(found.Lines)}
	report.finish(took, nil, use, Baseline{Name: fmt.Sprintf("FULL JOIN of both tables, %.1f s; matching, %.1f s", join.Seconds(), found.Matching.Seconds()), PerSecond: float64(r.N) / join.Seconds()})
	report.Ratio = join.Seconds() / found.Matching.Seconds()
	return report, nil
}

// check fails unless every planted difference was found, once, and no other.
func (r Reconcile) check(found *reconcile.Report) error {
	want := make(map[string]int)
	for c, f := range r.plant() {
		id := fmt.Sprintf("tx-%09d", c)
		switch f {
		case extraCredit:
			id += "-win"
		case extraDebit:
			id += "-bet"
		}
		want[string(kindOf[f])+" "+id]++
	}
	for _, b := range found.Breaks {
		want[string(b.Kind)+" "+b.TransactionID]--
	}
	for key, n := range want {
		if n != 0 {
			return fmt.Errorf("%s: planted and found differ by %d", key, n)
		}
	}
	return nil
}

func (r Reconcile) fullJoin(ctx context.Context) (time.Duration, error) {
	var took time.Duration
	err := pgx.BeginFunc(ctx, r.Pool, func(tx pgx.Tx) error {
		if err := postgres.Unhurried(ctx, tx, map[string]string{"work_mem": "128MB", "jit": "off"}); err != nil {
			return err
		}
		var theirs, ours int64
		started := time.Now()
		err := tx.QueryRow(ctx, fullJoin).Scan(&theirs, &ours)
		took = time.Since(started)
		return err
	})
	return took, err
}

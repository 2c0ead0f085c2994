package reconcile_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/money"
	"evens/player"
	"evens/reconcile"
	"evens/settlement"
	"evens/settlement/booktest"
	"evens/sim/betsim"
	"evens/wallet"
)

// counter is a sportsbook whose BeT loses what it should tell us.
type counter struct {
	*reconcile.Reconciler
	t       *testing.T
	bet     *betsim.Server
	desk    *coupon.Desk
	store   *coupon.Store
	settler *settlement.Settler
	inbox   *settlement.Inbox
	db      *postgres.DB
	who     player.Player
	players *player.Registry
	placed  int
	says    *atomic.Pointer[string] // what BeT answers to /loadbars/ in place of the simulation
}

// later keeps chunks until the test applies them.
type later struct{ chunks *[]settlement.Chunk }

// Ring implements settlement.Bell.
func (l later) Ring(chunks []settlement.Chunk) { *l.chunks = append(*l.chunks, chunks...) }

func openCounter(t *testing.T, cfg betsim.Config, nominal money.Amount) (counter, *[]settlement.Chunk) {
	t.Helper()
	db := booktest.Open(t, testbed.Database(t))
	t.Cleanup(func() { booktest.Clean(t, db) })
	log := slog.New(slog.DiscardHandler)
	now := func() time.Time { return time.Now().UTC() }
	chunks := &[]settlement.Chunk{}
	books := wallet.NewBooks(db, nil, log)
	poster := wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	c := counter{t: t, bet: betsim.New(cfg), store: coupon.NewStore(db), players: player.New(db, now), says: new(atomic.Pointer[string])}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if said := c.says.Load(); said != nil && strings.HasSuffix(r.URL.Path, "/loadbars/") {
			_, _ = io.WriteString(w, *said)
			return
		}
		c.bet.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	client, err := bet.New(bet.Config{URL: server.URL, Login: "demo", Password: "demo"})
	fatal(t, err)
	c.desk = coupon.NewDesk(poster, c.store, coupon.Config{Bookmaker: client, RemoteHost: "http://127.0.0.1", Nominal: nominal, Now: now, Log: log})
	t.Cleanup(c.desk.Wait)
	inbox := settlement.NewInbox(db, later{chunks}, settlement.Guard{})
	c.inbox, c.db = inbox, db
	c.settler = settlement.NewSettler(db, books, later{chunks}, settlement.Guard{}, now, settlement.Observer{}, log)
	c.Reconciler = reconcile.New(reconcile.Config{
		DB: db, Poster: poster, Players: player.NewDirectory(db), Inbox: inbox, Desk: c.desk, Now: now, Log: log,
		Sources: map[string]reconcile.Source{reconcile.BeT: &reconcile.BetList{DB: db, Client: client, Now: now}},
	})
	c.who, _, err = c.players.Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	fatal(t, err)
	c.deposit(c.who, poster, "1000")
	nora, _, err := c.players.Create(t.Context(), player.Registration{ExternalID: "nora", Name: "Nora", Email: "n@example.com", Currency: "USD"})
	fatal(t, err)
	c.deposit(nora, poster, "70")
	same(t, listed(t, c.Reconciler, now()), map[string]string{"missing_here b0": "open person", "missing_here b1": "open person"})
	other := &neighbour{db: db}
	other.look(t)
	t.Cleanup(func() { other.unchanged(t) })
	return c, chunks
}

func (c *counter) deposit(who player.Player, poster *wallet.Poster, amount string) {
	c.t.Helper()
	_, err := wallet.Deposit(c.t.Context(), poster, wallet.Cash{
		Player: who.ID, Amount: money.MustParse(amount), Currency: "USD", Method: "pix", TransactionID: "d-" + who.ExternalID, At: time.Now().UTC(),
	})
	fatal(c.t, err)
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *counter) place(stake string) coupon.Coupon {
	c.t.Helper()
	return c.placeAt(stake, "2.00")
}

func (c *counter) placeAt(stake, coef string) coupon.Coupon {
	c.t.Helper()
	c.placed++
	placed, err := c.desk.Place(c.t.Context(), coupon.Order{
		Player: c.who.ID, Pointers: []string{fmt.Sprintf("line#%d|17|9|0.5#%s", 1000+c.placed, coef)}, Stake: money.MustParse(stake), Currency: "USD",
		Lang: "en", RateMode: "reject", Request: wallet.Request{},
	})
	fatal(c.t, err)
	return placed
}

func (c *counter) settle(chunks *[]settlement.Chunk) {
	c.t.Helper()
	for _, chunk := range *chunks {
		fatal(c.t, c.settler.Apply(c.t.Context(), chunk.ID))
	}
	*chunks = nil
}

func (c *counter) run(csv string) *reconcile.Report {
	c.t.Helper()
	q := reconcile.Request{Provider: reconcile.BeT, From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}
	if csv != "" {
		q.File = strings.NewReader(csv)
	}
	report, err := c.Run(c.t.Context(), q)
	fatal(c.t, err)
	return report
}

// Results that were decided and never arrived are asked for, settled, and agree in the next run:
// also those of a stake that BeT never saw.
func TestLostResults(t *testing.T) {
	t.Parallel()
	for name, nominal := range map[string]money.Amount{"real": 0, "nominal": money.MustParse("1000")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, chunks := openCounter(t, betsim.Config{Seed: 5}, nominal)
			for i := range 30 {
				if placed := c.place(fmt.Sprintf("%d.37", 1+i)); placed.Status != coupon.Accepted {
					t.Fatalf("placed: %+v", placed)
				}
			}
			if report := c.run(""); len(report.Breaks) != 0 || report.Matched != 30 {
				t.Fatalf("open coupons: %+v", report)
			}
			heads := c.bet.Results(betsim.ResultOptions{Mix: betsim.Mix{Won: 40, Lost: 40, Refunded: 20}, Limit: 25, Bare: 500, At: time.Now().Add(-time.Minute)})
			report := c.run("")
			if len(report.Breaks) != len(heads) || !report.Even() {
				t.Fatalf("%d results were lost, the run sees %+v", len(heads), report.Breaks)
			}
			for _, b := range report.Breaks {
				if b.Kind != reconcile.StatusDiffers || b.Action != reconcile.ActSettle || b.State != reconcile.StateHealing {
					t.Errorf("break = %+v", b)
				}
			}
			c.settle(chunks)
			if report := c.run(""); len(report.Breaks) != 0 || report.Closed != 25 || report.Matched != 30 {
				t.Errorf("after settling: %+v", report)
			}
		})
	}
}

// A coupon whose answer was lost stands in their list: the one that fits is adopted.
func TestAdoptedCoupon(t *testing.T) {
	t.Parallel()
	c, chunks := openCounter(t, betsim.Config{Seed: 6, LoseAnswer: 1000}, 0)
	open := c.place("12.34")
	if open.Status != coupon.Unconfirmed {
		t.Fatalf("placed: %+v", open)
	}
	known := c.bet.Coupons()[0]
	at := known.PlacedAt.UTC().Format(time.RFC3339)
	report := c.run(header + fmt.Sprintf("%s,coupon,ana,12.34,USD,open,%s,\n", known.BetCode, at) + fmt.Sprintf("nobody,coupon,bob,99,USD,open,%s,\n", at))
	same(t, found(report), map[string]string{"missing_here " + known.BetCode: "resolved adopt", "missing_here nobody": "open person"})
	adopted, err := c.store.Get(t.Context(), open.ID)
	fatal(t, err)
	if adopted.Status != coupon.Accepted || adopted.BetCode != known.BetCode {
		t.Errorf("coupon = %+v", adopted)
	}
	report = c.run(header + fmt.Sprintf("%s,coupon,ana,24.68,USD,won,%s,\n", known.BetCode, time.Now().UTC().Format(time.RFC3339)))
	same(t, found(report), map[string]string{"status " + known.BetCode: "healing settle"})
	c.settle(chunks)
	balance, err := c.players.Balance(context.WithoutCancel(t.Context()), c.who.ID)
	fatal(t, err)
	if balance.Cash != money.MustParse("1012.34") {
		t.Errorf("cash = %s", balance.Cash)
	}
}

// What their list says of a coupon, and what is made of it.
func TestCouponLists(t *testing.T) {
	t.Parallel()
	c, _ := openCounter(t, betsim.Config{Seed: 7}, 0)
	var codes []string
	for range 6 {
		codes = append(codes, c.place("10").BetCode)
	}
	now := time.Now().UTC().Format(time.RFC3339)
	line := func(i int, amount, status string) string {
		return fmt.Sprintf("%s,coupon,ana,%s,USD,%s,%s,\n", codes[i], amount, status, now)
	}
	report := c.run(header + line(0, "0", "open") + line(1, "10", "open") + line(2, "20", "open") + // nothing, the stake, what it can win
		line(3, "15", "open") + strings.Replace(line(4, "0", "open"), ",ana,", ",bob,", 1))
	same(t, found(report), map[string]string{
		"amount " + codes[3]: "open person", "player " + codes[4]: "open person", "missing_there " + codes[5]: "open person",
	})
}

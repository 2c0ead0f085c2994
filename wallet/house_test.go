package wallet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/audit"
	"evens/casino"
	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/settlement"
	"evens/wallet"
)

// house is everything that moves a player's money, on one database: games of all platforms, coupons
// and their results, the cashier.
type house struct {
	t       *testing.T
	db      *postgres.DB
	players *player.Registry
	poster  *wallet.Poster
	rules   *wallet.Rulebook
	floor   *casino.Floor
	desk    *coupon.Desk
	inbox   *settlement.Inbox
	settler *settlement.Settler

	mu     sync.Mutex
	now    time.Time
	chunks []settlement.Chunk
	random *rand.Rand
}

func (h *house) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// Ring implements settlement.Bell.
func (h *house) Ring(chunks []settlement.Chunk) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.chunks = append(h.chunks, chunks...)
}

// Place implements coupon.Bookmaker: most are taken, some rejected, of some nobody knows.
func (h *house) Place(context.Context, bet.Ticket) (bet.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch h.random.IntN(8) {
	case 0:
		return bet.Answer{}, &bet.Rejection{Code: "no", Message: "no"}
	case 1:
		return bet.Answer{}, bet.ErrUnknownOutcome
	default:
		return bet.Answer{BetCode: uuid.NewString()}, nil
	}
}

func openHouse(t *testing.T, bonusFirst bool) *house {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 6, HotConns: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	quiet := slog.New(slog.DiscardHandler)
	h := &house{t: t, db: db, now: time.Date(2026, 6, 1, 18, 0, 0, 0, time.UTC), random: rand.New(rand.NewPCG(1, 2))}
	books := wallet.NewBooks(db, nil, quiet)
	books.BonusFirst, books.Offers = bonusFirst, campaigns(t)
	h.players, h.poster = player.New(db, h.Now), wallet.NewPoster(books, wallet.PosterConfig{})
	t.Cleanup(h.poster.Close)
	h.rules = wallet.NewRulebook(books, 0, h.Now)
	h.floor = casino.NewFloor(db, h.poster, player.NewDirectory(db), h.Now, quiet)
	h.desk = coupon.NewDesk(h.poster, coupon.NewStore(db), coupon.Config{Bookmaker: h, RemoteHost: "http://us", Now: h.Now, Log: quiet})
	h.inbox = settlement.NewInbox(db, h, settlement.Guard{})
	h.settler = settlement.NewSettler(db, books, h, settlement.Guard{}, h.Now, settlement.Observer{}, quiet)
	t.Cleanup(func() { h.audit() })
	return h
}

func (h *house) audit() {
	h.t.Helper()
	report, err := audit.At(context.Background(), h.db, h.Now())
	if err != nil {
		h.t.Error(err)
		return
	}
	if !report.Clean {
		var text bytes.Buffer
		_ = report.Print(&text)
		h.t.Errorf("the audit found violations:\n%s", &text)
	}
}

// guest is one player who does everything there is to do, at random.
type guest struct {
	*house
	player.Identity
	random *rand.Rand
	bets   []casino.Call
	codes  []string
	n      int
}

func (g *guest) amount(most int64) money.Amount { return money.Amount(g.random.Int64N(most)+1) * 100 }

// mayBe are the refusals that a random life meets. Any other error fails the test.
var mayBe = []error{
	wallet.ErrInsufficientFunds, wallet.ErrLimitExceeded, wallet.ErrPlayerBlocked, wallet.ErrBonusActive, casino.ErrRolledBack, ledger.ErrConflict,
}

func (g *guest) check(what string, err error) {
	g.t.Helper()
	if err == nil {
		return
	}
	for _, refusal := range mayBe {
		if errors.Is(err, refusal) {
			return
		}
	}
	g.t.Errorf("%s: %v", what, err)
}

func (g *guest) call() casino.Call {
	g.n++
	provider := []string{"betao", "betron", "tg", "naga"}[g.random.IntN(4)]
	return casino.Call{
		Provider: provider, ID: fmt.Sprintf("%s-%d", g.ExternalID, g.n), Player: g.Identity, Game: []string{"gates", "bj", "crash", ""}[g.random.IntN(4)],
		Round: casino.Round{ID: fmt.Sprintf("%s-%d", g.ExternalID, g.n/3)}, At: g.Now(),
	}
}

func (g *guest) step(ctx context.Context) {
	switch g.random.IntN(12) {
	case 0:
		g.n++
		cash := wallet.Cash{Player: g.ID, Amount: g.amount(5000), Currency: "USD", Method: "pix", TransactionID: fmt.Sprint(g.ExternalID, g.n), At: g.Now()}
		if g.random.IntN(4) == 0 {
			_, err := wallet.Withdraw(ctx, g.poster, cash)
			g.check("withdraw", err)
			return
		}
		_, err := wallet.Deposit(ctx, g.poster, cash)
		g.check("deposit", err)
	case 1, 2, 3:
		call := g.call()
		_, err := g.floor.Bet(ctx, casino.Bet{Call: call, Stake: g.amount(800)})
		g.check("bet", err)
		g.bets = append(g.bets, call)
	case 4:
		_, err := g.floor.BetAndSettle(ctx, casino.BetAndSettle{Call: g.call(), Stake: g.amount(800), Win: g.amount(800) * money.Amount(g.random.IntN(3))})
		g.check("bet and settle", err)
	case 5:
		if len(g.bets) > 0 {
			bet := g.bets[g.random.IntN(len(g.bets))]
			call := g.call()
			call.Provider, call.Round, call.Space = bet.Provider, bet.Round, "win"
			win := casino.Win{Call: call, Amount: g.amount(2000)}
			if g.random.IntN(2) == 0 {
				win.Bet = bet.ID
			}
			_, err := g.floor.Win(ctx, win)
			g.check("win", err)
		}
	case 6:
		if len(g.bets) > 0 {
			bet := g.bets[g.random.IntN(len(g.bets))]
			_, err := g.floor.Rollback(ctx, casino.Rollback{
				Call: casino.Call{Provider: bet.Provider, ID: bet.ID, Player: g.Identity, At: g.Now()}, TakesWins: true,
			})
			g.check("rollback", err)
		}
	case 7, 8:
		o := coupon.Order{Player: g.ID, Stake: g.amount(800), Currency: "USD", Lang: "en", RateMode: "reject"}
		o.Pointers = []string{fmt.Sprintf("line#%d|1|1|0#%s", 1000+g.n, []string{"1.20", "1.80", "3.00"}[g.random.IntN(3)])}
		placed, err := g.desk.Place(ctx, o)
		g.check("place", err)
		if placed.BetCode != "" {
			g.codes = append(g.codes, placed.BetCode)
		}
	case 9:
		if len(g.codes) > 0 {
			head := settlement.Head{BarCode: g.codes[g.random.IntN(len(g.codes))], DecidedAt: g.Now().Add(time.Duration(g.n) * time.Second)}
			head.Status = 4
			if g.random.IntN(3) > 0 {
				head.Status, head.ExtStatus = 2, 1
			}
			_, err := g.inbox.Store(ctx, settlement.Push{Heads: []settlement.Head{head}, Body: []byte("{}"), Path: "/", Source: "127.0.0.1", At: g.Now()})
			g.check("push", err)
		}
	case 10:
		grant := wallet.Grant{Player: g.ID, Currency: "USD", Amount: g.amount(1000), Wagering: 2 * money.One, Terms: wallet.OpenTerms(), At: g.Now()}
		if g.random.IntN(2) == 0 {
			grant.ExpiresAt = g.Now().Add(time.Duration(g.random.IntN(600)) * time.Minute)
			grant.Terms.MaxConversion = g.amount(500)
		}
		_, err := wallet.GiveBonus(ctx, g.poster, grant, wallet.Request{})
		g.check("grant", err)
	case 11:
		if g.random.IntN(4) == 0 {
			var wish wallet.Wish
			wish.Caps[g.random.IntN(3)][g.random.IntN(3)] = &wallet.Cap{Amount: g.amount(20_000), Set: true}
			_, err := g.rules.Change(ctx, g.ID, wish, "test", "")
			g.check("limit", err)
		}
	}
}

// work does what jobs do meanwhile: results are applied, bonuses expire, unconfirmed coupons are given up.
func (h *house) work(ctx context.Context) {
	h.t.Helper()
	h.mu.Lock()
	chunks := h.chunks
	h.chunks, h.now = nil, h.now.Add(7*time.Minute)
	h.mu.Unlock()
	for _, chunk := range chunks {
		if err := h.settler.Apply(ctx, chunk.ID); err != nil {
			h.t.Error(err)
		}
	}
	if _, err := wallet.ExpireBonuses(ctx, h.db, h.poster, h.Now(), 10); err != nil {
		h.t.Error(err)
	}
	due, err := h.desk.Due(ctx, 50)
	if err != nil {
		h.t.Error(err)
	}
	for _, id := range due {
		if err := h.desk.Confirm(ctx, id); err != nil {
			h.t.Error(err)
		}
	}
}

// Players with limits and bonuses stake on everything at once, on all platforms, while results come,
// change and are taken back: the audit derives every pocket, progress and usage from the transfers and
// finds the same.
func TestAHouseFullOfPlayersKeepsItsBooks(t *testing.T) {
	t.Parallel()
	for _, bonusFirst := range []bool{false, true} {
		t.Run(fmt.Sprint("bonus first ", bonusFirst), func(t *testing.T) {
			t.Parallel()
			h := openHouse(t, bonusFirst)
			if err := h.floor.Categories().Keep(t.Context(), []casino.Game{
				{Provider: "betao", Code: "gates", Category: "slots"}, {Provider: "tg", Code: "gates", Category: "SLOT"}, {Provider: "naga", Code: "bj", Category: "Blackjack"},
			}); err != nil {
				t.Fatal(err)
			}
			const players, steps = 8, 250
			var wg, worker sync.WaitGroup
			done := make(chan struct{})
			for seat := range players {
				who, _, err := h.players.Create(t.Context(), player.Registration{ExternalID: fmt.Sprint("guest-", seat), Name: "G", Email: "g@example.com", Currency: "USD"})
				if err != nil {
					t.Fatal(err)
				}
				g := &guest{
					house: h, Identity: player.Identity{ID: who.ID, ExternalID: who.ExternalID, Currency: who.Currency},
					random: rand.New(rand.NewPCG(7, uint64(seat))),
				}
				wg.Go(func() {
					for range steps {
						g.step(t.Context())
					}
				})
			}
			worker.Go(func() {
				for {
					select {
					case <-done:
						h.work(t.Context())
						return
					default:
						h.work(t.Context())
					}
				}
			})
			wg.Wait()
			close(done)
			worker.Wait()
		})
	}
}

// 64 connections stake 1.00 each for one player with 10.00 left, on all platforms and on coupons at
// once: ten pass, whichever.
func TestALimitHoldsAcrossEverythingAtOnce(t *testing.T) {
	t.Parallel()
	h := openHouse(t, false)
	who, _, err := h.players.Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	identity := player.Identity{ID: who.ID, ExternalID: who.ExternalID, Currency: who.Currency}
	cash := wallet.Cash{Player: who.ID, Amount: money.MustParse("500"), Currency: "USD", Method: "pix", TransactionID: "d", At: h.Now()}
	if _, err := wallet.Deposit(t.Context(), h.poster, cash); err != nil {
		t.Fatal(err)
	}
	var wish wallet.Wish
	wish.Caps[wallet.Losses][wallet.Daily] = &wallet.Cap{Amount: money.MustParse("10"), Set: true}
	if _, err := h.rules.Change(t.Context(), who.ID, wish, "test", ""); err != nil {
		t.Fatal(err)
	}
	accepted := coupon.NewDesk(h.poster, coupon.NewStore(h.db), coupon.Config{Bookmaker: always{}, RemoteHost: "http://us", Now: h.Now, Log: slog.New(slog.DiscardHandler)})
	var passed, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			var err error
			if i%5 == 4 {
				o := coupon.Order{Player: who.ID, Stake: money.Scale, Currency: "USD", Lang: "en", RateMode: "reject", Pointers: []string{"line#1|1|1|0#2.00"}}
				_, err = accepted.Place(t.Context(), o)
			} else {
				provider := []string{"betao", "betron", "tg", "naga"}[i%5]
				call := casino.Call{Provider: provider, ID: fmt.Sprint("b", i), Player: identity, Game: "gates", Round: casino.Round{ID: fmt.Sprint("r", i)}, At: h.Now()}
				_, err = h.floor.Bet(t.Context(), casino.Bet{Call: call, Stake: money.Scale})
			}
			switch {
			case err == nil:
				passed.Add(1)
			case errors.Is(err, wallet.ErrLimitExceeded):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 10 || refused.Load() != 54 {
		t.Errorf("%d passed, %d were refused", passed.Load(), refused.Load())
	}
}

// always is a bookmaker that takes everything.
type always struct{}

// Place implements coupon.Bookmaker.
func (always) Place(context.Context, bet.Ticket) (bet.Answer, error) {
	return bet.Answer{BetCode: uuid.NewString()}, nil
}

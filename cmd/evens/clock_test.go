package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/casino"
	"evens/coupon"
	"evens/internal/dbclock"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/settlement"
	"evens/sim/betsim"
	"evens/wallet"
)

// openSkewed is a process of the installation on a machine whose clock is wrong.
func (i *installation) openSkewed(t *testing.T, skew time.Duration) *system {
	t.Helper()
	var cli commandLine
	parser, err := newParser(&cli)
	if err == nil {
		_, err = parser.Parse([]string{"--database-url", i.runtimeURL, "--redis-url", i.redisURL, "--log-level", "error",
			"--bet-url", i.betURL, "--bet-login", "demo", "--bet-password", "demo", "--limit-raise-after", "30m", "version"})
	}
	if err != nil {
		t.Fatal(err)
	}
	machine := dbclock.Machine()
	wall := machine.Wall
	machine.Wall = func() time.Time { return wall().Add(skew) }
	s, err := open(t.Context(), &cli.Config, role{name: "evens-skewed", machine: machine}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// hangUp is a BeT that logs in and answers no placement.
func hangUp(t *testing.T) string {
	t.Helper()
	sim := betsim.New(betsim.Config{Seed: 1})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/place") {
			panic(http.ErrAbortHandler)
		}
		sim.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// between is half of the time by which the machines' clocks differ from the database's: whatever lasts
// for it is over by one of them before it begins by the other.
const between = 30 * time.Minute

// clockDoor is one place where a process writes a time that another judges.
type clockDoor struct {
	name string
	// write does something of which the time counts, judge holds that another process sees it as it is.
	write func(t *testing.T, s *system, who player.Identity)
	judge func(t *testing.T, s *system, who player.Identity)
}

func clockDoors() []clockDoor {
	var token, session string
	var placed coupon.Coupon
	wish := func(set func(until time.Time, w *wallet.Wish)) func(*testing.T, *system, player.Identity) {
		return func(t *testing.T, s *system, who player.Identity) {
			var w wallet.Wish
			set(s.now().Add(between), &w)
			if _, err := s.rules.Change(t.Context(), who.ID, w, "test", ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	barred := func(t *testing.T, s *system, who player.Identity) {
		if until, err := s.rules.Barred(t.Context(), who.ID); err != nil || until.IsZero() {
			t.Errorf("the player may play, %v", err)
		}
	}
	dayCap := func(amount string) wallet.Wish {
		var w wallet.Wish
		w.Caps[wallet.Losses][wallet.Daily] = &wallet.Cap{Amount: money.MustParse(amount), Set: true}
		return w
	}
	large := func(operator string) access.Large {
		return access.Large{Operation: access.DecideResults, Subject: "result 17", Terms: "10.00", Operator: operator, Comment: "c"}
	}
	return []clockDoor{
		{
			name: "a player's token",
			write: func(t *testing.T, s *system, who player.Identity) {
				var err error
				if token, _, err = s.tokens.Issue(t.Context(), who.ID, between); err != nil {
					t.Fatal(err)
				}
			},
			judge: func(t *testing.T, s *system, who player.Identity) {
				if _, err := s.tokens.Resolve(t.Context(), token); err != nil {
					t.Error(err)
				}
			},
		},
		{
			name: "a launch",
			write: func(t *testing.T, s *system, who player.Identity) {
				var err error
				if _, session, err = s.games.sessions.Open(t.Context(), "naga", who, "g", false); err != nil {
					t.Fatal(err)
				}
				age(t, s, `UPDATE game_sessions SET expires_at = created_at + $1::interval`, between)
			},
			judge: func(t *testing.T, s *system, who player.Identity) {
				if _, err := s.games.sessions.FindOpen(t.Context(), "naga", session); err != nil {
					t.Error(err)
				}
			},
		},
		{"a self-exclusion", wish(func(until time.Time, w *wallet.Wish) { w.ExcludedUntil = &until }), barred},
		{"a cooling-off", wish(func(until time.Time, w *wallet.Wish) { w.CoolingUntil = &until }), barred},
		{
			name: "a raised limit",
			write: func(t *testing.T, s *system, who player.Identity) {
				for _, amount := range []string{"50", "500"} {
					if _, err := s.rules.Change(t.Context(), who.ID, dayCap(amount), "test", ""); err != nil {
						t.Fatal(err)
					}
				}
			},
			judge: func(t *testing.T, s *system, who player.Identity) {
				view, err := s.rules.Read(t.Context(), who.ID)
				if err != nil || view.Limits[wallet.Losses][wallet.Daily].Amount != money.MustParse("50") {
					t.Errorf("the raise holds before its time: %+v, %v", view.Limits, err)
				}
			},
		},
		{
			name: "a bonus",
			write: func(t *testing.T, s *system, who player.Identity) {
				_, err := wallet.GiveBonus(t.Context(), s.poster, wallet.Grant{
					Player: who.ID, Currency: "USD", Amount: money.MustParse("30"), Wagering: 40 * money.One, Terms: wallet.OpenTerms(),
					At: s.now(), ExpiresAt: s.now().Add(between),
				}, wallet.Request{})
				if err != nil {
					t.Fatal(err)
				}
			},
			judge: func(t *testing.T, s *system, _ player.Identity) {
				if n, err := wallet.ExpireBonuses(t.Context(), s.db, s.poster, s.now(), 10); err != nil || n != 0 {
					t.Errorf("%d bonuses expire, %v, before their time", n, err)
				}
			},
		},
		{
			name: "a coupon that nobody knows of",
			write: func(t *testing.T, s *system, who player.Identity) {
				var err error
				placed, err = s.desk.Place(t.Context(), coupon.Order{
					Player: who.ID, Stake: money.MustParse("5"), Currency: "USD", Lang: "en", RateMode: "reject", Pointers: []string{"line#1|1|1|0#2.00"},
				})
				if err != nil || placed.Status != coupon.Unconfirmed {
					t.Fatalf("placed as %s, %v", placed.Status, err)
				}
			},
			judge: func(t *testing.T, s *system, _ player.Identity) {
				if due, err := s.desk.Due(t.Context(), 10); err != nil || len(due) != 0 {
					t.Errorf("due %v, %v, seconds after it was placed", due, err)
				}
				if err := s.desk.Confirm(t.Context(), placed.ID); err != nil {
					t.Error(err)
				}
				if now, err := s.coupons.Get(t.Context(), placed.ID); err != nil || now.Status != coupon.Unconfirmed {
					t.Errorf("it is %s, %v, before its grace is over", now.Status, err)
				}
			},
		},
		{
			name: "a notice whose job is lost",
			write: func(t *testing.T, s *system, who player.Identity) {
				content := ledger.HashOf("notice", who.ExternalID)
				m := casino.Message{Transaction: "n " + who.ExternalID, Kind: "debit", Content: content}
				if _, err := s.games.notices.Store(t.Context(), "betao", m, []byte("{}"), uuid.New()); err != nil {
					t.Fatal(err)
				}
			},
			judge: func(t *testing.T, s *system, _ player.Identity) {
				swept(t, s, "notices", s.games.notices.Sweep)
			},
		},
		{
			name: "results whose job is lost",
			write: func(t *testing.T, s *system, who player.Identity) {
				body := fmt.Sprintf(`{"Heads":[{"BarCode":"of-%s","Status":4,"ExtStatus":0,"AmountOut":0,"DateRecive":"%d"}]}`,
					who.ExternalID, s.now().Unix())
				heads, err := settlement.ParsePush([]byte(body))
				if err == nil {
					_, err = s.inbox.Store(t.Context(), settlement.Push{Heads: heads, Body: []byte(body), At: s.now()})
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			judge: func(t *testing.T, s *system, _ player.Identity) {
				swept(t, s, "result_chunks", s.settler.Sweep)
				if err := s.settler.Apply(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				var state, attention string
				err := s.db.Pool.QueryRow(t.Context(), `SELECT state, attention FROM results ORDER BY id LIMIT 1`).Scan(&state, &attention)
				if err != nil || state != "pending" || attention != "unknown_bar_code" {
					t.Errorf("the result is %s %s, %v: dated now, it is not of the future", state, attention, err)
				}
			},
		},
		{
			name: "a first decision of two",
			write: func(t *testing.T, s *system, _ player.Identity) {
				// It was made for an earlier clock, or is now.
				_, _ = s.operators.Create(t.Context(), "one@example.com", access.Finance, operatorPassword)
				if err := s.approvals.Propose(t.Context(), large("one@example.com")); err != nil {
					t.Fatal(err)
				}
				age(t, s, `UPDATE approvals SET created_at = created_at - $1::interval`, 24*time.Hour-between)
			},
			judge: func(t *testing.T, s *system, _ player.Identity) {
				if err := s.approvals.Take(t.Context(), s.db.Pool, large("two@example.com")); err != nil {
					t.Error(err)
				}
				age(t, s, `UPDATE approvals SET created_at = created_at + $1::interval`, 24*time.Hour-between) // as the activity log has it
			},
		},
		{
			name: "BeT's session and who may log in",
			write: func(t *testing.T, s *system, _ player.Identity) {
				if claimed, err := claimLogin(t, s, "writer"); !claimed || err != nil {
					t.Fatalf("claimed %t, %v", claimed, err)
				}
			},
			judge: func(t *testing.T, s *system, _ player.Identity) {
				if claimed, err := claimLogin(t, s, "judge"); claimed || err != nil {
					t.Errorf("claimed %t, %v, while another has it", claimed, err)
				}
			},
		},
		{
			name: "a login after wrong passwords",
			write: func(t *testing.T, s *system, _ player.Identity) {
				for range 12 {
					_, err := s.operators.Login(t.Context(), access.Attempt{Email: "nobody@example.com", Password: "wrong", Source: "192.0.2.1"})
					if err == nil {
						t.Fatal("a stranger is let in")
					}
				}
			},
			judge: func(t *testing.T, s *system, _ player.Identity) {
				_, err := s.operators.Login(t.Context(), access.Attempt{Email: "nobody@example.com", Password: "wrong", Source: "192.0.2.1"})
				if _, ok := errors.AsType[*access.DelayedError](err); !ok {
					t.Errorf("%v, want to wait", err)
				}
			},
		},
	}
}

// claimLogin claims the right to log in to BeT, in place of the session that is there.
func claimLogin(t *testing.T, s *system, by string) (bool, error) {
	t.Helper()
	sessions := coupon.NewSessions(s.db, s.now)
	kept, err := sessions.Load(t.Context())
	if err != nil {
		return false, err
	}
	return sessions.Claim(t.Context(), by, kept.Sealed, s.now().Add(between))
}

// age moves times that are far longer than the clocks are apart, or far shorter, to where that counts.
func age(t *testing.T, s *system, change string, by time.Duration) {
	t.Helper()
	if _, err := s.db.Pool.Exec(t.Context(), change, by); err != nil {
		t.Fatal(err)
	}
}

// swept holds that a sweep leaves alone what was rung for just now, and rings for it a moment later.
func swept(t *testing.T, s *system, table string, sweep func(context.Context) (int, error)) {
	t.Helper()
	if n, err := sweep(t.Context()); err != nil || n != 0 {
		t.Errorf("a sweep at once rang for %d, %v", n, err)
	}
	age(t, s, `UPDATE `+table+` SET rung_at = rung_at - $1::interval`, 11*time.Second)
	if n, err := sweep(t.Context()); err != nil || n != 1 {
		t.Errorf("a sweep 11 s later rang for %d, %v, want 1", n, err)
	}
}

// Whatever a process writes while its machine's clock is an hour ahead, or behind, another judges as if
// both clocks were right.
func TestProcessesWithWrongClocksUnderstandEachOther(t *testing.T) {
	t.Parallel()
	for _, skew := range []struct {
		name         string
		write, judge time.Duration
	}{
		{"written ahead", time.Hour, 0}, {"written behind", -time.Hour, 0},
		{"judged ahead", 0, time.Hour}, {"judged behind", 0, -time.Hour},
	} {
		t.Run(skew.name, func(t *testing.T) {
			t.Parallel()
			i := install(t, testbed.Database(t), testbed.Redis(t))
			i.betURL = hangUp(t)
			writer, judge := i.openSkewed(t, skew.write), i.openSkewed(t, skew.judge)
			for n, door := range clockDoors() {
				t.Run(door.name, func(t *testing.T) {
					who := i.playerWithCash(t, writer, n)
					door.write(t, writer, who)
					door.judge(t, judge, who)
				})
			}
			i.clean(t)
		})
	}
}

func (i *installation) playerWithCash(t *testing.T, s *system, n int) player.Identity {
	t.Helper()
	name := "player-" + string(rune('a'+n))
	p, _, err := s.players.Create(t.Context(), player.Registration{ExternalID: name, Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = wallet.Deposit(t.Context(), s.poster, wallet.Cash{
		Player: p.ID, Currency: "USD", Amount: money.MustParse("100"), Method: "test", TransactionID: name, At: s.now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return player.Identity{ID: p.ID, ExternalID: name, Currency: "USD"}
}

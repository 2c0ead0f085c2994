package coupon_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/testbed"
	"evens/money"
	"evens/settlement/booktest"
	"evens/sim/betsim"
)

// What is kept is what was saved last, by whoever may.
func TestSessionsAreKept(t *testing.T) {
	t.Parallel()
	db := booktest.Open(t, testbed.Database(t))
	now := opening
	sessions := coupon.NewSessions(db, func() time.Time { return now })
	load := func() bet.KeptSession {
		t.Helper()
		kept, err := sessions.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return kept
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	claim := func(by, seen string, want bool) {
		t.Helper()
		got, err := sessions.Claim(t.Context(), by, []byte(seen), now.Add(10*time.Second))
		if got != want || err != nil {
			t.Errorf("Claim() by %s = %t, %v, want %t", by, got, err, want)
		}
	}
	if kept := load(); len(kept.Sealed) != 0 || kept.Logins != 0 {
		t.Errorf("a new table has %+v", kept)
	}
	claim("a", "", true)
	claim("b", "", false)
	claim("b", "else", false)
	must(sessions.Save(t.Context(), "b", bet.KeptSession{Sealed: []byte("no claim")}))
	must(sessions.Save(t.Context(), "a", bet.KeptSession{Sealed: []byte("first"), Key: []byte("k"), Logins: 1, LoginAt: now}))
	if kept := load(); string(kept.Sealed) != "first" || string(kept.Key) != "k" || kept.Logins != 1 || !kept.LoginAt.Equal(now) || kept.Refused {
		t.Errorf("kept %+v, want the first", kept)
	}
	claim("b", "", false) // has not seen the first
	must(sessions.Answered(t.Context(), []byte("first")))
	must(sessions.Replace(t.Context(), []byte("else"), nil))
	must(sessions.Replace(t.Context(), []byte("first"), []byte("second")))
	if kept := load(); string(kept.Sealed) != "second" || kept.Logins != 0 {
		t.Errorf("kept %+v, want the second, answered on", kept)
	}
	claim("b", "second", true)
	now = now.Add(11 * time.Second)
	claim("c", "second", true) // b has died
	must(sessions.Save(t.Context(), "b", bet.KeptSession{Sealed: []byte("late")}))
	must(sessions.Save(t.Context(), "c", bet.KeptSession{Logins: 2, LoginAt: now, Refused: true}))
	if kept := load(); len(kept.Sealed) != 0 || kept.Logins != 2 || !kept.Refused {
		t.Errorf("kept %+v, want c's refusal", kept)
	}
}

// Two processes on one database, at a BeT that keeps one session: one login serves both, and
// when BeT ends the session one more does.
func TestTwoProcessesOneLogin(t *testing.T) {
	t.Parallel()
	url := testbed.Database(t)
	sim := betsim.New(betsim.Config{OneSession: true})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	var clients []*bet.Client
	for range 2 {
		client, err := bet.New(bet.Config{
			URL: server.URL, Login: "demo", Password: "demo", Timeout: 10 * time.Second,
			Sessions: coupon.NewSessions(booktest.Open(t, url), time.Now),
		})
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, client)
	}
	pointer, err := bet.ParsePointer("live#187183313|17|9|0.5#1.02")
	if err != nil {
		t.Fatal(err)
	}
	ticket := bet.Ticket{
		Pointers: []bet.Pointer{pointer}, RealAmount: money.MustParse("10"), Currency: "USD", RemoteHost: "https://us.example",
	}
	for round := range int64(3) {
		errs := make([]error, 96)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = clients[i%2].Place(context.WithoutCancel(t.Context()), ticket) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		if got := sim.Stats().Logins; got != round+1 {
			t.Errorf("%d logins after round %d, want %d", got, round+1, round+1)
		}
		sim.EndSessions()
	}
}

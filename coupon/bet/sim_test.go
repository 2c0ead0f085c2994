package bet_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"evens/coupon/bet"
	"evens/money"
	"evens/sim/betsim"
)

const user, password = "partner@example.com", "secret-of-the-partner"

func connect(t testing.TB, cfg betsim.Config, edit ...func(*bet.Config)) (*betsim.Server, *bet.Client) {
	t.Helper()
	cfg.Login, cfg.Password = user, password
	sim := betsim.New(cfg)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	c := bet.Config{URL: server.URL, Login: user, Password: password}
	for _, e := range edit {
		e(&c)
	}
	client, err := bet.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return sim, client
}

// ticket is the n-th coupon: its stake tells it from all others.
func ticket(t testing.TB, n int) bet.Ticket {
	t.Helper()
	texts := []string{"line#217118313|1|1|0#3.12"}
	if n%2 == 1 {
		texts = append(texts, "live#187183313|17|9|0.5#1.025")
	}
	var pointers []bet.Pointer
	for _, text := range texts {
		p, err := bet.ParsePointer(text)
		if err != nil {
			t.Fatal(err)
		}
		pointers = append(pointers, p)
	}
	mode := bet.RateReject
	if n%3 == 0 {
		mode = bet.RateAccept
	}
	return bet.Ticket{
		Pointers: pointers, RealAmount: money.Amount(n+1) * money.Scale, Currency: "USD", Lang: "ru",
		RemoteHost: "http://yoursite.example", RateMode: mode,
	}
}

// The promise of the package, against a BeT with every fault at once and sessions that end all
// the time: what is accepted stands with the figures we were told, what is rejected does not
// stand, and nothing stands twice.
func TestOutcomesAreTrue(t *testing.T) {
	t.Parallel()
	const tickets, callers = 600, 16
	sim, client := connect(t, betsim.Config{
		Seed: 11, SessionPlacements: 7, OneSession: true, ClearCookies: true, EndWords: betsim.AllWords, ZeroCode: true,
		Misspell: 80, Contradict: 60, Noise: 80, LongCode: 20,
		LoseRequest: 60, LoseAnswer: 60, ServerError: 60, Nonsense: 60, Slow: 30, SlowFor: time.Second,
		Reject: 100, CoefChange: 100,
	}, func(c *bet.Config) {
		c.Timeout = 300 * time.Millisecond
		c.Breaker.Failures = 1000 // it would make this test a short one
	})

	answers, errs := make([]bet.Answer, tickets), make([]error, tickets)
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for n := caller; n < tickets; n += callers {
				answers[n], errs[n] = client.Place(t.Context(), ticket(t, n))
			}
		})
	}
	wg.Wait()

	standing := map[string][]betsim.Coupon{} // by stake
	for _, c := range sim.Coupons() {
		standing[c.RealAmount] = append(standing[c.RealAmount], c)
	}
	count := map[string]int{}
	for n := range tickets {
		coupons := standing[fmt.Sprint(n+1)]
		if len(coupons) > 1 {
			t.Errorf("ticket %d stands %d times", n, len(coupons))
		}
		rejection, rejected := errors.AsType[*bet.Rejection](errs[n])
		switch {
		case errs[n] == nil:
			count["accepted"]++
			if len(coupons) != 1 {
				t.Errorf("ticket %d is accepted and does not stand", n)
				continue
			}
			if len(answers[n].Unread) > 0 {
				count["accepted on terms that are not known"]++
				continue
			}
			mustAgree(t, answers[n], coupons[0])
		case rejected:
			count[rejection.Code]++
			if len(coupons) != 0 {
				t.Errorf("ticket %d is rejected (%v) and stands", n, errs[n])
			}
		case errors.Is(errs[n], bet.ErrUnknownOutcome):
			count["unknown"]++
			if len(coupons) == 1 {
				count["unknown, but stands"]++
			}
		default:
			t.Errorf("ticket %d: error %v of no kind", n, errs[n])
		}
	}
	t.Log(count)
	for _, kind := range []string{
		"accepted", "accepted on terms that are not known", "unknown", "unknown, but stands",
		bet.CodeSelectionUnavailable, bet.CodeSelectionBlocked, bet.CodeSameMatch, bet.CodeCoefChanged, bet.CodeProviderUnavailable,
	} {
		if count[kind] == 0 {
			t.Errorf("the run met no %s", kind)
		}
	}
}

// mustAgree compares an answer with what the simulation keeps.
func mustAgree(t *testing.T, a bet.Answer, c betsim.Coupon) {
	t.Helper()
	coefs := make([]string, len(a.Selections))
	for i, s := range a.Selections {
		coefs[i] = trim(s.Coef.String())
	}
	if a.BetCode != c.BetCode || trim(a.Coef.String()) != c.Coef || trim(a.PossibleWin.String()) != c.PossibleWin ||
		trim(a.Stake.String()) != c.RealAmount || !slices.Equal(coefs, c.Coefs) || a.Events != len(c.Pointers) ||
		!a.BetDate.Equal(c.PlacedAt.Truncate(time.Millisecond)) {
		t.Errorf("answer %+v does not agree with coupon %+v", a, c)
	}
	// Our own arithmetic comes to the same win.
	if win, err := a.Coef.Times(a.Stake, "USD"); err != nil || win != a.PossibleWin {
		t.Errorf("%s × %s = %s by us, %s by BeT", a.Stake, a.Coef, win, a.PossibleWin)
	}
}

// trim drops the zeros our money writes for people.
func trim(s string) string {
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

// What the simulation decides can be read back, revised or not.
func TestReadAgainstTheSimulation(t *testing.T) {
	t.Parallel()
	sim, client := connect(t, betsim.Config{})
	var codes []string
	for n := range 120 {
		answer, err := client.Place(t.Context(), ticket(t, n))
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, answer.BetCode)
	}
	sim.Results(betsim.ResultOptions{Limit: 60, Reversals: 500, SameSecond: 500})
	sim.EndSessions() // reading logs in again
	heads, err := client.Read(t.Context(), append(codes, "unknown000"))
	if err != nil {
		t.Fatal(err)
	}
	if len(heads) != 120 {
		t.Fatalf("%d heads, want 120", len(heads))
	}
	for _, h := range heads {
		last, settled := sim.Last(h.BarCode)
		if !settled {
			if h.Status != 1 || !h.DateRecive.IsZero() {
				t.Errorf("open coupon reads %+v", h)
			}
			continue
		}
		if h.Status != last.Status || h.ExtStatus != last.ExtStatus || trim(h.AmountOut.String()) != last.AmountOut ||
			h.DateRecive.Unix() != last.DateRecive || h.ID != last.ID {
			t.Errorf("coupon reads %+v, want %+v", h, last)
		}
	}
	if got := sim.Stats().Logins; got != 2 {
		t.Errorf("%d logins, want 2", got)
	}
}

func BenchmarkPlace(b *testing.B) {
	cfg := betsim.Bench(user, password)
	cfg.AnswerDelay = 0
	_, client := connect(b, cfg)
	t := ticket(b, 0)
	b.SetParallelism(32)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := client.Place(b.Context(), t); err != nil {
				b.Error(err)
			}
		}
	})
}

// ExampleParsePointer takes the seed's pointer apart.
func ExampleParsePointer() {
	p, err := bet.ParsePointer("live#187183313|17|9|0.5#1.02")
	fmt.Println(p.Live, p.MatchID, p.Param, p.Coef, err)
	_, err = bet.ParsePointer("live#187183313|17|9|half#1.02")
	fmt.Println(err)
	// Output:
	// true 187183313 0.5 1.02 <nil>
	// not a bet pointer: param "half", want a decimal number
}

// ExampleClient_Place tells the three outcomes apart.
func ExampleClient_Place() {
	sim := httptest.NewServer(betsim.New(betsim.Config{Reject: 1000, Seed: 3}))
	defer sim.Close()
	client, err := bet.New(bet.Config{URL: sim.URL, Login: "demo", Password: "demo"})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := bet.ParsePointer("live#187183313|17|9|0.5#1.02")
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := client.Place(context.Background(), bet.Ticket{
		Pointers: []bet.Pointer{p}, RealAmount: money.MustParse("150"), Currency: "USD",
		RemoteHost: "https://yoursite.example", RateMode: bet.RateReject,
	})
	rejection, rejected := errors.AsType[*bet.Rejection](err)
	switch {
	case err == nil:
		fmt.Println("accepted as", answer.BetCode)
	case rejected:
		fmt.Println("rejected, the stake goes back:", rejection.Code)
	case errors.Is(err, bet.ErrUnknownOutcome):
		fmt.Println("unknown, the stake stays:", err)
	}
	// Output: rejected, the stake goes back: selection_unavailable
}

package betsim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver takes pushes as a bookmaker would; answer decides on the status of the n-th.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies [][]byte
	codes  []string // bar codes in the order of acknowledgement
}

func receive(t *testing.T, status func(n int) int) *receiver {
	t.Helper()
	r := &receiver{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/bet/result", func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		var push struct {
			RemoteHost string `json:"remote_host"`
			Heads      []struct{ KeyHead struct{ BarCode string } }
		}
		if err := json.Unmarshal(body, &push); err != nil {
			t.Errorf("%v in %s", err, body)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, body)
		code := status(len(r.bodies))
		if code == 200 {
			for _, h := range push.Heads {
				r.codes = append(r.codes, h.KeyHead.BarCode)
			}
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	})
	r.Server = httptest.NewServer(mux)
	t.Cleanup(r.Close)
	return r
}

func always200(int) int { return 200 }

func heads(codes ...string) []Head {
	var list []Head
	for i, c := range codes {
		list = append(list, Head{ID: "31" + string(rune('0'+i%10)), BarCode: c, Status: 2, AmountOut: "19.85", DateRecive: 1592937968})
	}
	return list
}

// A push is, space aside, what the seed shows.
func TestPushLooksLikeTheSeeds(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/results.json")
	if err != nil {
		t.Fatal(err)
	}
	list := []Head{
		{ID: "313", BarCode: "75vz48t935", Status: 2, AmountOut: "19.85", DateRecive: 1592937968},
		{ID: "312", BarCode: "77i0r6e15t", Status: 2, AmountOut: "12.51", DateRecive: 1592937280},
	}
	r := receive(t, always200)
	if err := (Pusher{Target: r.URL}).Push(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("\n", "", " ", "", "https://sitepartner_url.com", r.URL).Replace(string(want))
	if got := string(r.bodies[0]); got != text {
		t.Errorf("pushed\n%s, want\n%s", got, text)
	}
}

func TestPushGoesWhereTheCouponSaid(t *testing.T) {
	t.Parallel()
	one, two := receive(t, always200), receive(t, always200)
	b := start(t, Config{})
	for i, host := range []string{one.URL, one.URL + "", two.URL, one.URL} {
		b.place([]string{"line#" + string(rune('1'+i)) + "|1|1|0#2"}, with("remote_host", host))
	}
	var codes []string
	for _, c := range b.sim.Coupons() {
		codes = append(codes, c.BetCode)
	}
	if err := b.sim.Push(t.Context(), http.DefaultClient, "", b.sim.Results(ResultOptions{}), 10); err != nil {
		t.Fatal(err)
	}
	if want := []string{codes[0], codes[1], codes[3]}; !slices.Equal(one.codes, want) || len(one.bodies) != 2 {
		t.Errorf("the first host got %v in %d pushes, want %v in 2", one.codes, len(one.bodies), want)
	}
	if want := codes[2:3]; !slices.Equal(two.codes, want) {
		t.Errorf("the second host got %v, want %v", two.codes, want)
	}
	if err := b.sim.Push(t.Context(), http.DefaultClient, two.URL, b.sim.Results(ResultOptions{Revise: true}), 2); err != nil {
		t.Fatal(err)
	}
	if len(two.codes) != 5 || len(two.bodies) != 3 {
		t.Errorf("with a target: %d heads in %d pushes in all, want 5 in 3", len(two.codes), len(two.bodies))
	}
}

// A push that is not answered with 200 comes again, the same to the letter.
func TestPushUntilAcknowledged(t *testing.T) {
	t.Parallel()
	statuses := []int{500, 202, 404, 200}
	r := receive(t, func(n int) int { return statuses[n-1] })
	p := Pusher{Target: r.URL, Backoff: time.Millisecond, Odd: 500}
	if err := p.Push(t.Context(), heads("a", "b")); err != nil {
		t.Fatal(err)
	}
	if len(r.bodies) != 4 || !slices.Equal(r.codes, []string{"a", "b"}) {
		t.Errorf("%d calls, %v acknowledged, want 4 and both", len(r.bodies), r.codes)
	}
	for _, body := range r.bodies[1:] {
		if string(body) != string(r.bodies[0]) {
			t.Errorf("repeated as %s, first %s", body, r.bodies[0])
		}
	}
}

func TestPushGivesUp(t *testing.T) {
	t.Parallel()
	r := receive(t, func(n int) int {
		if n <= 3 {
			return 503
		}
		return 200
	})
	p := Pusher{Target: r.URL, Attempts: 3, Backoff: time.Millisecond, PerPush: 1}
	err := p.Push(t.Context(), heads("a", "b"))
	if err == nil || !strings.Contains(err.Error(), "given up after 3 attempts: HTTP 503") {
		t.Errorf("Push() = %v, want that it gave up", err)
	}
	if !slices.Equal(r.codes, []string{"b"}) {
		t.Errorf("%v acknowledged, want the other push all the same", r.codes)
	}
}

func TestPushStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := receive(t, func(int) int { cancel(); return 500 })
	err := Pusher{Target: r.URL, Backoff: time.Hour, PerPush: 1}.Push(ctx, heads("a", "b", "c"))
	if !errors.Is(err, context.Canceled) || len(r.bodies) != 1 {
		t.Errorf("Push() = %v after %d calls, want cancelled after 1", err, len(r.bodies))
	}
}

func TestPushTwice(t *testing.T) {
	t.Parallel()
	r := receive(t, always200)
	if err := (Pusher{Target: r.URL, PerPush: 2, Duplicates: 1000}).Push(t.Context(), heads("a", "b", "c")); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "a", "b", "c", "c"}; !slices.Equal(r.codes, want) {
		t.Errorf("acknowledged %v, want %v", r.codes, want)
	}
}

func TestPushConcurrently(t *testing.T) {
	t.Parallel()
	const calls = 4
	var meet sync.WaitGroup
	meet.Add(calls)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		meet.Done()
		meet.Wait() // no call ends before all are there
	}))
	t.Cleanup(server.Close)
	if err := (Pusher{Target: server.URL, PerPush: 1, Concurrency: calls}).Push(t.Context(), heads("a", "b", "c", "d")); err != nil {
		t.Fatal(err)
	}
}

// Numbers now and then change their dress, but not their value.
func TestPushOddNumbers(t *testing.T) {
	t.Parallel()
	r := receive(t, always200)
	codes := make([]string, 100)
	for i := range codes {
		codes[i] = "code"
	}
	if err := (Pusher{Target: r.URL, PerPush: 100, Odd: 300, Seed: 4}).Push(t.Context(), heads(codes...)); err != nil {
		t.Fatal(err)
	}
	body := string(r.bodies[0])
	for _, form := range []string{
		`"Status":2`, `"Status":"2"`, `"ExtStatus":0`, `"ExtStatus":"0"`, `"AmountOut":19.85`, `"AmountOut":"19.85"`,
		`"DateRecive":"1592937968"`, `"DateRecive":1592937968`,
	} {
		if n := strings.Count(body, form); n < 10 {
			t.Errorf("%s %d times in 100, want some", form, n)
		}
	}
}

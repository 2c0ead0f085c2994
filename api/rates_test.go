package api

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon"
	"evens/internal/rate"
	"evens/internal/redis"
	"evens/internal/testbed"
)

// bounded is the API with these bounds, on a Redis of that address.
func (b bundle) bounded(t *testing.T, redisURL string, rates Rates) bundle {
	t.Helper()
	client, err := redis.Open(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	rates.Limiter = rate.New(client, time.Now, slog.New(slog.DiscardHandler))
	b.config.Rates = rates
	b.url = serve(t, newHandler(b.config, testHeartbeat))
	return b
}

// hammer makes calls until one is told to wait, and returns how many were taken before.
func (b bundle) hammer(t *testing.T, most int, call func() answer) (taken int) {
	t.Helper()
	for taken = range most {
		a := call()
		if a.status != http.StatusTooManyRequests {
			continue
		}
		a.check(t, http.StatusTooManyRequests, CodeTooManyRequests)
		if wait, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 {
			t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
		}
		return taken
	}
	return most
}

func TestCallsAreBoundedPerBearerAndSource(t *testing.T) {
	t.Parallel()
	plain := setup(t)
	p, other := plain.player(t, "1000"), plain.player(t, "1000")
	token, second, foreign := plain.token(t, p.ID), plain.token(t, p.ID), plain.token(t, other.ID)
	few := rate.Rule{PerSecond: 1, Burst: 10}
	url := testbed.Redis(t)
	wallet := func(b bundle, id string, options ...option) func() answer {
		return func() answer { return b.call(t, "GET", "/v1/players/"+id+"/wallet", nil, options...) }
	}
	within := func(what string, n int) {
		t.Helper()
		if n < 8 || n > 60 { // a slow machine's seconds give some back
			t.Errorf("%s: %d calls were taken, want about 10", what, n)
		}
	}

	b := plain.bounded(t, url, Rates{Player: few})
	within("a player's token", b.hammer(t, 200, wallet(b, p.ID, bearing(token))))
	if a := wallet(b, p.ID, bearing(second))(); a.status != http.StatusTooManyRequests {
		t.Errorf("another token of the same player: %d", a.status)
	}
	if a := wallet(b, other.ID, bearing(foreign))(); a.status != http.StatusOK {
		t.Errorf("another player: %d %s", a.status, a.body)
	}
	b = plain.bounded(t, url, Rates{Key: few})
	within("a key", b.hammer(t, 200, wallet(b, p.ID)))
	if a := wallet(b, p.ID, bearing(b.keyOf(t, "other", "wallet")))(); a.status != http.StatusOK {
		t.Errorf("another key: %d %s", a.status, a.body)
	}
	b = plain.bounded(t, url, Rates{Source: few})
	within("an address that guesses", b.hammer(t, 200, wallet(b, p.ID, bearing("evp_"+uuid.NewString()))))

	b = plain.bounded(t, url, Rates{PlacePlayer: few})
	asked := plain.bookmaker.placed.Load()
	taken := b.hammer(t, 200, func() answer {
		return b.call(t, "POST", "/v1/coupons", couponBody(""), bearing(foreign), idempotent(uuid.NewString()))
	})
	within("placements", taken)
	if n := plain.bookmaker.placed.Load() - asked; n > int64(taken) {
		t.Errorf("the bookmaker was asked %d times for %d placements", n, taken)
	}
	if a := wallet(b, other.ID, bearing(foreign))(); a.status != http.StatusOK {
		t.Errorf("a player who may not place now reads the wallet: %d", a.status)
	}
}

func TestCallsAreTakenWithoutRedis(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	one := rate.Rule{PerSecond: 1, Burst: 1}
	b = b.bounded(t, "redis://127.0.0.1:1", Rates{Source: one, Key: one, Player: one, PlaceKey: one})
	begun := time.Now()
	for range 50 {
		if a := b.call(t, "GET", "/v1/players/"+p.ID+"/wallet", nil); a.status != http.StatusOK {
			t.Fatalf("without Redis: %d %s", a.status, a.body)
		}
	}
	b.place(t, p.ID)
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("50 calls took %s", took)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.config.Streams = StreamBounds{Total: 6, PerPlayer: 2, PerKey: 3}
	b.url = serve(t, newHandler(b.config, testHeartbeat))
	p := b.player(t, "100")
	token, second := b.token(t, p.ID), b.token(t, p.ID)
	kept := b.stream(t, "/v1/events", bearing(token))
	b.stream(t, "/v1/events", bearing(second))
	full := func(what string, options ...option) {
		t.Helper()
		a := b.call(t, "GET", "/v1/events", nil, options...)
		if a.check(t, http.StatusTooManyRequests, CodeTooManyRequests); a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", what)
		}
	}
	full("a third stream of a player", bearing(token))
	for range 3 {
		b.stream(t, "/v1/events")
	}
	full("a fourth stream of a key")
	q := b.player(t, "100")
	b.stream(t, "/v1/events", bearing(b.token(t, q.ID)))
	full("a seventh stream of the process", bearing(b.token(t, b.player(t, "1").ID)))
	if a := b.call(t, "DELETE", "/v1/tokens/current", nil, bearing(token)); a.status != http.StatusNoContent {
		t.Fatalf("logout: %d %s", a.status, a.body)
	}
	kept.ends(t)
	b.stream(t, "/v1/events", bearing(second)) // the place is free again
}

// counting counts what is read for the streams.
type counting struct {
	Coupons
	reads atomic.Int64
}

// Many implements Coupons.
func (c *counting) Many(ctx context.Context, ids []uuid.UUID) ([]coupon.Coupon, error) {
	c.reads.Add(1)
	return c.Coupons.Many(ctx, ids)
}

// Two thousand listeners of everything: each hears of a change, which is read once, and they take less
// than 200 MiB together.
func TestTwoThousandListeners(t *testing.T) { //nolint:paralleltest // measures the heap
	b := setup(t)
	reads := &counting{Coupons: b.config.Coupons}
	b.config.Coupons = reads
	b.config.Streams = StreamBounds{PerKey: 2000}
	server := httptest.NewServer(newHandler(b.config, time.Minute))
	defer server.Close()
	defer b.stop()
	p := b.player(t, "100")
	before := taken()
	const listeners = 2000
	conns := make([]net.Conn, listeners)
	for i := range conns {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns[i] = conn
		fmt.Fprintf(conn, "GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", b.key)
	}
	for _, conn := range conns {
		hears(t, conn, "retry: ")
	}
	c := b.place(t, p.ID)
	for _, conn := range conns {
		hears(t, conn, c.ID)
	}
	after := taken()
	grown := after - before
	t.Logf("%d listeners take %d MiB; %d reads", listeners, grown>>20, reads.reads.Load())
	if grown > 200<<20 {
		t.Errorf("%d listeners take %d MiB", listeners, grown>>20)
	}
	if n := reads.reads.Load(); n < 1 || n > 10 {
		t.Errorf("a coupon's few changes were read %d times for %d listeners", n, listeners)
	}
}

// taken is the memory of heap and stacks, garbage included.
func taken() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// hears reads until a text has come.
func hears(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var heard []byte
	piece := make([]byte, 2048)
	for !strings.Contains(string(heard), text) {
		n, err := conn.Read(piece)
		if heard = append(heard, piece[:n]...); n == 0 {
			t.Fatalf("heard %q, then %v; want %q", heard, err, text)
		}
	}
}

package casino_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/callbacks"
	"evens/internal/testbed"
)

func unreadable(err error) casino.Reply {
	return casino.Reply{Status: 400, Body: []byte(`"cannot be read"`), Err: err}
}

func serveEndpoint(t *testing.T, h *casinotest.Hall, e casino.Endpoint, handle casino.Handler) string {
	t.Helper()
	e.Provider, e.Unreadable = platform, unreadable
	server := httptest.NewServer(h.Desk.Serve(e, "route", handle))
	t.Cleanup(server.Close)
	return server.URL
}

func ok(context.Context, casino.Request) casino.Reply {
	return casino.Reply{Status: 200, Body: []byte(`"ok"`)}
}

func TestOnlyListedAddressesMayCall(t *testing.T) {
	t.Parallel()
	h := casinotest.Open(t, testbed.Database(t))
	called := false
	url := serveEndpoint(t, h, casino.Endpoint{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, func(ctx context.Context, r casino.Request) casino.Reply {
		called = true
		return ok(ctx, r)
	})
	answer := casinotest.Post(t, url, nil, []byte("{}"))
	if answer.Status != 403 || !strings.Contains(answer.Body, `"source_not_allowed"`) || called {
		t.Errorf("a stranger: %d %s, called %t", answer.Status, answer.Body, called)
	}
	if refused := h.Recorder.Refused(); refused != 1 || answer.Callback != uuid.Nil {
		t.Errorf("a stranger's call: %d counted, record %s", refused, answer.Callback)
	}
	url = serveEndpoint(t, h, casino.Endpoint{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, ok)
	if answer := casinotest.Post(t, url, nil, []byte("{}")); answer.Status != 200 {
		t.Errorf("one who is listed: %d %s", answer.Status, answer.Body)
	}
}

// A mistake in a dialect is an answer in the dialect, not a cut connection.
func TestAPanicIsAnswered(t *testing.T) {
	t.Parallel()
	h := casinotest.Open(t, testbed.Database(t))
	url := serveEndpoint(t, h, casino.Endpoint{}, func(context.Context, casino.Request) casino.Reply { panic("a mistake") })
	answer := casinotest.Post(t, url, nil, []byte("{}"))
	if answer.Status != 400 || answer.Body != `"cannot be read"` {
		t.Errorf("answer = %+v", answer)
	}
	if record := h.Record(t, answer.Callback); record.Code != "internal" || string(record.Body) != "{}" {
		t.Errorf("record = %+v", record)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	h := casinotest.Open(t, testbed.Database(t))
	url := serveEndpoint(t, h, casino.Endpoint{Headers: []string{"X-Kept"}}, func(context.Context, casino.Request) casino.Reply {
		return casino.Reply{Status: 200, Body: []byte("{}"), Secrets: []string{"s3cret", ""}}
	})
	answer := casinotest.Post(t, url, map[string]string{"X-Kept": "kept", "Authorization": "hidden"}, []byte(`{"token":"s3cret"}`))
	record := h.Record(t, answer.Callback)
	if string(record.Body) != `{"token":"***"}` || len(record.Headers) != 1 || record.Headers["X-Kept"] != "kept" {
		t.Errorf("record = %+v", record)
	}
}

// A body that does not arrive holds nobody up for long.
func TestASlowBody(t *testing.T) {
	t.Parallel()
	h := casinotest.Open(t, testbed.Database(t))
	url := serveEndpoint(t, h, casino.Endpoint{}, ok)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
	begun := time.Now()
	if err := conn.SetReadDeadline(begun.Add(8 * time.Second)); err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(conn)
	if took := time.Since(begun); took > 3*time.Second || !strings.Contains(string(text), "cannot be read") {
		t.Errorf("after %s: %q", took, text)
	}
}

// While the database stands still nobody waits for more than 3 s, and what is sent again afterwards
// leaves the books as they have to be.
func TestAStalledDatabase(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("stalls a database for several seconds")
	}
	b := sit(t, "100")
	url := serveEndpoint(t, b.Hall, casino.Endpoint{}, func(ctx context.Context, r casino.Request) casino.Reply {
		outcome, err := b.Floor.Bet(ctx, casino.Bet{Call: b.call(string(r.Body)), Stake: usd("1")})
		if err != nil {
			return casino.Reply{Status: 503, Body: []byte(`"` + casino.Code(err) + `"`), Err: err, Outcome: outcome}
		}
		return casino.Reply{Status: 200, Body: []byte(`"ok"`), Outcome: outcome}
	})
	if answer := casinotest.Post(t, url, nil, []byte("warm-up")); answer.Status != 200 {
		t.Fatal(answer)
	}
	ctx := context.WithoutCancel(t.Context())
	tx, err := b.DB.Pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, "LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	const calls = 30
	var wg sync.WaitGroup
	for i := range calls {
		wg.Go(func() {
			begun := time.Now()
			answer := casinotest.Post(t, url, nil, []byte(fmt.Sprint("bet-", i)))
			if took := time.Since(begun); took > 3*time.Second || answer.Status != 503 || answer.Body != `"unavailable"` {
				t.Errorf("bet %d: %d %s after %s", i, answer.Status, answer.Body, took)
			}
		})
	}
	wg.Wait()
	time.Sleep(7 * time.Second) // ten in all: the batch that was under way gives up
	if err := tx.Rollback(ctx); err != nil {
		t.Fatal(err)
	}
	done := 0
	for i := range calls {
		id := fmt.Sprint("bet-", i)
		if i%3 == 0 { // the platform takes it back instead
			if _, err := b.rollback(id); err != nil {
				t.Errorf("rollback %s: %v", id, err)
			}
			continue
		}
		if answer := casinotest.Post(t, url, nil, []byte(id)); answer.Status != 200 {
			t.Errorf("again %s: %d %s", id, answer.Status, answer.Body)
		}
		done++
	}
	if want := usd("99") - usd("1")*20; done != 20 || b.Cash(t, b.who) != want {
		t.Errorf("cash = %s after %d bets, want %s", b.Cash(t, b.who), done, want)
	}
}

// Records that find no room, or no database, are counted; nobody waits for them.
func TestRecorderIsBounded(t *testing.T) {
	t.Parallel()
	h := casinotest.Open(t, testbed.Database(t))
	recorder := callbacks.NewRecorder(h.DB, quiet)
	ids := make([]uuid.UUID, 3000)
	for i := range ids {
		ids[i] = uuid.Must(uuid.NewV7())
		recorder.Keep(callbacks.Record{ID: ids[i], At: h.Now(), Provider: platform, Path: "/", Headers: map[string]string{"a": "b\x00"}, Answer: []byte("x")})
	}
	recorder.Close()
	var kept int
	if err := h.DB.Pool.QueryRow(t.Context(), `SELECT count(*) FROM callbacks`).Scan(&kept); err != nil || kept != len(ids) || recorder.Dropped() != 0 {
		t.Errorf("%d of %d kept, %d dropped, %v", kept, len(ids), recorder.Dropped(), err)
	}
	if _, err := callbacks.Read(t.Context(), h.DB, uuid.New()); err == nil {
		t.Error("a record that is not there was read")
	}
	tx, err := h.DB.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "LOCK TABLE callbacks IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	stuck := callbacks.NewRecorder(h.DB, quiet)
	begun := time.Now()
	for range 20_000 {
		stuck.Keep(callbacks.Record{ID: uuid.New(), At: h.Now(), Provider: platform, Path: "/"})
	}
	if took := time.Since(begun); took > 2*time.Second || stuck.Dropped() == 0 {
		t.Errorf("20,000 records without a database took %s, %d dropped", took, stuck.Dropped())
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	stuck.Close()
}

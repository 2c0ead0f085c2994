package casino_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/testbed"
)

// Of a call whose signature does not fit a length and a hash are kept, and no header.
func TestAForgeryLeavesItsHash(t *testing.T) {
	t.Parallel()
	h := casinotest.Open(t, testbed.Database(t))
	url := serveEndpoint(t, h, casino.Endpoint{Headers: []string{"X-Kept"}}, func(context.Context, casino.Request) casino.Reply {
		return casino.Reply{Status: 403, Body: []byte("{}"), Err: casino.ErrUnauthentic}
	})
	answer := casinotest.Post(t, url, map[string]string{"X-Kept": `\u0000`}, []byte("forged"))
	record := h.Record(t, answer.Callback)

	if body := string(record.Body); strings.Contains(body, "forged") || !strings.Contains(body, `"bytes":6`) || len(record.Headers) != 0 {
		t.Errorf("kept %s with %v", body, record.Headers)
	}
	if record.Source != "127.0.0.1" || record.Code != "unauthentic" {
		t.Errorf("record = %+v", record)
	}
}

// Hundreds of large bodies that do not end: a few are waited for, the others are answered at once, and small
// calls all the while.
func TestLargeBodiesAreFewAtOnce(t *testing.T) {
	t.Parallel()
	h := casinotest.Open(t, testbed.Database(t))
	endpoint := casino.Endpoint{Provider: platform, Unreadable: func(err error) casino.Reply {
		return casino.Reply{Status: 503, Body: []byte(err.Error()), Err: err}
	}}
	server := httptest.NewServer(h.Desk.Serve(endpoint, "route", ok))
	t.Cleanup(server.Close)
	var wg sync.WaitGroup
	var turnedAway atomic.Int64
	for range 300 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n%s", strings.Repeat(" ", 20_000))
		wg.Go(func() {
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if text, _ := io.ReadAll(conn); strings.Contains(string(text), "too many large") {
				turnedAway.Add(1)
			}
		})
	}
	if answer := casinotest.Post(t, server.URL, nil, []byte("{}")); answer.Status != 200 {
		t.Errorf("a small call beside large ones: %d %s", answer.Status, answer.Body)
	}
	wg.Wait()
	if n := turnedAway.Load(); n < 20 || n > 236 {
		t.Errorf("%d of 300 large bodies were turned away", n)
	}
}

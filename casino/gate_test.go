package casino_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
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
	url := serveEndpoint(t, h, casino.Endpoint{}, ok)
	begun := time.Now()
	refusedEarly := 0
	conns := make([]net.Conn, 300)
	for i := range conns {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns[i] = conn
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n%s", strings.Repeat(" ", 100_000))
	}
	if answer := casinotest.Post(t, url, nil, []byte("{}")); answer.Status != 200 {
		t.Errorf("a small call beside large ones: %d %s", answer.Status, answer.Body)
	}
	for _, conn := range conns {
		_ = conn.SetReadDeadline(begun.Add(casino.CallTimeout - 500*time.Millisecond))
		if text, _ := io.ReadAll(io.LimitReader(conn, 12)); strings.Contains(string(text), "400") {
			refusedEarly++
		}
	}
	if refusedEarly < 200 {
		t.Errorf("%d of 300 large bodies were refused at once", refusedEarly)
	}
}

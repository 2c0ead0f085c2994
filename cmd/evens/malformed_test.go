package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// oddity is a kind of malformed request: what it does to a request that its route knows.
type oddity struct {
	name string
	// body, where it is not nil, makes a body of a right one; what signs it comes after.
	body func(right string) string
	// change, where it is not nil, changes a request whose body is an empty object.
	change func(*request)
	// raw, where it is not nil, is what is written to the connection, of method and path.
	raw func(method, path string) string
}

// books are what malformed requests must not change, row by row.
const books = `SELECT coalesce(string_agg(b, E'\n' ORDER BY b), '') FROM (
	SELECT t::text AS b FROM transactions t WHERE kind <> 'refused' UNION ALL SELECT t::text FROM transfers t UNION ALL
	SELECT concat_ws(' ', a.id, a.player_id, a.kind, a.balance, a.version) FROM accounts a
	UNION ALL SELECT c::text FROM coupons c UNION ALL SELECT s::text FROM settlements s UNION ALL SELECT b::text FROM bonuses b) each`

func (x *target) books(t *testing.T) (all string) {
	t.Helper()
	if err := x.db.Pool.QueryRow(t.Context(), books).Scan(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// Ten thousand malformed requests of two hundred kinds, on every route, by those who may call it: no fault of ours, no
// growth, nothing in the books.
func TestTenThousandMalformedRequests(t *testing.T) {
	if testing.Short() {
		t.Skip("sends ten thousand requests")
	}
	t.Parallel()
	x := openTarget(t)
	before := x.books(t)
	kinds, sent := oddities(), 0
	if len(kinds) < 200 {
		t.Errorf("%d kinds, want 200", len(kinds))
	}
	routes := x.everyRoute(t)
	statuses := make(map[int]int)
	for _, kind := range kinds {
		for _, r := range routes {
			status, text := x.malformed(t, kind, r)
			for tries := 0; status == http.StatusServiceUnavailable && tries < 3; tries++ { // a busy machine says "later"
				time.Sleep(time.Second)
				status, text = x.malformed(t, kind, r)
			}
			sent++
			statuses[status]++
			// 501 and 505 are HTTP's own words for a coding and a version that nobody speaks, said before a route is known.
			if status >= 500 && !strings.Contains(text, "505 HTTP Version") && (kind.name != "message: an odd encoding" || status != 501) {
				t.Errorf("%s on %s %s: %d %.200s", kind.name, r.method, r.url, status, text)
			}
		}
		if now := x.books(t); now != before {
			t.Errorf("the books changed by kind %q:\n%s\nwere\n%s", kind.name, now, before)
			before = now
		}
	}
	t.Logf("%d requests of %d kinds on %d routes: %v; at most %d MiB", sent, len(kinds), len(routes), statuses, x.peak(t)>>20)
	if sent < 10_000 {
		t.Errorf("%d requests, want 10,000", sent)
	}
	if peak := x.peak(t); peak > memoryLimit {
		t.Errorf("the process held %d MiB, want at most %d", peak>>20, memoryLimit>>20)
	}
	x.clean(t)
}

// callee is a route with who may call it.
type callee struct {
	request
	door *door
}

// everyRoute is each operation of /v1, each provider's door, and the operators' listener.
func (x *target) everyRoute(t *testing.T) (all []callee) {
	for _, r := range x.routes(t) {
		if r.method == http.MethodDelete && strings.Contains(r.url, "tokens") || strings.HasSuffix(r.url, "events") {
			continue // it takes no body and ends what is needed, or does not end
		}
		filled := x.fill(r, x.who.ID.String())
		filled.header = bearerOf(x.key)
		all = append(all, callee{request: filled})
	}
	for _, d := range x.doors() {
		if d.name != "deposit" && d.name != "withdrawal" {
			all = append(all, callee{request: request{method: "POST", url: x.url + d.path, body: d.body}, door: &d})
		}
	}
	for _, name := range []string{"payout", "cancel-bet", "balance", "authorize", "bet-status"} {
		d := x.door("Naga")
		d.path = "/casino/naga/" + name
		all = append(all, callee{request: request{method: "POST", url: x.url + d.path, body: d.body}, door: &d})
	}
	for _, name := range []string{"balance", "credit", "rollback"} {
		d := x.door("Betao")
		d.path = "/casino/betao/api/v3/wallet/" + name
		all = append(all, callee{request: request{method: "POST", url: x.url + d.path, body: d.body}, door: &d})
	}
	for _, r := range x.officePaths() {
		all = append(all, callee{request: r})
	}
	for _, path := range []string{"/healthz", "/readyz", "/console/login"} {
		all = append(all, callee{request: request{method: "GET", url: x.ops + path}})
	}
	return all
}

func (x *target) malformed(t *testing.T, kind oddity, c callee) (status int, text string) {
	t.Helper()
	r := c.request
	if kind.raw != nil {
		return raw(t, strings.TrimPrefix(r.url[:strings.Index(r.url[7:], "/")+7], "http://"), kind.raw(r.method, r.url[strings.Index(r.url[7:], "/")+7:]))
	}
	if kind.body != nil {
		r.body = kind.body(strings.ReplaceAll(r.body, `"ID"`, `"`+uuid.NewString()+`"`))
	} else {
		r.body = "{}"
	}
	if c.door != nil && c.door.packs != nil {
		r.body, r.header = c.door.packs(r.body)
	}
	if kind.change != nil {
		r.header = r.header.Clone()
		if r.header == nil {
			r.header = http.Header{}
		}
		kind.change(&r)
	}
	return x.ask(t, r)
}

// raw writes text to a connection, and answers the status that comes back; 0 where none comes.
func raw(t *testing.T, address, text string) (status int, line string) {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(300 * time.Millisecond))
	if _, err := conn.Write([]byte(text)); err != nil {
		return 0, err.Error()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	line, err = bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return 0, err.Error()
	}
	_, _ = fmt.Sscanf(line, "HTTP/1.1 %d", &status)
	return status, line
}

// oddities are the kinds.
func oddities() (all []oddity) {
	for name, body := range oddBodies() {
		all = append(all, oddity{name: "body: " + name, body: func(string) string { return body }})
	}
	for name, value := range oddValues() {
		// In the place of each value of a right body, or of an only member where there is none.
		all = append(all, oddity{name: "values: " + name, body: func(right string) string { return withValues(right, value) }})
		all = append(all, oddity{name: "query: " + name, change: func(r *request) {
			r.url += "?cursor=" + escape(value) + "&limit=" + escape(value) + "&from=" + escape(value) + "&player_id=" + escape(value)
		}})
		all = append(all, oddity{name: "path: " + name, change: func(r *request) { r.url += "/" + escape(value) }})
		all = append(all, oddity{name: "headers: " + name, change: func(r *request) {
			for _, header := range []string{"Idempotency-Key", "X-Signature", "X-Agentid", "Content-Type", "Accept", "X-Request-Id", "Cookie", "Last-Event-Id"} {
				r.header.Set(header, strings.Map(printable, value)+"{")
			}
		}})
	}
	for _, query := range []string{"?%zz", "?a=b&a=c", "?=", "?&&&&", "?%00=%00", "?limit=-1&limit=501", "?" + strings.Repeat("a=b&", 2000), "?from=9999-99-99", "?;=;"} {
		all = append(all, oddity{name: "query: " + query[:min(20, len(query))], change: func(r *request) { r.url += query }})
	}
	for _, method := range []string{"TRACE", "OPTIONS", "HEAD", "PROPFIND", "get", "QUERY", "X"} {
		all = append(all, oddity{name: "method: " + method, change: func(r *request) { r.method = method }})
	}
	for name, text := range oddMessages() {
		all = append(all, oddity{name: "message: " + name, raw: func(method, path string) string {
			return strings.NewReplacer("METHOD", method, "PATH", path).Replace(text)
		}})
	}
	return all
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

func escape(value string) string {
	var b strings.Builder
	for i := range len(value) {
		fmt.Fprintf(&b, "%%%02X", value[i])
		if i > 2000 {
			break
		}
	}
	return b.String()
}

// withValues puts a JSON value into the place of each value of an object's members.
func withValues(right, value string) string {
	if !strings.Contains(right, ":") || right == "{}" {
		return `{"amount":` + value + `,"player_id":` + value + `}`
	}
	var b strings.Builder
	for n, part := range strings.Split(right, `":`) {
		if n > 0 {
			b.WriteString(`":` + value + `,`)
		}
		at := strings.LastIndex(part, `"`)
		b.WriteString(part[max(at, 0):])
	}
	text := strings.TrimSuffix(b.String(), `"}`)
	return "{" + strings.Trim(text, ",{}]") + "}"
}

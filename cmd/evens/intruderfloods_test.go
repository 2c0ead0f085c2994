package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/access"
)

// oddTexts are what no id has in it, as it stands in JSON.
var oddTexts = map[string]string{
	"a NUL": `\u0000`, "a raw NUL": "\x00", "an escape": `\u001b[31m`, "a raw control": "\x01", "DEL": "\x7f", "a C1 control": `\u0085`, "a line separator": `\u2028`,
	"half a pair": `\ud800`, "a byte of no text": "\xff", "an overlong NUL": "\xc0\x80", "turned": `\u202e`,
}

// idsEverywhere puts what no id has into each text of what each door takes.
func (x *target) idsEverywhere(t *testing.T) (all []attempt) {
	for _, d := range x.doors() {
		var members map[string]any
		if err := json.Unmarshal([]byte(d.body), &members); err != nil {
			t.Fatal(err)
		}
		for name, value := range members {
			text, ok := value.(string)
			if !ok || text == "" {
				continue
			}
			for what, odd := range oddTexts {
				all = append(all, attempt{"outsider", d.name + ": " + what + " in " + name, func(t *testing.T) string {
					at := fmt.Sprintf(`%q:%q`, name, text)
					body := strings.Replace(d.body, at, fmt.Sprintf(`%q:"%s%s"`, name, text, odd), 1)
					status, answer := x.call(t, d, strings.Replace(body, "ID", uuid.NewString(), 1))
					if status >= 500 || body == d.body {
						return fmt.Sprintf("%d %.300s", status, answer)
					}
					return "" // what it has written, if it has, is seen in the books
				}})
			}
		}
	}
	for what, odd := range map[string]string{"a NUL": "%00", "a control": "%1b", "no text": "%ff", "a slash": "%2f", "dots": "%2e%2e%2f"} {
		for _, path := range []string{
			"/v1/players/ODD", "/v1/players/ODD/wallet", "/v1/coupons/ODD", "/v1/coupons/ODD/events", "/v1/coupons?player_id=ODD", "/v1/coupons?cursor=ODD",
			"/v1/events?player_id=ODD", "/v1/players/" + x.victim.ID.String() + "/transactions?cursor=ODD",
		} {
			all = append(all, x.over("player", what+" in a path", request{method: "GET", url: x.url + strings.ReplaceAll(path, "ODD", odd), header: bearerOf(x.token)}))
		}
		for _, path := range []string{"/console/players/ODD", "/console/callbacks/ODD", "/console/players/ODD/transactions.csv", "/console/queues/api/queues/ODD"} {
			all = append(all, x.over("outsider", what+" in a page's path", request{method: "GET", url: x.ops + strings.ReplaceAll(path, "ODD", odd)}))
		}
	}
	for what, key := range map[string]string{"a tab": "a\tb", "no text": "a\xffb", "much": strings.Repeat("k", 5000)} {
		h := bearerOf(x.token)
		h.Set("Idempotency-Key", key)
		body := fmt.Sprintf(`{"player_id":%q,"selections":["x"],"stake":"1.00","currency":"USD"}`, x.who.ID)
		all = append(all, x.over("player", what+" in an idempotency key", request{method: "POST", url: x.url + "/v1/coupons", body: body, header: h}))
	}
	return all
}

// packed is n bytes of what is nothing but blanks, packed.
func packed(n int64, times int) string {
	text := io.LimitReader(blanks{}, n)
	for range times {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = io.Copy(w, text)
		_ = w.Close()
		text = &out
	}
	all, _ := io.ReadAll(text)
	return string(all)
}

type blanks struct{}

// Read implements io.Reader.
func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// floods are junk by the many: each is refused or cut off, and the process stays small.
func (x *target) floods(t *testing.T) (all []attempt) {
	const sources = 24
	flood := func(what string, r func() request, times int, refuses ...func(int, string) bool) {
		all = append(all, attempt{"outsider", what, func(t *testing.T) (success string) {
			var wg sync.WaitGroup
			var mu sync.Mutex
			for range sources {
				wg.Go(func() {
					for range times {
						status, text := x.ask(t, r())
						if refused := len(refuses) > 0 && refuses[0](status, text); !refused && !refusedHTTP(status) && status != http.StatusServiceUnavailable {
							mu.Lock()
							success = fmt.Sprintf("%d %.200s", status, text)
							mu.Unlock()
						}
					}
				})
			}
			wg.Wait()
			if status, text := x.ask(t, request{method: "GET", url: x.url + "/v1/openapi.json"}); status != http.StatusOK {
				return fmt.Sprintf("an honest call afterwards: %d %.200s", status, text)
			}
			return success
		}})
	}
	gzipped := func() http.Header { return http.Header{"Content-Encoding": {"gzip"}} }
	bomb, twice := packed(256<<20, 1), packed(64<<20, 2)
	deep := strings.Repeat("[", 200_000)
	for _, d := range x.doors() {
		address := x.url + d.path
		refuses := func(status int, text string) bool { return d.refused != nil && d.refused(status, text) }
		header := func(body string) http.Header {
			if d.packs == nil || d.name == "deposit" || d.name == "withdrawal" {
				return gzipped() // nobody's
			}
			_, h := d.packs(d.body)
			h = h.Clone()
			h.Set("Content-Encoding", "gzip")
			return h
		}
		flood(d.name+": what grows when it is unpacked", func() request { return request{method: "POST", url: address, body: bomb, header: header(bomb)} }, 2, refuses)
		flood(d.name+": packed twice", func() request { return request{method: "POST", url: address, body: twice, header: header(twice)} }, 2, refuses)
		flood(d.name+": large junk", func() request {
			return request{method: "POST", url: address, body: `{"a":"` + strings.Repeat("x", 250<<10) + `"}`, header: http.Header{}}
		}, 4, refuses)
		all = append(all, attempt{"outsider", d.name + ": deep JSON, signed", func(t *testing.T) string {
			status, text := x.call(t, d, `{"a":`+deep+strings.Repeat("]", len(deep))+`}`)
			if !refusedHTTP(status) && !x.refuses(d, status, text) {
				return fmt.Sprintf("%d %.200s", status, text)
			}
			return ""
		}})
	}
	for name, header := range map[string]http.Header{"many headers": {}, "a huge header": {"X-Junk": {strings.Repeat("j", 900<<10)}}, "a huge cookie": {"Cookie": {strings.Repeat("a=b;", 20_000)}}} {
		if len(header) == 0 {
			for n := range 3000 {
				header.Set(fmt.Sprintf("X-Junk-%d", n), "junk")
			}
		}
		for _, base := range []string{x.url + "/v1/games", x.ops + "/console/"} {
			flood(name, func() request { return request{method: "GET", url: base, header: header.Clone()} }, 4)
		}
	}
	return append(all, attempt{"outsider", "a thousand connections that say little", x.idle})
}

// idle opens connections that say nothing, a byte at a time, or half a request, to both listeners.
func (x *target) idle(t *testing.T) string {
	var held []net.Conn
	defer func() {
		for _, conn := range held {
			_ = conn.Close()
		}
	}()
	for n := range 1000 {
		base := []string{x.url, x.ops}[n%2]
		conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			return err.Error()
		}
		held = append(held, conn)
		_, _ = io.WriteString(conn, []string{
			"", "G", "GET / HTTP/1.1\r\nHost: x\r\nX: ", "POST /cashier/callback HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat(" ", 20_000),
			"POST /v1/coupons HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", "POST /console/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\nemail=",
		}[n/2%6])
	}
	for _, address := range []string{x.url + "/v1/openapi.json", x.ops + "/healthz"} {
		if status, text := x.ask(t, request{method: "GET", url: address}); status != http.StatusOK {
			return fmt.Sprintf("beside them %s: %d %.200s", address, status, text)
		}
	}
	return ""
}

// listening are event streams beyond what one may have.
func (x *target) listening(t *testing.T) (all []attempt) {
	tokens := access.NewTokens(x.db, time.Now)
	second, _, err := tokens.Issue(t.Context(), x.who.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	return []attempt{
		{"player", "more streams than a player has, with two tokens", func(t *testing.T) string {
			return x.streams(t, 40, 16, func(n int) string { return []string{x.token, second}[n%2] })
		}},
		{"player", "streams that end give their place back", func(t *testing.T) string {
			for range 3 {
				if text := x.streams(t, 20, 16, func(int) string { return x.token }); text != "" {
					return text
				}
			}
			return ""
		}},
		{"outsider", "streams without a bearer", func(t *testing.T) string { return x.streams(t, 50, 0, func(int) string { return "" }) }},
		{"outsider", "streams with a token that was ended", func(t *testing.T) string { return x.streams(t, 50, 0, func(int) string { return x.ended }) }},
	}
}

// streams opens n event streams and says how that went wrong: there should be so many.
func (x *target) streams(t *testing.T, n, want int, token func(n int) string) string {
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	opened := 0
	for one := range n {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, x.url+"/v1/events", nil)
		if err != nil {
			return err.Error()
		}
		r.Header.Set("Authorization", "Bearer "+token(one))
		response, err := client.Do(r)
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		if response.StatusCode == http.StatusOK {
			if _, err := bufio.NewReader(response.Body).ReadString('\n'); err == nil {
				opened++
			}
		}
	}
	leave()
	// The places are free again once the process has seen that nobody listens.
	time.Sleep(200 * time.Millisecond)
	if opened != want {
		return fmt.Sprintf("%d of %d streams were open at once, want %d", opened, n, want)
	}
	return ""
}

// doorsOfWords are attempts by other words for the same: methods, headers that name a method, paths written otherwise.
func (x *target) doorsOfWords() (all []attempt) {
	wallet := "/v1/players/" + x.victim.ID.String() + "/wallet"
	own := "/v1/players/" + x.who.ID.String()
	for _, path := range []string{
		own + "/../" + x.victim.ID.String() + "/wallet", own + "/%2e%2e/" + x.victim.ID.String() + "/wallet", own + "%2f..%2f" + x.victim.ID.String() + "/wallet", "/" + wallet, wallet + "/",
		strings.ToUpper(wallet), wallet + "?player_id=" + x.who.ID.String(), wallet + ";" + x.who.ID.String(), wallet + "%00", "/v1/players/" + strings.ToUpper(x.victim.ID.String()) + "/wallet",
		"/v1/players/{" + x.victim.ID.String() + "}/wallet", "/v1/players/urn:uuid:" + x.victim.ID.String() + "/wallet", "/v1/players/" + strings.ReplaceAll(x.victim.ID.String(), "-", "") + "/wallet",
		"/v1/./players/" + x.victim.ID.String() + "/wallet", "/v2/players/" + x.victim.ID.String() + "/wallet", "/v1/players/victim/wallet",
	} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST"} {
			all = append(all, x.over("player", "another's wallet by another path", request{method: method, url: x.url + path, header: bearerOf(x.token)}, func(status int, text string) bool {
				return status/100 == 2 && (method != "OPTIONS" || text != "") || strings.Contains(text, `"cash"`)
			}))
		}
	}
	for _, name := range []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"} {
		h := bearerOf(x.token)
		h.Set(name, "DELETE")
		all = append(all, x.over("player", "a method in a header", request{method: "GET", url: x.url + "/v1/players/" + x.victim.ID.String() + "/tokens", header: h}))
		all = append(all, x.over("player", "a method in the query", request{method: "POST", url: x.url + "/v1/tokens/current?_method=DELETE", header: bearerOf(x.token)}))
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/metrics", "/readyz", "/console/", "/console/queues/", "/v1/metrics", "/v1/../metrics", "/v1/debug/pprof", "/.env", "/healthz"} {
		for _, token := range []string{"", x.key, metricsSecret} {
			all = append(all, x.over("outsider", "what is the operators' on the public listener", request{method: "GET", url: x.url + path, header: bearerOf(token)}))
		}
	}
	return append(all, x.assignments()...)
}

// assignments are members that a call does not have, which would say what only we say.
func (x *target) assignments() (all []attempt) {
	order := `{"player_id":%q,"selections":["live#187183313|17|9|0.5#1.02"],"stake":"1.00","currency":"USD"%s}`
	for _, more := range []string{
		`"status":"won"`, `"payout":"5000.00"`, `"bet_code":"x"`, `"id":"` + uuid.NewString() + `"`, `"coefficient":"1000"`, `"possible_win":"5000"`, `"bonus_id":"` + uuid.NewString() + `"`,
		`"placed_at":"2020-01-01T00:00:00Z"`, `"Stake":"0.01"`, `"player_id":"` + x.victim.ID.String() + `"`, `"__proto__":{}`,
	} {
		all = append(all, x.over("player", "a coupon that says more", request{
			method: "POST", url: x.url + "/v1/coupons", body: fmt.Sprintf(order, x.who.ID, ","+more), header: bearerOf(x.token),
		}))
	}
	limits := x.url + "/v1/players/" + x.who.ID.String() + "/limits"
	for _, body := range []string{`{"deposit":{"daily":"1.00","at":"2020-01-01T00:00:00Z"}}`, `{"status":"active"}`, `{"deposit":{"Daily":"1.00"}}`, `{"pending":{}}`} {
		all = append(all, x.over("player", "limits that say more", request{method: "PUT", url: limits, body: body, header: bearerOf(x.token)}))
	}
	return all
}

// strangersAtTheForm log in by forms that are not theirs: planted sessions, other sites, tokens of other forms.
func (x *target) strangersAtTheForm() (all []attempt) {
	planted := strings.Repeat("P", 43)
	form := func(token string) string {
		return url.Values{"email": {"viewer@example.com"}, "password": {operatorPassword}, "token": {token}}.Encode()
	}
	for what, header := range map[string]http.Header{
		"no cookie": {}, "another token": {"Cookie": {"evens_login=abc"}}, "an empty one": {"Cookie": {"evens_login="}},
		"another site": {"Cookie": {"evens_login=t"}, "Origin": {"https://evil.example"}}, "a site next door": {"Cookie": {"evens_login=t"}, "Sec-Fetch-Site": {"same-site"}},
		"no site": {"Cookie": {"evens_login=t"}, "Origin": {"null"}},
	} {
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		all = append(all, x.over("outsider", "the login form: "+what, request{method: "POST", url: x.ops + "/console/login", body: form("t"), header: header}, func(status int, _ string) bool {
			return status < 400
		}))
	}
	return append(all, attempt{"outsider", "a session that was planted before the login", func(t *testing.T) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, x.ops+"/console/login", strings.NewReader(form("t")))
		if err != nil {
			return err.Error()
		}
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {"evens_login=t; evens_console=" + planted}}
		response, err := noFollow.Do(r)
		if err != nil {
			return err.Error()
		}
		_ = response.Body.Close()
		session := ""
		for _, cookie := range response.Cookies() {
			if cookie.Name == "evens_console" {
				session = cookie.Value
			}
		}
		if response.StatusCode != http.StatusSeeOther || session == "" || session == planted {
			return fmt.Sprintf("the login: %d with session %q", response.StatusCode, session)
		}
		see := func(value string) int {
			status, _ := x.ask(t, request{method: "GET", url: x.ops + "/console/", header: http.Header{"Cookie": {"evens_console=" + value}}})
			return status
		}
		if status := see(planted); status == http.StatusOK {
			return "the planted session opens the console"
		}
		if status := see(session); status != http.StatusOK {
			return fmt.Sprintf("the login's own session: %d", status)
		}
		return ""
	}})
}

package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"evens/cashier"
	"evens/sim/casinosim"
)

// bodyOf is a body that a route of /v1 would take from those who may.
func (x *target) bodyOf(path string, who string) string {
	cash := fmt.Sprintf(`{"amount":"50.00","currency":"USD","method":"card","transaction_id":%q}`, uuid.NewString())
	for end, body := range map[string]string{
		"/deposits": cash, "/withdrawals": cash, "/limits": `{"deposit":{"daily":"1.00"}}`,
		"/bonuses": `{"amount":"100.00","wagering":"1"}`, "/tokens": `{}`,
		"/v1/players": `{"external_id":"new","name":"N","email":"n@example.com","currency":"USD"}`,
		"/v1/coupons": fmt.Sprintf(`{"player_id":%q,"selections":["live#187183313|17|9|0.5#1.02"],"stake":"1.00","currency":"USD"}`, who),
		"/launch":     fmt.Sprintf(`{"player_id":%q,"provider":"tg","game_code":"g","lang":"en","mode":"real"}`, who),
	} {
		if strings.HasSuffix(path, end) {
			return body
		}
	}
	return `{}`
}

// fill puts ids into a route.
func (x *target) fill(r request, who string) request {
	return request{method: r.method, url: x.url + strings.NewReplacer("{id}", who).Replace(r.url), body: x.bodyOf(r.url, who)}
}

// openRoute is true of the routes of /v1 that anyone may read: the document.
func openRoute(r request) bool {
	return r.method == http.MethodGet && (r.url == "/v1/openapi.json" || r.url == "/v1/docs")
}

// outsiders have a network and what they can guess.
func (x *target) outsiders(t *testing.T) (all []attempt) {
	const who = "outsider"
	for name, header := range map[string]http.Header{
		"no key": {}, "a guessed key": bearerOf("evk_" + strings.Repeat("A", 43)), "a guessed token": bearerOf("evp_" + strings.Repeat("A", 43)),
		"a token that was ended": bearerOf(x.ended),
	} {
		for _, r := range x.routes(t) {
			if openRoute(r) {
				continue
			}
			r = x.fill(r, x.victim.ID.String())
			r.header = header
			all = append(all, x.over(who, name, r))
		}
	}
	for name, token := range map[string]string{
		"the key's hash": "evk_0", "no prefix": strings.TrimPrefix(x.key, "evk_"), "cut short": x.key[:len(x.key)-1], "a letter more": x.key + "A",
		"in capitals": strings.ToUpper(x.key), "an apostrophe": "evk_' OR '1'='1", "twice": x.key + " " + x.key, "as a player's": "evp_" + x.key[4:],
	} {
		all = append(all, x.over(who, "a key: "+name, request{method: "GET", url: x.url + "/v1/players/" + x.victim.ID.String(), header: bearerOf(token)}))
	}
	for _, d := range x.doors() {
		all = append(all, x.forged(d)...)
	}
	for _, path := range []string{
		"/api/bet/result", "/api/bet/result/", "//api/bet/result", "/x/api/bet/result", "/%2e/api/bet/result", "/" + resultSecret[:8] + "/api/bet/result",
		"/" + strings.ToUpper(resultSecret) + "/api/bet/result", "/" + resultSecret + "x/api/bet/result", "/*/api/bet/result", "/{secret}/api/bet/result",
		"/casino/betron", "/casino/betron/", "/casino/betron/x", "/casino/betron/" + betronSecret[:10], "/casino/betron/" + strings.ToUpper(betronSecret),
		"/casino/betron/%2e", "/casino/betron/../betron", "/casino//betron", "/CASINO/BETRON/" + betronSecret,
	} {
		body := strings.Replace(x.door("BetronTech").body, "transaction_bet", "transaction_win", 1)
		if strings.Contains(path, "result") {
			body = x.door("BeT's results").body
		}
		all = append(all, x.over(who, "without the path's secret", request{method: "POST", url: x.url + path, body: strings.Replace(body, "ID", uuid.NewString(), 1)}))
	}
	return append(all, x.atTheOffice()...)
}

// forged are calls to a provider's door by somebody who has not its key.
func (x *target) forged(d door) (all []attempt) {
	body := strings.Replace(d.body, "ID", uuid.NewString(), 1)
	if d.packs == nil {
		return nil
	}
	packed, header := d.packs(body)
	send := func(what, body string, change func(http.Header)) {
		h := header.Clone()
		change(h)
		all = append(all, x.over("outsider", d.name+": "+what, request{method: "POST", url: x.url + d.path, body: body, header: h}, func(status int, text string) bool {
			return !x.refuses(d, status, text) && !refusedHTTP(status)
		}))
	}
	each := func(h http.Header, change func(string) string) {
		for name := range h {
			h.Set(name, change(h.Get(name)))
		}
	}
	if d.name == "TG" { // whose body is encrypted, and nothing else says who calls
		stranger, err := casinosim.NewTG(tgAgent, []byte(strings.Repeat("x", 32)), "s")
		if err != nil {
			panic(err)
		}
		for what, forged := range map[string]string{
			"in the clear": body, "nothing": `{"cipherText":""}`, "zeros": `{"cipherText":"` + strings.Repeat("A", 128) + `"}`,
			"by another key": `{"cipherText":"` + stranger.Seal([]byte(body)) + `"}`, "the clear as the cipher": fmt.Sprintf(`{"cipherText":%q}`, body),
		} {
			send(what, forged, func(http.Header) {})
		}
		return all
	}
	send("nothing signed", packed, func(h http.Header) { clear(h) })
	send("an empty signature", packed, func(h http.Header) { each(h, func(string) string { return "" }) })
	send("zeros for a signature", packed, func(h http.Header) { each(h, func(s string) string { return strings.Repeat("0", len(s)) }) })
	send("half a signature", packed, func(h http.Header) { each(h, func(s string) string { return s[:len(s)/2] }) })
	if d.name != "deposit" && d.name != "withdrawal" { // a key is not over a body
		other := strings.Replace(packed, packed[len(packed)/2:len(packed)/2+1], "~", 1)
		send("another body", other, func(http.Header) {})
	}
	if d.name == "gateway" {
		for name, at := range map[string]time.Time{"an hour ago": time.Now().Add(-time.Hour), "in an hour": time.Now().Add(time.Hour)} {
			send("signed "+name, body, func(h http.Header) { h.Set("X-Signature", cashier.Sign(gatewaySecret, []byte(body), at)) })
		}
		send("the wrong key", body, func(h http.Header) { h.Set("X-Signature", cashier.Sign("", []byte(body), time.Now())) })
	}
	return all
}

func (x *target) door(name string) door { return x.doorOf(name) }

// officePaths are the routes of the operators' listener.
func (x *target) officePaths() []request {
	queue := x.ops + "/console/queues/api/queues/default"
	return []request{
		{method: "GET", url: x.ops + "/console/"}, {method: "GET", url: x.ops + "/console/players/" + x.victim.ID.String()},
		{method: "GET", url: x.ops + "/console/players/" + x.victim.ID.String() + "/transactions.csv"},
		{method: "GET", url: x.ops + "/console/callbacks/" + uuid.NewString()}, {method: "GET", url: x.ops + "/console/queues/"},
		{method: "GET", url: x.ops + "/console/queues/api/queues"}, {method: "POST", url: queue + ":pause"}, {method: "POST", url: queue + ":resume"},
		{method: "DELETE", url: queue}, {method: "POST", url: queue + "/archived_tasks:run_all"}, {method: "DELETE", url: queue + "/pending_tasks:delete_all"},
		{method: "GET", url: x.ops + "/metrics"}, {method: "POST", url: x.ops + "/console/logout"},
	}
}

// atTheOffice are attempts of an outsider who reaches the operators' listener.
func (x *target) atTheOffice() (all []attempt) {
	basic := func(text string) http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(text))}}
	}
	for name, header := range map[string]http.Header{
		"nobody": {}, "a made-up session": {"Cookie": {"evens_console=" + strings.Repeat("A", 43)}},
		"said to come from here": {"X-Forwarded-For": {"127.0.0.1"}, "X-Real-Ip": {"127.0.0.1"}, "X-Forwarded-User": {"admin@example.com"}},
		"an empty password":      basic("admin@example.com:"), "a key of the API": bearerOf(x.key), "a player's token": bearerOf(x.token),
	} {
		for _, r := range x.officePaths() {
			r.header = header
			all = append(all, x.over("outsider", "at the office, "+name, r))
		}
	}
	for _, path := range []string{
		"/console/../metrics", "/console/%2e%2e/metrics", "//metrics", "/metrics/", "/METRICS", "/metrics?token=x", "/debug/pprof/", "/debug/vars",
		"/console/login/../queues/", "/console/queues/../../metrics", "/.git/config", "/console/queues/%2e%2e%2f%2e%2e%2fetc/passwd",
	} {
		all = append(all, x.over("outsider", "around the office", request{method: "GET", url: x.ops + path}))
	}
	for _, password := range []string{"' OR '1'='1", "\x00", strings.Repeat("a", 8000), operatorPassword + " ", "password"} {
		form := url.Values{"email": {"admin@example.com"}, "password": {password}, "token": {"x"}, "next": {"//evil.example"}}
		all = append(all, x.over("outsider", "the login form", request{
			method: "POST", url: x.ops + "/console/login", body: form.Encode(), header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		}))
	}
	return all
}

// ownRoutes are what a player's token opens of the player's own things.
func ownRoutes(r request) bool {
	switch r.method + " " + r.url {
	case "GET /v1/players/{id}", "GET /v1/players/{id}/wallet", "GET /v1/players/{id}/transactions", "GET /v1/players/{id}/limits", "PUT /v1/players/{id}/limits",
		"GET /v1/players/{id}/bonuses", "POST /v1/coupons", "GET /v1/coupons", "GET /v1/coupons/{id}", "GET /v1/coupons/{id}/events", "GET /v1/events",
		"GET /v1/games", "GET /v1/providers", "POST /v1/games/launch", "DELETE /v1/games/sessions/{id}", "DELETE /v1/tokens/current", "POST /v1/streams",
		"GET /v1/campaigns":
		return true
	}
	return false
}

// public routes tell a player nothing of anybody.
func public(r request) bool {
	return r.url == "/v1/games" || r.url == "/v1/providers" || r.url == "/v1/tokens/current" || r.url == "/v1/streams" || r.url == "/v1/campaigns"
}

// players have a token of their own, and want other people's things or the cashier's.
func (x *target) players(t *testing.T) (all []attempt) {
	const who = "player"
	for _, r := range x.routes(t) {
		if openRoute(r) || public(r) {
			continue
		}
		other := x.fill(r, x.victim.ID.String())
		other.header = bearerOf(x.token)
		if r.url != "/v1/events" && r.url != "/v1/coupons" || r.method == "POST" {
			all = append(all, x.over(who, "another's", other))
		}
		if !ownRoutes(r) {
			own := x.fill(r, x.who.ID.String())
			own.header = bearerOf(x.token)
			all = append(all, x.over(who, "what the server alone may", own))
			other.header = bearerOf(x.coupons)
			if !strings.Contains(r.url, "coupons") {
				all = append(all, x.over(who, "by a key that has another scope", other))
			}
		}
	}
	for _, query := range []string{"player_id=" + x.victim.ID.String(), "player_id=" + x.who.ID.String() + "&player_id=" + x.victim.ID.String(), "player_id=victim"} {
		all = append(all, x.over(who, "another's coupons", request{method: "GET", url: x.url + "/v1/coupons?" + query, header: bearerOf(x.token)}))
	}
	for _, body := range []string{
		`{"external_id":"victim"}`, `{"status":"active"}`, `{"currency":"BTC"}`, `{"name":"x","email":"y@example.com"}`,
	} {
		all = append(all, x.over(who, "another name", request{method: "PATCH", url: x.url + "/v1/players/" + x.who.ID.String(), body: body, header: bearerOf(x.token)}))
	}
	for _, stake := range []string{"-1.00", "0", "1e3", "1000000000000", "NaN", "0.00001", "1,00", "٣", "", " 1.00", "+1.00", "0x10", "Infinity"} {
		body := fmt.Sprintf(`{"player_id":%q,"selections":["live#187183313|17|9|0.5#1.02"],"stake":%q,"currency":"USD"}`, x.who.ID, stake)
		all = append(all, x.over(who, "a stake of "+stake, request{method: "POST", url: x.url + "/v1/coupons", body: body, header: bearerOf(x.token)}))
	}
	for _, address := range []string{"javascript:alert(1)", "//evil.example", "http://127.0.0.1:1/\r\nX: y", "data:text/html,x", "file:///etc/passwd"} {
		body := fmt.Sprintf(`{"player_id":%q,"provider":"nobody","game_code":"g","lang":"en","mode":"real","return_url":%q}`, x.who.ID, address)
		all = append(all, x.over(who, "a way out of a game", request{method: "POST", url: x.url + "/v1/games/launch", body: body, header: bearerOf(x.token)}))
	}
	return all
}

// viewers have a login to look, and want to act, and to see what is not theirs.
func (x *target) viewers() (all []attempt) {
	basic := func() http.Header {
		return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("viewer@example.com:"+operatorPassword))}}
	}
	for _, r := range x.officePaths() {
		if r.method == "GET" && !strings.Contains(r.url, "/callbacks/") && !strings.HasSuffix(r.url, "/metrics") {
			continue
		}
		r.header = basic()
		all = append(all, x.over("viewer", "what is not a viewer's", r))
	}
	queue := x.ops + "/console/queues/api/queues/settlement"
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		for _, end := range []string{"", ":pause", ":resume", "/pending_tasks:archive_all", "/retry_tasks:run_all", "/archived_tasks:delete_all"} {
			all = append(all, x.over("viewer", "acting on queues", request{method: method, url: queue + end, header: basic()}))
		}
	}
	for name, value := range map[string]string{"X-HTTP-Method-Override": "POST", "X-Method-Override": "DELETE"} {
		h := basic()
		h.Set(name, value)
		all = append(all, x.over("viewer", "a method in a header", request{method: "POST", url: queue + ":pause", header: h}))
	}
	for _, origin := range []string{"http://evil.example", "null"} {
		h := basic()
		h.Set("Origin", origin)
		h.Set("Sec-Fetch-Site", "cross-site")
		all = append(all, x.over("viewer", "a form of another site's", request{method: "POST", url: x.ops + "/console/logout", header: h}))
	}
	return all
}

// colleagues have a shell, the address that processes are given, and the password of an operator or two.
func (x *target) colleagues(t *testing.T) (all []attempt) {
	const who = "colleague"
	command := func(what, stdin string, environ []string, args ...string) {
		all = append(all, attempt{who, what, func(*testing.T) string {
			cmd := x.shell(args...)
			cmd.Env, cmd.Stdin = append(cmd.Env, environ...), strings.NewReader(stdin)
			output, err := cmd.CombinedOutput()
			if err == nil {
				return fmt.Sprintf("evens %s ended well: %s", strings.Join(args, " "), output)
			}
			return ""
		}})
	}
	nothing := uuid.NewString()
	commands := [][]string{
		{"results", "apply", "1", "--comment", "c", "--payout", "5000000"}, {"results", "refuse", "1", "--comment", "c"},
		{"adjust", "--player", "victim", "--amount", "90000", "--comment", "c"}, {"adjust", "approve", nothing},
		{"bonus", "forfeit", "victim", nothing, "--comment", "c"}, {"breaks", "ignore", nothing, "--comment", "c"},
		{"player", "block", "victim", "--comment", "c"}, {"player", "close", "victim", "--comment", "c"}, {"callback", nothing},
		{"apikey", "create", "--name", "mine", "--scope", "wallet"}, {"operator", "role", "viewer@example.com", "admin"},
		{"operator", "passwd", "admin@example.com"}, {"operator", "create", "--email", "me@example.com", "--role", "admin"},
	}
	for _, args := range commands {
		command("as a viewer", strings.Repeat(operatorPassword+"\n", 2), nil, append(args, "--operator", "viewer@example.com")...)
		if args[0] != "apikey" && args[0] != "operator" { // these work for whoever has the address: docs/security.md
			command("as nobody", "", nil, args...)
			command("an operator of the environment", operatorPassword+"\n", []string{"EVENS_OPERATOR=admin@example.com", "EVENS_COMMENT=c"}, args...)
		}
	}
	for _, args := range commands[:3] {
		command("a wrong password", "guess\n", nil, append(args, "--operator", "admin@example.com")...)
		command("without a password", "", nil, append(args, "--operator", "admin@example.com")...)
		command("made-up operator", operatorPassword+"\n", nil, append(args, "--operator", "boss@example.com")...)
		command("a password file that is not there", "", []string{"EVENS_OPERATOR_PASSWORD_FILE=/nowhere"}, append(args, "--operator", "admin@example.com")...)
	}
	conn := x.runtimeConn(t)
	for _, sql := range runtimeAttempts() {
		all = append(all, attempt{who, "SQL", func(t *testing.T) string {
			_, err := conn.Exec(t.Context(), sql)
			if pgErr, ok := errors.AsType[*pgconn.PgError](err); !ok || pgErr.Code != "42501" {
				return fmt.Sprintf("%s: %v", sql, err)
			}
			return ""
		}})
	}
	return all
}

func (x *target) runtimeConn(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), x.runtimeURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

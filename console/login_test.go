package console

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/access"
	"evens/activity"
	"evens/internal/callbacks"
	"evens/internal/postgres"
	"evens/internal/testbed"
)

// browser is one that keeps cookies and follows no redirect by itself.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
}

func browse(t *testing.T, base string) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return browser{t, base, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// page is an answer read to its end.
type page struct {
	*http.Response
	body string
}

func (b browser) do(method, path string, form url.Values, headers ...string) page {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html,*/*")
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{response, string(body)}
}

func (b browser) get(path string) page { return b.do("GET", path, nil) }

var hidden = regexp.MustCompile(`name="token" value="([^"]+)"`)

// token is the hidden one of a page's form.
func (p page) token(t *testing.T) string {
	t.Helper()
	found := hidden.FindStringSubmatch(p.body)
	if found == nil {
		t.Fatalf("no form with a token: %d %s", p.StatusCode, p.body)
	}
	return found[1]
}

func (b browser) login(email, password, next string) page {
	b.t.Helper()
	form := url.Values{"token": {b.get("/console/login").token(b.t)}, "email": {email}, "password": {password}, "next": {next}}
	return b.do("POST", "/console/login", form)
}

// office is a console over real operators and sessions.
type office struct {
	url       string
	operators *access.Operators
	db        *postgres.DB
}

func open(t *testing.T, cfg Config) office {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 4, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	operators := access.NewOperators(db, time.Now)
	if _, err := operators.Create(t.Context(), "ann@example.com", access.Admin, password); err != nil {
		t.Fatal(err)
	}
	cfg.Operators, cfg.Sessions = operators, access.NewSessions(db, time.Now)
	if cfg.Record == nil {
		cfg.Record = func(ctx context.Context, e activity.Entry) error { return activity.Log(ctx, db.Pool, e) }
	}
	return office{serve(t, cfg).URL, operators, db}
}

func TestLoginMakesASession(t *testing.T) {
	t.Parallel()
	o := open(t, Config{})
	b := browse(t, o.url)
	if p := b.get("/console/queues/?x=1"); p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != "/console/login?next=%2Fconsole%2Fqueues%2F%3Fx%3D1" {
		t.Fatalf("without a login: %d %s", p.StatusCode, p.Header.Get("Location"))
	}
	if p := b.do("GET", "/console/queues/api/queues", nil, "Accept", "application/json"); p.StatusCode != http.StatusUnauthorized || p.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("the dashboard's own call without a login: %d %q", p.StatusCode, p.Header)
	}
	p := b.login("ann@example.com", "wrong horse", "")
	if p.StatusCode != http.StatusUnauthorized || !strings.Contains(p.body, "is wrong") || !strings.Contains(p.body, `value="ann@example.com"`) {
		t.Errorf("a wrong password: %d %s", p.StatusCode, p.body)
	}
	p = b.login("ann@example.com", password, "/console/queues/?x=1")
	if p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != "/console/queues/?x=1" {
		t.Fatalf("login: %d %s", p.StatusCode, p.body)
	}
	cookie := sessionCookie(t, p)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || cookie.Path != "/console/" {
		t.Errorf("cookie = %v", cookie)
	}
	home := b.get("/console/")
	if home.StatusCode != http.StatusOK || !strings.Contains(home.body, "ann@example.com · admin") || home.Header.Get("Cache-Control") == "" {
		t.Errorf("home: %d %s", home.StatusCode, home.body)
	}
	var kept string
	if err := o.db.Pool.QueryRow(t.Context(), `SELECT string_agg(s::text, '') FROM operator_sessions s`).Scan(&kept); err != nil || strings.Contains(kept, cookie.Value) {
		t.Errorf("the session's token stands in the database: %v", err)
	}
	for name, form := range map[string]url.Values{"no token": {}, "a foreign token": {"token": {"x"}}} {
		if p := b.do("POST", "/console/logout", form); p.StatusCode != http.StatusForbidden {
			t.Errorf("logout with %s: %d", name, p.StatusCode)
		}
	}
	if p := b.do("POST", "/console/logout", url.Values{"token": {home.token(t)}}); p.StatusCode != http.StatusSeeOther {
		t.Errorf("logout: %d %s", p.StatusCode, p.body)
	}
	stolen := browse(t, o.url).do("GET", "/console/", nil, "Cookie", cookie.Name+"="+cookie.Value)
	if p := b.get("/console/"); p.StatusCode != http.StatusSeeOther || stolen.StatusCode != http.StatusSeeOther {
		t.Errorf("after the logout: %d, with the old cookie %d", p.StatusCode, stolen.StatusCode)
	}
}

func sessionCookie(t *testing.T, p page) *http.Cookie {
	t.Helper()
	for _, cookie := range p.Cookies() {
		if cookie.Name == "evens_console" && cookie.Value != "" {
			return cookie
		}
	}
	t.Fatalf("no session: %v", p.Header)
	return nil
}

// A session that somebody planted before the login is not the one after it.
func TestSessionIsNewAfterLogin(t *testing.T) {
	t.Parallel()
	o := open(t, Config{})
	b := browse(t, o.url)
	first := sessionCookie(t, b.login("ann@example.com", password, ""))
	second := sessionCookie(t, b.login("ann@example.com", password, ""))
	if first.Value == second.Value {
		t.Error("a login kept the session of before")
	}
	if p := browse(t, o.url).do("GET", "/console/", nil, "Cookie", first.Name+"="+first.Value); p.StatusCode != http.StatusSeeOther {
		t.Errorf("the session of before: %d", p.StatusCode)
	}
}

// Over TLS, ours or a proxy's, the cookie never leaves it.
func TestCookieOverTLS(t *testing.T) {
	t.Parallel()
	o := open(t, Config{})
	b := browse(t, o.url)
	form := url.Values{"token": {b.get("/console/login").token(t)}, "email": {"ann@example.com"}, "password": {password}}
	if p := b.do("POST", "/console/login", form, "X-Forwarded-Proto", "https"); !sessionCookie(t, p).Secure {
		t.Errorf("behind a proxy: %v", p.Header)
	}
	r := httptest.NewRequest("GET", "/console/login", nil)
	if r.TLS = (&tls.ConnectionState{}); !overTLS(r) {
		t.Error("TLS of our own is not seen")
	}
}

// Disabling and a new password end sessions with the next request; another role holds from then on.
func TestSessionsEndWithTheirOperator(t *testing.T) {
	t.Parallel()
	o := open(t, Config{})
	ctx := t.Context()
	for name, change := range map[string]func() error{
		"disabled": func() error { return o.operators.Disable(ctx, "ann@example.com") },
		"disabled and enabled": func() error {
			return errors.Join(o.operators.Disable(ctx, "ann@example.com"), o.operators.Enable(ctx, "ann@example.com"))
		},
		"another password": func() error { return o.operators.SetPassword(ctx, "ann@example.com", password) },
	} {
		if err := o.operators.Enable(ctx, "ann@example.com"); err != nil {
			t.Fatal(err)
		}
		b := browse(t, o.url)
		b.login("ann@example.com", password, "")
		if p := b.get("/console/"); p.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d before", name, p.StatusCode)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if p := b.get("/console/"); p.StatusCode != http.StatusSeeOther {
			t.Errorf("%s: %d after", name, p.StatusCode)
		}
	}
	if err := o.operators.Enable(ctx, "ann@example.com"); err != nil { // whichever of them came last
		t.Fatal(err)
	}
	b := browse(t, o.url)
	b.login("ann@example.com", password, "")
	if err := o.operators.SetRole(ctx, "ann@example.com", access.Viewer); err != nil {
		t.Fatal(err)
	}
	if p := b.get("/console/"); !strings.Contains(p.body, "· viewer") {
		t.Errorf("another role: %d %s", p.StatusCode, p.body)
	}
}

// Forms of other sites, and those without their token, do nothing.
func TestForeignForms(t *testing.T) {
	t.Parallel()
	o := open(t, Config{})
	b := browse(t, o.url)
	form := url.Values{"token": {b.get("/console/login").token(t)}, "email": {"ann@example.com"}, "password": {password}}
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"}} {
		if p := b.do("POST", "/console/login", form, headers...); p.StatusCode != http.StatusForbidden {
			t.Errorf("login from elsewhere %v: %d", headers, p.StatusCode)
		}
	}
	if p := browse(t, o.url).do("POST", "/console/login", form); p.StatusCode != http.StatusForbidden {
		t.Errorf("login without the form's cookie: %d", p.StatusCode)
	}
	b.login("ann@example.com", password, "")
	if p := b.do("POST", "/console/queues/api/queues/settlement:pause", nil, "Sec-Fetch-Site", "cross-site"); p.StatusCode != http.StatusForbidden {
		t.Errorf("an action from elsewhere: %d", p.StatusCode)
	}
}

func TestLoginLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"": "/console/", "/console/queues/": "/console/queues/", "//evil.example": "/console/", "https://evil.example": "/console/",
		"/\\evil.example": "/console/", "/console/\r\nX: y": "/console/", "/console/login": "/console/", "/v1/players": "/console/",
	} {
		if got := landing(next); got != want {
			t.Errorf("landing(%q) = %q, want %q", next, got, want)
		}
	}
}

// Guessing, by form or by script, is slowed down and told so.
func TestGuessersAreHeldUp(t *testing.T) {
	t.Parallel()
	o := open(t, Config{})
	var last int
	for range 10 {
		last, _ = get(t, o.url+"/console/", "ann@example.com", "wrong horse")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the tenth guess: %d", last)
	}
	p := browse(t, o.url).login("ann@example.com", password, "")
	if p.StatusCode != http.StatusTooManyRequests || p.Header.Get("Retry-After") == "" || !strings.Contains(p.body, "Too many wrong passwords") {
		t.Errorf("by the form then: %d %s", p.StatusCode, p.body)
	}
	if p := browse(t, serve(t, Config{Operators: staff{access.ErrBusy}}).URL).login("ann@example.com", password, ""); p.StatusCode != http.StatusTooManyRequests {
		t.Errorf("too many at once: %d", p.StatusCode)
	}
}

// Every route, with every role: what the permission table says, and nothing else.
func TestEveryRouteWithEveryRole(t *testing.T) {
	t.Parallel()
	logged := 0
	cfg := Config{
		Callbacks: func(context.Context, uuid.UUID) (callbacks.Record, error) {
			return callbacks.Record{}, callbacks.ErrUnknown
		},
		Record: func(context.Context, activity.Entry) error { logged++; return nil },
	}
	server := serve(t, cfg)
	type call struct {
		method, path string
		operation    access.Operation
	}
	id := uuid.NewString()
	calls := []call{
		{"GET", "/console/", access.ReadPages},
		{"GET", "/console/players/{id}", access.ReadPages},
		{"GET", "/console/players/{id}/transactions.csv", access.ReadPages},
		{"GET", "/console/callbacks/{id}", access.ReadCallbacks},
		{"GET", "/console/queues/", access.ReadQueues},
		{"HEAD", "/console/queues/api/queues", access.ReadQueues},
		{"POST", "/console/queues/api/queues/settlement:pause", access.ManageQueues},
		{"POST", "/console/queues/api/queues/settlement/archived_tasks:run_all", access.ManageQueues},
		{"DELETE", "/console/queues/api/queues/settlement", access.ManageQueues},
		{"PUT", "/console/queues/api/queues/settlement", access.ManageQueues},
		{"PATCH", "/console/queues/api/queues/settlement", access.ManageQueues},
	}
	walked := make(map[string]bool)
	mux := http.NewServeMux()
	for _, route := range routes(cfg, newGuard(staff{}, nil, nil, nil)) {
		mux.HandleFunc(route.pattern, func(http.ResponseWriter, *http.Request) {})
	}
	for _, c := range calls {
		path := strings.ReplaceAll(c.path, "{id}", id)
		_, pattern := mux.Handler(httptest.NewRequest(c.method, path, nil))
		walked[pattern] = true
		for _, role := range append(access.Roles(), "", "king") {
			if strings.HasPrefix(c.path, "/console/players/") && role.May(c.operation) {
				continue // there is no support page behind this server: see TestThePageOfAPlayer
			}
			request := httptest.NewRequest(c.method, server.URL+path, nil)
			request.RequestURI = ""
			if role != "" {
				request.SetBasicAuth(string(role)+"@example.com", password)
			}
			before := logged
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			let := response.StatusCode != http.StatusUnauthorized && response.StatusCode != http.StatusForbidden
			if let != role.May(c.operation) {
				t.Errorf("%s %s as %q: %d, want let through: %t", c.method, c.path, role, response.StatusCode, role.May(c.operation))
			}
			if acted := logged > before; acted != (let && c.operation == access.ManageQueues) {
				t.Errorf("%s %s as %q: in the activity log: %t", c.method, c.path, role, acted)
			}
		}
	}
	for _, route := range routes(cfg, newGuard(staff{}, nil, nil, nil)) {
		if !walked[route.pattern] {
			t.Errorf("%s is not walked by this test", route.pattern)
		}
	}
}

// An admin's action on queues is in the activity log, with who did it; where it cannot be, it is not done.
func TestActionsOnQueuesAreWrittenDown(t *testing.T) {
	t.Parallel()
	o := open(t, Config{})
	b := browse(t, o.url)
	b.login("ann@example.com", password, "")
	p := b.do("POST", "/console/queues/api/queues/none/archived_tasks:batch_delete", url.Values{"task_ids": {"7"}})
	if p.StatusCode == http.StatusForbidden || p.StatusCode == http.StatusUnauthorized {
		t.Fatalf("an admin's action: %d %s", p.StatusCode, p.body)
	}
	var path, body string
	err := o.db.Pool.QueryRow(t.Context(), `
		SELECT detail->>'path', detail->>'body' FROM activity_log WHERE event = 'queue.action' AND operator = 'ann@example.com'`).Scan(&path, &body)
	if err != nil || path != "/api/queues/none/archived_tasks:batch_delete" || body != "task_ids=7" {
		t.Errorf("logged %q %q, %v", path, body, err)
	}
	broken := open(t, Config{Record: func(context.Context, activity.Entry) error { return errors.New("no database") }})
	b = browse(t, broken.url)
	b.login("ann@example.com", password, "")
	if p := b.do("POST", "/console/queues/api/queues/none:pause", nil); p.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("an action that cannot be written down: %d %s", p.StatusCode, p.body)
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/internal/testbed"
)

// Whom the allow-lists admit, and our own proxy.
const (
	admitted = "192.0.2.7"
	ourProxy = "127.0.0.2"
)

// comesFrom is a client whose connections come from an address of this machine's loopback.
func comesFrom(address string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 5 * time.Second}
	return &http.Client{
		Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, to string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp4", to) }},
	}
}

// lies are headers by which a caller that is not admitted says that it is.
func lies() (all []http.Header) {
	for _, name := range []string{
		"X-Forwarded-For", "X-Real-Ip", "X-Client-Ip", "Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "X-Cluster-Client-Ip", "X-Remote-Addr", "X-Original-Forwarded-For",
		"X_Forwarded_For", "Fastly-Client-Ip", "X-Forwarded", "X-Originating-Ip",
	} {
		all = append(all, http.Header{name: {admitted}})
	}
	for _, value := range []string{"for=" + admitted, `for="` + admitted + `:443"`, "for=" + admitted + ";proto=https;by=10.0.0.1", `for="[::ffff:192.0.2.7]"`} {
		all = append(all, http.Header{"Forwarded": {value}})
	}
	return all
}

// chains are values of X-Forwarded-For that our proxy hands on from a caller that is not admitted.
func chains() [][]string {
	const other = "203.0.113.9"
	return [][]string{
		{admitted + ", " + other}, {admitted + "," + other}, {"\t" + admitted + " ,\t" + other + " "}, {admitted, other}, {other}, {admitted + ", " + other + ":4711"},
		{admitted + ", " + other + ", 10.0.0.3"}, {admitted + ", 10.0.0.3, " + other}, {admitted + ", 127.0.0.2, " + other}, {admitted + ", 2001:db8::9"},
		{admitted + ", [2001:db8::9]:443"}, {admitted + ", ::ffff:" + other}, {admitted + ", unknown"}, {admitted + ", _hidden"}, {admitted + ","}, {admitted + ", ,"},
		{admitted + ", 0300.0.2.7"}, {admitted + "/24"}, {"192.0.2.7.evil.example"}, {"192.000.002.007"}, {"0xc0000207"}, {"3221225991"}, {admitted + ";" + other},
		{admitted + " " + other}, {strings.Repeat(admitted+", ", 1500) + other}, {""}, {"2001:db8::7%eth0, " + other},
	}
}

// An address that is not admitted stays so, whatever headers say; what the proxy hands on from the one that is goes
// through. Rates, the delays of logins and the log know callers by the same address.
func TestIntrudersBehindAProxy(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	h := i.newHouse(t)
	ops := freeAddress(t)
	allow := "=" + admitted + "/32,2001:db8::7/128"
	p := i.start(t, []string{"api"}, append(h.environ, "EVENS_OPS_LISTEN="+ops, "EVENS_TRUSTED_PROXIES="+ourProxy+"/32,10.0.0.0/8", "EVENS_BET_RESULT_ALLOW"+allow,
		"EVENS_BETAO_ALLOW"+allow, "EVENS_BETRON_ALLOW"+allow, "EVENS_TG_ALLOW"+allow, "EVENS_NAGA_ALLOW"+allow, "EVENS_RATE_SOURCE=5/10")...)
	h.enter(t)
	was := h.written(t)
	direct, proxied := comesFrom("127.0.0.1"), comesFrom(ourProxy)
	send := func(client *http.Client, d door, header http.Header) (int, string) {
		body := strings.Replace(d.body, "ID", uuid.NewString(), 1)
		signed := http.Header{}
		if d.packs != nil {
			body, signed = d.packs(body)
		}
		for name, values := range header {
			signed[name] = values
		}
		return do(t, client, http.MethodPost, h.url+d.path, body, signed)
	}
	attempts := 0
	for _, d := range h.doors() {
		switch d.name {
		case "deposit", "withdrawal", "gateway":
			continue // they have no list
		}
		refused := func(who string, client *http.Client, header http.Header) {
			attempts++
			if status, text := send(client, d, header); status != http.StatusForbidden && status != 0 || h.written(t) != was {
				t.Errorf("%s, %s with %.120v: %d %s", d.name, who, header, status, text)
			}
		}
		refused("nobody", direct, nil)
		refused("the proxy itself", proxied, nil)
		for _, header := range lies() {
			refused("a stranger", direct, header)
			if header.Get("X-Forwarded-For") == "" {
				refused("a stranger through the proxy", proxied, http.Header{"X-Forwarded-For": {"203.0.113.9"}}.Clone())
				header.Set("X-Forwarded-For", "203.0.113.9")
				refused("a stranger who lies through the proxy", proxied, header)
			}
		}
		for _, chain := range chains() {
			refused("a stranger", direct, http.Header{"X-Forwarded-For": chain})
			refused("a stranger through the proxy", proxied, http.Header{"X-Forwarded-For": chain})
		}
		for _, chain := range [][]string{{admitted}, {"198.51.100.1, " + admitted}, {admitted + ":443, 10.0.0.3"}, {"198.51.100.1", " 2001:db8::7 "}, {"[2001:db8::7]:443"}} {
			status, text := send(proxied, d, http.Header{"X-Forwarded-For": chain})
			if now := h.written(t); status != http.StatusOK || now != was+1 {
				t.Errorf("%s, the admitted by %q: %d %s", d.name, chain, status, text)
			} else {
				was = now
			}
		}
	}
	bet := h.doorOf("BeT's results")
	for range 150 { // by one stranger, who is worth some lines of log a minute
		send(proxied, bet, http.Header{"X-Forwarded-For": {"203.0.113.77"}})
	}
	h.ratesByAddress(t, direct, proxied)
	h.loginsByAddress(t, "http://"+ops, direct, proxied)
	p.kill()
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, "not allowed") || strings.Contains(line, "may not call") {
			if strings.Contains(line, admitted) {
				t.Errorf("the log believes the lie: %s", line)
			}
		}
	}
	if !strings.Contains(p.log.String(), "203.0.113.9") {
		t.Error("the log does not name who was turned away")
	}
	if n := strings.Count(p.log.String(), "203.0.113.77"); n == 0 || n > 120 { // 60 a minute, and one may begin meanwhile
		t.Errorf("%d lines of log about one stranger", n)
	}
	t.Logf("%d attempts", attempts)
	i.clean(t)
}

func (h *house) doorOf(name string) door {
	for _, d := range h.doors() {
		if d.name == name {
			return d
		}
	}
	panic("no door " + name)
}

// ratesByAddress: changing what is said changes nothing; another address behind the same proxy is another caller.
func (h *house) ratesByAddress(t *testing.T, direct, proxied *http.Client) {
	t.Helper()
	for name, call := range map[string]func(n int) int{
		"a stranger with a new header each time": func(n int) int {
			status, _ := do(t, direct, http.MethodGet, h.url+"/v1/games", "", http.Header{"X-Forwarded-For": {fmt.Sprintf("198.51.100.%d", n)}})
			return status
		},
		"a stranger through the proxy": func(n int) int {
			status, _ := do(t, proxied, http.MethodGet, h.url+"/v1/games", "", http.Header{"X-Forwarded-For": {fmt.Sprintf("198.51.100.%d, 203.0.113.20", n)}})
			return status
		},
	} {
		limited := false
		for n := range 60 {
			limited = limited || call(n) == http.StatusTooManyRequests
		}
		if !limited {
			t.Errorf("%s: 60 calls, and none was told to wait", name)
		}
	}
	if status, text := do(t, proxied, http.MethodGet, h.url+"/v1/games", "", http.Header{"X-Forwarded-For": {"203.0.113.21"}}); status != http.StatusUnauthorized {
		t.Errorf("a neighbour behind the proxy: %d %s", status, text)
	}
}

// loginsByAddress: wrong passwords are counted against who the proxy saw.
func (h *house) loginsByAddress(t *testing.T, ops string, direct, proxied *http.Client) {
	t.Helper()
	login := func(client *http.Client, chain, email, password string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, ops+"/console/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(email, password)
		r.Header.Set("X-Forwarded-For", chain)
		status, _ := answerOf(t, client, r)
		return status
	}
	for name, guess := range map[string]func(n int) int{
		"directly": func(n int) int {
			return login(direct, fmt.Sprintf("198.51.100.%d", n), fmt.Sprintf("nobody%d@example.com", n), "a guess")
		},
		"by the proxy": func(n int) int {
			return login(proxied, fmt.Sprintf("198.51.100.%d, 203.0.113.30", n), fmt.Sprintf("none%d@example.com", n), "a guess")
		},
	} {
		held := 0
		for n := range 12 {
			if guess(n) == http.StatusTooManyRequests {
				held++
			}
		}
		if held == 0 {
			t.Errorf("%s: 12 wrong passwords, and none had to wait", name)
		}
	}
	if status := login(proxied, "203.0.113.31", "viewer@example.com", operatorPassword); status != http.StatusOK {
		t.Errorf("a colleague behind the same proxy: %d", status)
	}
}

// do sends a request; 0 where the connection was cut.
func do(t *testing.T, client *http.Client, method, address, body string, header http.Header) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "application/json")
	return answerOf(t, client, r)
}

func answerOf(t *testing.T, client *http.Client, r *http.Request) (status int, text string) {
	t.Helper()
	response, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, string(answer)
}

// A list of proxies that has everybody in it would let everybody say where they come from.
func TestProxiesAreNotEverybody(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	for _, network := range []string{"0.0.0.0/0", "::/0", "128.0.0.0/1", "10.0.0.0/8,0.0.0.0/0", "2000::/3", "::ffff:0.0.0.0/96"} {
		cmd := i.command(t, []string{"api"}, "EVENS_LISTEN=127.0.0.1:0", "EVENS_TRUSTED_PROXIES="+network)
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		output, err := cmd.CombinedOutput()
		timer.Stop()
		if err == nil || !strings.Contains(string(output), "EVENS_TRUSTED_PROXIES") {
			t.Errorf("%s: %v %s", network, err, output)
		}
	}
	for _, network := range []string{"10.0.0.0/8", "fc00::/7", "127.0.0.1", "192.168.0.0/16,fd00::/8", "::1"} {
		if code, out, text := i.toldWith(t, "EVENS_TRUSTED_PROXIES="+network, "version"); code != 0 {
			t.Errorf("%s: %d %s %s", network, code, out, text)
		}
	}
}

// toldWith is a command under a setting.
func (i *installation) toldWith(t *testing.T, setting string, args ...string) (code int, out, errors string) {
	t.Helper()
	cmd := i.command(t, args, setting)
	var said, wrong strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &wrong
	if err := cmd.Run(); err != nil {
		return cmd.ProcessState.ExitCode(), said.String(), wrong.String()
	}
	return 0, said.String(), wrong.String()
}

// The page that a proxy leads to after a login is ours, wherever it says that the call came from.
func TestRedirectsStayHere(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	ops, public := freeAddress(t), freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_OPS_LISTEN="+ops, "EVENS_LISTEN="+public)
	eventually(t, time.Minute, "both listen", func() bool {
		return answers("http://"+ops+"/healthz", 200) && answers("http://"+public+"/v1/openapi.json", 200)
	})
	client := comesFrom("127.0.0.1")
	for _, base := range []string{"http://" + ops, "http://" + public} {
		for _, path := range []string{
			"//evil.example", "//evil.example/", "/\\evil.example/", "/%5cevil.example", "//evil.example/..", "/console/..//evil.example", "/.//evil.example", "/console//evil.example/%2e%2e",
			"/%2f%2fevil.example/", "/console/login?next=//evil.example", "/console/?next=https://evil.example", "/console", "/v1//evil.example", "/;//evil.example",
		} {
			r := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: strings.TrimPrefix(base, "http://"), Opaque: path}, Host: "evil.example", Header: http.Header{
				"X-Forwarded-Host": {"evil.example"}, "Forwarded": {"host=evil.example"}, "X-Original-Url": {"/metrics"}, "X-Rewrite-Url": {"/metrics"},
			}}
			response, err := client.Do(r.WithContext(t.Context()))
			if err != nil {
				continue
			}
			_ = response.Body.Close()
			to, err := url.Parse(response.Header.Get("Location"))
			if err != nil || to.Host != "" || strings.HasPrefix(to.Path, "//") || strings.HasPrefix(to.Path, "/\\") {
				t.Errorf("%s%s leads to %q", base, path, response.Header.Get("Location"))
			}
		}
	}
}

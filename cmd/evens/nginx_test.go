package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/internal/testbed"
	"evens/internal/testbed/testlog"
)

const nginxFile = "../../deploy/nginx.conf"

// frontage is real nginx before a house: with our file, and beside it as it comes.
type frontage struct {
	*house
	addr, plain string // host:port; with TLS and our file, without both
	log         string
	tls         *tls.Config // of a caller
}

// nginx finds the program, where it is installed.
func nginx(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/opt/homebrew/bin/nginx", "/usr/local/bin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("nginx is not installed: scripts/setup.sh test installs it where apt or brew can")
	return ""
}

// front starts the house and nginx before it.
func front(t *testing.T, environ ...string) *frontage {
	t.Helper()
	program := nginx(t)
	i := install(t, testbed.Database(t), testbed.Redis(t))
	f := &frontage{house: i.newHouse(t), addr: freeAddress(t), plain: freeAddress(t)}
	i.start(t, []string{"api"}, append(append(f.environ, "EVENS_TRUSTED_PROXIES=127.0.0.1"), environ...)...)
	f.enter(t)
	// Not t.TempDir: nginx's workers are another user where root tests.
	dir, err := os.MkdirTemp("/tmp", "evens-nginx-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	certFile, keyFile, trusting := certify(t)
	f.tls = trusting.Transport.(*http.Transport).TLSClientConfig
	f.log = filepath.Join(dir, "evens.log")
	text, err := os.ReadFile(nginxFile)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for from, to := range map[string]string{
		"listen 443 ssl;": "listen " + f.addr + " ssl;", "server 127.0.0.1:8080 ": "server " + strings.TrimPrefix(f.url, "http://") + " ",
		"/etc/ssl/evens/fullchain.pem": certFile, "/etc/ssl/evens/privkey.pem": keyFile, "/var/log/nginx/evens.log": f.log,
	} {
		if strings.Count(changed, from) != 1 {
			t.Fatalf("%s has not one %q", nginxFile, from)
		}
		changed = strings.Replace(changed, from, to, 1)
	}
	asItComes := "server { listen " + f.plain + "; location / { proxy_pass " + f.url + "; } }\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		asItComes += kind + "_temp_path " + filepath.Join(dir, kind) + ";\n"
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
	}
	conf := filepath.Join(dir, "nginx.conf")
	whole := user + "daemon off;\nworker_processes 1;\npid " + filepath.Join(dir, "pid") + ";\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n" +
		changed + asItComes + "}\n"
	if err := os.WriteFile(conf, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	var log testlog.Buffer
	server := exec.Command(program, "-p", dir, "-e", "stderr", "-c", conf)
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt) // its workers end with it
		_ = server.Wait()
		if t.Failed() {
			t.Logf("nginx:\n%s", log.String())
		}
	})
	eventually(t, time.Minute, "nginx listens", func() bool { return answers("http://"+f.plain+"/v1/openapi.json", http.StatusOK) })
	return f
}

// client calls through our file, from an address of this machine.
func (f *frontage) client(from string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: f.tls,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, f.addr)
		},
	}}
}

func (f *frontage) get(t *testing.T, client *http.Client, url string, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	request.Header.Set("Authorization", "Bearer "+f.key)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// history gives the player a long one. With a broken row in the middle it can't be read to its end.
func (f *frontage) history(t *testing.T, lines int, broken bool) {
	t.Helper()
	const insert = `
		INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, payload_hash, at)
		SELECT CASE WHEN $4 AND n = 1 THEN '80000000-0000-7000-8000-000000000000' ELSE gen_random_uuid() END,
		       'nginx', $3 || n::text, 'deposit', $1, 10000, 10000, 0, '', CASE WHEN $4 AND n = 1 THEN 'infinity' ELSE now() END
		  FROM generate_series(1, $2) n`
	if _, err := f.db.Pool.Exec(t.Context(), insert, f.who.ID, lines, uuid.NewString(), broken); err != nil {
		t.Fatal(err)
	}
}

// A CSV through nginx is whole, or it does not look so: with our file, and behind nginx as it comes, which speaks HTTP/1.0.
func TestCSVBehindNginx(t *testing.T) {
	t.Parallel()
	f := front(t)
	const lines = 60_000
	f.history(t, lines, false)
	csv := func() http.Header { return http.Header{"Accept": {"text/csv"}} }
	path := "/v1/players/" + f.who.ID.String() + "/transactions"
	doors := map[string]func() *http.Response{
		"our file": func() *http.Response { return f.get(t, f.client("127.0.0.1"), "https://127.0.0.1"+path, csv()) },
		"as it comes": func() *http.Response {
			return f.get(t, http.DefaultClient, "http://"+f.plain+path, csv())
		},
	}
	for name, ask := range doors {
		response := ask()
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if got := strings.Count(string(body), "\n"); err != nil || response.StatusCode != http.StatusOK || got != lines+2 { // its header, and the deposit of before
			t.Errorf("%s: %s, %d lines, %v", name, response.Status, got, err)
		}
	}
	f.history(t, 1, true)
	for name, ask := range doors {
		response := ask()
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK && err == nil {
			t.Errorf("%s: half a file of %d bytes passes for the whole", name, len(body))
		}
		if name == "as it comes" && response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %s, want an error", name, response.Status)
		}
	}
}

// Events come at once and one by one.
func TestStreamsFlowThroughNginx(t *testing.T) {
	t.Parallel()
	f := front(t)
	events := http.Header{"Accept": {"text/event-stream"}}
	response := f.get(t, f.client("127.0.0.1"), "https://127.0.0.1/v1/events", events) //nolint:bodyclose // below, after the goroutine's reading
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	wait := func(what, prefix string) {
		t.Helper()
		for patience := time.After(8 * time.Second); ; { // sooner than a heartbeat could push it out
			select {
			case line, open := <-lines:
				if !open {
					t.Fatalf("the stream ended before %s", what)
				}
				if strings.HasPrefix(line, prefix) {
					return
				}
			case <-patience:
				t.Fatalf("no %s within 8 s", what)
			}
		}
	}
	wait("the beginning", "retry:")
	for range 3 {
		deposit := f.doors()[0]
		if status, text := f.call(t, deposit, strings.Replace(deposit.body, "ID", uuid.NewString(), 1)); status != http.StatusOK {
			t.Fatal(status, text)
		}
		wait("wallet event", "event: wallet")
	}
}

// A caller cannot write where it comes from: what nginx saw counts.
func TestNginxTellsWhereACallComesFrom(t *testing.T) {
	t.Parallel()
	const secret = "nginx-result-secret"
	f := front(t, "EVENS_BET_RESULT_ALLOW=127.0.0.2", "EVENS_BET_RESULT_SECRET="+secret)
	push := func(from, claims string) int {
		t.Helper()
		body := `{"remote_host":"x","Heads":[{"KeyHead":{"Id":"1","BarCode":"nobody"},"Status":4,"ExtStatus":0,"AmountOut":1,"DateRecive":"1597075782"}]}`
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://127.0.0.1/"+secret+"/api/bet/result", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if claims != "" {
			request.Header.Set("X-Forwarded-For", claims)
		}
		response, err := f.client(from).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	if status := push("127.0.0.2", ""); status != http.StatusOK {
		t.Errorf("BeT's own address: %d", status)
	}
	if status := push("127.0.0.2", "127.0.0.3"); status != http.StatusOK {
		t.Errorf("BeT's own address, that claims another: %d", status)
	}
	if status := push("127.0.0.3", "127.0.0.2"); status != http.StatusForbidden {
		t.Errorf("a stranger that claims BeT's address: %d, want 403", status)
	}
	log, err := os.ReadFile(f.log)
	if err != nil || len(log) == 0 || strings.Contains(string(log), secret) {
		t.Errorf("nginx's log, %v:\n%s", err, log)
	}
}

// Two words about where a request ends: nginx refuses it.
func TestNginxRefusesTwoLengths(t *testing.T) {
	t.Parallel()
	f := front(t)
	conn, err := tls.Dial("tcp", f.addr, f.tls)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprint(conn, "POST /v1/players HTTP/1.1\r\nHost: bets.example.com\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, nil)
	if err != nil || response.StatusCode != http.StatusBadRequest {
		t.Fatalf("%v, %v, want 400", response, err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
	if _, err := in.ReadByte(); err == nil {
		t.Error("the connection goes on")
	}
}

// What a test of some seconds does not see.
func TestNginxFileIsPatient(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(nginxFile)
	if err != nil {
		t.Fatal(err)
	}
	_, streams, found := strings.Cut(string(text), "events$ {")
	if !found || !strings.Contains(streams, "proxy_buffering off;") || !strings.Contains(streams, "proxy_read_timeout 1h;") {
		t.Errorf("streams are cut or held back: %s", streams)
	}
	for _, line := range []string{"client_max_body_size 16m;", "proxy_http_version 1.1;", `proxy_set_header Connection "";`, "$proxy_add_x_forwarded_for;"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("no %q", line)
		}
	}
	idle := regexp.MustCompile(`keepalive_timeout (\d+)s;`).FindStringSubmatch(string(text))
	if idle == nil {
		t.Fatal("connections to Evens are kept without an end")
	}
	kept, err := time.ParseDuration(idle[1] + "s")
	if err != nil || kept >= idleTimeout {
		t.Errorf("nginx keeps connections for %s, Evens ends them after %s", kept, idleTimeout)
	}
}

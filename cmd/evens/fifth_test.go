package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"evens/access"
	"evens/internal/testbed"
)

// withFifth are the platforms that are shipped, and one more line.
var withFifth = append(slices.Clone(shipped), entry[fifthSettings](fifthKind, nil))

// fifthAPI is their side: a catalogue, a launch, and a list that tests write.
type fifthAPI struct {
	*httptest.Server
	list []map[string]string
}

func newFifthAPI(t *testing.T) *fifthAPI {
	t.Helper()
	api := &fifthAPI{}
	answer := func(body any) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-Key") != longSecret {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			_ = json.NewEncoder(w).Encode(body)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /games", answer([]map[string]string{{"code": "dice", "name": "Dice"}}))
	mux.Handle("GET /open", answer(map[string]string{"url": "https://play.fifth.example/dice"}))
	mux.HandleFunc("GET /list", func(w http.ResponseWriter, r *http.Request) { answer(api.list)(w, r) })
	api.Server = httptest.NewServer(mux)
	t.Cleanup(api.Close)
	return api
}

// booth is an Evens with five platforms, and who calls it.
type booth struct {
	*installation
	t       *testing.T
	options []string
	base    string
	key     string
}

// openBooth serves the public listener of an Evens that has the fifth platform.
func openBooth(t *testing.T, api *fifthAPI) *booth {
	t.Helper()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	b := &booth{installation: i, t: t, options: []string{
		"--database-url=" + i.runtimeURL, "--redis-url=" + i.redisURL, "--log-level=error", "--fifth-url=" + api.URL, "--fifth-key=" + longSecret,
	}}
	var cli commandLine
	cli.offer(withFifth)
	parser, err := newParser(&cli)
	if err == nil {
		_, err = parser.Parse(append(b.options, "version"))
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), &cli.Config, role{name: "evens-fifth"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	server := httptest.NewServer(s.publicHandler())
	t.Cleanup(server.Close)
	if _, b.key, err = s.keys.Create(t.Context(), "fifth", access.Scopes()); err != nil {
		t.Fatal(err)
	}
	b.base = server.URL
	return b
}

// call asks, and reads the answer into into where it is as wanted.
func (b *booth) call(method, path string, body map[string]string, want int, into any) string {
	b.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, bytes.NewReader(text))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+b.key)
	request.Header.Set("Idempotency-Key", path+body["id"])
	request.Header.Set("X-Key", longSecret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		b.t.Fatalf("%s %s: %d %s, %v, want %d", method, path, response.StatusCode, said, err, want)
	}
	if into != nil {
		if err := json.Unmarshal(said, into); err != nil {
			b.t.Fatalf("%s %s: %s: %v", method, path, said, err)
		}
	}
	return string(said)
}

// evens gives a command of the program with five platforms.
func (b *booth) evens(args ...string) (code int, out, said string) {
	var stdout, stderr bytes.Buffer
	code = runWith(b.t.Context(), withFifth, append(slices.Clone(b.options), args...), strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// A fifth platform is its own code and one line: settings, providers, catalogue, launch, calls, filters, its list and
// the commands know it, and the books are even.
func TestAFifthPlatformIsOneLine(t *testing.T) {
	t.Parallel()
	api := newFifthAPI(t)
	b := openBooth(t, api)
	var who struct{ ID string }
	b.call("POST", "/v1/players", map[string]string{"external_id": "ana", "name": "Ana", "email": "a@example.com", "currency": "USD"}, 201, &who)
	b.call("POST", "/v1/players/"+who.ID+"/deposits", map[string]string{"amount": "100.00", "currency": "USD", "method": "pix", "transaction_id": "d1"}, 200, nil)

	if said := b.call("GET", "/v1/providers", nil, 200, nil); !strings.Contains(said, `{"name":"fifth","configured":true}`) {
		t.Errorf("providers: %s", said)
	}
	if said := b.call("GET", "/v1/games?provider=fifth", nil, 200, nil); !strings.Contains(said, `"code":"dice"`) {
		t.Errorf("games: %s", said)
	}
	var launched struct{ URL string }
	b.call("POST", "/v1/games/launch", map[string]string{"player_id": who.ID, "provider": "fifth", "game_code": "dice", "lang": "en", "mode": "real"}, 200, &launched)
	if launched.URL != "https://play.fifth.example/dice" {
		t.Errorf("launched %q", launched.URL)
	}

	// A round, and their list of it: with a bet that failed there, and a win whose call never came.
	now := time.Now().UTC().Format(time.RFC3339Nano)
	plays := func(route, id, amount string, listed map[string]string) {
		t.Helper()
		call := map[string]string{"id": id, "player": "ana", "round": "r-" + id[1:], "game": "dice", "currency": "USD", "amount": amount}
		if route != "" {
			b.call("POST", "/casino/fifth/"+route, call, 200, nil)
		}
		row := map[string]string{"type": map[bool]string{true: "bet", false: "win"}[id[0] == 'b'], "status": "done", "at": now}
		for _, from := range []map[string]string{call, listed} {
			for name, value := range from {
				row[name] = value
			}
		}
		api.list = append(api.list, row)
	}
	plays("bet", "b1", "10.00", nil)
	plays("win", "w1", "25.00", nil)
	plays("bet", "b2", "5.00", nil)
	plays("", "w2", "7.50", nil)
	plays("bet", "b3", "4.00", map[string]string{"status": "failed"})
	plays("bet", "b4", "1.00", map[string]string{"status": "who knows"})
	balance := func(want string) {
		t.Helper()
		if said := b.call("GET", "/v1/players/"+who.ID+"/wallet", nil, 200, nil); !strings.Contains(said, `"cash":"`+want+`"`) {
			t.Errorf("wallet: %s, want %s", said, want)
		}
	}
	balance("105.00")
	b.call("POST", "/casino/fifth/bet", map[string]string{"id": "b9", "player": "ana", "amount": "1000.00"}, 409, nil)
	if said := b.call("GET", "/v1/players/"+who.ID+"/transactions?provider=fifth", nil, 200, nil); strings.Count(said, `"provider":"fifth"`) != 5 {
		t.Errorf("transactions: %s", said)
	}
	if said := b.call("GET", "/v1/players/"+who.ID+"/transactions?provider=sixth", nil, 422, nil); !strings.Contains(said, "naga, fifth, cashier") {
		t.Errorf("a provider that there is not: %s", said)
	}

	policy := filepath.Join(t.TempDir(), "policy.yml")
	if err := os.WriteFile(policy, []byte("delays: {fifth: 1m}\nrules: [{provider: fifth, action: heal}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	window := []string{"--from=" + time.Now().Add(-time.Hour).Format(time.RFC3339), "--to=" + time.Now().Add(time.Hour).Format(time.RFC3339)}
	code, out, said := b.evens(append([]string{"reconcile", "--provider=fifth", "--json", "--reconcile-policy=" + policy}, window...)...)
	var report struct {
		Lines, Matched int
		Pending        int
		Breaks         []struct {
			Kind, State, Action string
			TransactionID       string `json:"transaction_id"`
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Lines != 6 || len(report.Breaks) < 2 {
		t.Fatalf("reconcile: %d %s%s, %v", code, out, said, err)
	}
	done := make(map[string]string)
	for _, found := range report.Breaks {
		done[found.TransactionID] = fmt.Sprint(found.Kind, " ", found.State, " ", found.Action)
	}
	want := map[string]string{"w2": "missing_here resolved post", "b3": "status resolved rollback", "b4": "status open wait"}
	if !maps.Equal(done, want) || code != 1 {
		t.Errorf("%d, breaks: %v, want %v\n%s", code, done, want, out)
	}
	balance("116.50")
	if code, _, said := b.evens("mapping", "--provider=sixth", policy); code != 2 || !strings.Contains(said, `"fifth"`) {
		t.Errorf("mapping of a provider that there is not: %d %s", code, said)
	}
	if code, out, _ := b.evens("up", "--help"); code != 0 || !strings.Contains(out, "($EVENS_FIFTH_KEY)") {
		t.Errorf("help: %d %s", code, out)
	}
	b.clean(t)
}

// What the platform lacks is named with everything else that is wrong.
func TestTheFifthPlatformsSettingsAreNamed(t *testing.T) {
	t.Setenv("EVENS_FIFTH_URL", "http://fifth.example")
	t.Setenv("EVENS_FIFTH_ALLOW", "nowhere")
	t.Setenv("EVENS_TG_ALLOW", "nowhere")
	var said bytes.Buffer
	code := runWith(t.Context(), withFifth, []string{"worker"}, strings.NewReader(""), &said, &said)
	for _, name := range []string{"EVENS_FIFTH_KEY", "EVENS_FIFTH_ALLOW", "EVENS_TG_ALLOW"} {
		if code != 1 || !strings.Contains(said.String(), name+":") {
			t.Errorf("%d: %s is not named: %s", code, name, &said)
		}
	}
	said.Reset()
	if code := runWith(t.Context(), withFifth, []string{"reconcile", "--provider=fifth", "--data-dir=" + t.TempDir()}, strings.NewReader(""), &said, &said); code != 1 ||
		strings.Contains(said.String(), "EVENS_TG") || !strings.Contains(said.String(), "EVENS_FIFTH_KEY") {
		t.Errorf("a run of one platform: %d %s", code, &said)
	}
}

// The page about a fifth platform shows code of the platform above, word for word.
func TestTheFifthPlatformIsThePages(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/new-provider.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("fifthplatform_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	lines := 0
	for _, block := range blocks {
		for _, line := range strings.Split(strings.TrimSpace(block[1]), "\n") {
			if line = strings.TrimSpace(line); line == "" || line == "…" {
				continue
			}
			lines++
			if !strings.Contains(string(code), line) && !strings.Contains(line, "entry(") {
				t.Errorf("the platform has no %q", line)
			}
		}
	}
	if lines < 30 {
		t.Errorf("%d lines of code: this test sees nothing", lines)
	}
}

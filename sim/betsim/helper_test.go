package betsim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"
)

// noon is when tests take place.
var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// bookmaker is a client written after BeT's document alone.
type bookmaker struct {
	*testing.T
	sim    *Server
	url    string
	client *http.Client
}

func start(t *testing.T, cfg Config) *bookmaker {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return noon }
	}
	sim := New(cfg)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bookmaker{T: t, sim: sim, url: server.URL, client: &http.Client{Jar: jar}}
	b.login()
	return b
}

func (b *bookmaker) post(path string, payload any) (int, []byte, error) {
	b.Helper()
	body, err := json.Marshal(payload)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := b.client.Post(b.url+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

func (b *bookmaker) login() {
	b.Helper()
	status, body, err := b.post("/WebServices/BCService.asmx/LogIn/", map[string]string{"login": "demo", "password": "demo"})
	if err != nil || status != 200 || string(body) != `{"d":{"UserId":"1344225"}}` {
		b.Fatalf("login: %d %s %v", status, body, err)
	}
}

// payload is a valid placement; edit changes it.
func payload(pointers []string, edit ...func(map[string]any)) map[string]any {
	data := map[string]any{
		"list_bets": pointers, "realAmount": "150", "currency": "USD", "lang": "ru",
		"remote_host": "http://yoursite.example", "rate_mode": "reject",
	}
	for _, e := range edit {
		e(data)
	}
	return map[string]any{"data": data}
}

func with(key string, value any) func(map[string]any) {
	return func(data map[string]any) { data[key] = value }
}

// place returns the answer's fields; singles only, for an express is no JSON.
func (b *bookmaker) place(pointers []string, edit ...func(map[string]any)) map[string]any {
	b.Helper()
	status, body, err := b.post("/bet/place/", payload(pointers, edit...))
	if err != nil || status != 200 {
		b.Fatalf("place: %d %s %v", status, body, err)
	}
	var answer map[string]any
	if err := json.Unmarshal(bytes.ReplaceAll(body, []byte(`",}`), []byte(`"}`)), &answer); err != nil {
		b.Fatalf("place: %v in %s", err, body)
	}
	return answer
}

// placeMany places n singles and as many expresses of two and three.
func (b *bookmaker) placeMany(n int) {
	b.Helper()
	for i := range n {
		id := string(rune('1' + i%9))
		b.place([]string{"line#10" + id + "|1|1|0#1.85"})
		b.place([]string{"line#20" + id + "|1|1|0#4.82", "live#21" + id + "|17|9|2.5#2.55"})
		b.place([]string{"line#30" + id + "|1|2|0#1.37", "live#31" + id + "|2|7|-4.5#2.05", "line#32" + id + "|1|3|0#3.1"})
	}
}

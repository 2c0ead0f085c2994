package betsim

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Each kind of misbehaviour is what its name says.
func TestMisbehaviour(t *testing.T) {
	t.Parallel()
	single := []string{"line#101|1|1|0#1.85"}
	for name, tt := range map[string]struct {
		cfg  Config
		sign func(status int, body string, err error) bool
	}{
		"misspelt": {Config{Misspell: 1000}, func(_ int, body string, err error) bool {
			return err != nil || !json.Valid([]byte(body))
		}},
		"contradictory": {Config{Contradict: 1000}, func(status int, body string, _ error) bool {
			return strings.Contains(body, `"betCode":"`) && (status == 500 || strings.Contains(body, `"errorCode":1`) ||
				strings.Contains(body, `"status":0`) || strings.Count(body, `"betCode"`) == 2)
		}},
		"noisy": {Config{Noise: 1000}, func(_ int, body string, _ error) bool {
			return strings.Contains(body, `"Coef":1.8500000000000003`) || strings.Contains(body, `"Coef":"1,85"`)
		}},
		"a long code": {Config{LongCode: 1000}, func(_ int, body string, _ error) bool {
			return strings.HasPrefix(body, `{"betCode":"`+strings.Repeat("0", 60))
		}},
		"a zero code": {Config{Reject: 1000, ZeroCode: true}, func(_ int, body string, _ error) bool {
			return strings.HasPrefix(body, `{"betCode":0,"status":0,"errorCode":1`)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, tt.cfg)
			for range 12 {
				if status, body, err := b.post("/bet/place/", payload(single)); !tt.sign(status, string(body), err) {
					t.Errorf("answer = %d %s %v", status, body, err)
				}
			}
		})
	}
}

func TestReordered(t *testing.T) {
	t.Parallel()
	b := start(t, Config{Reorder: 1000})
	_, body, err := b.post("/bet/place/", payload([]string{"line#111|1|1|0#1.5", "line#222|1|1|0#3"}))
	if err != nil {
		t.Fatal(err)
	}
	first, second := strings.Index(string(body), `"LinesId":999999222`), strings.Index(string(body), `"LinesId":111`)
	if first < 0 || second < first {
		t.Errorf("answer = %s, want 222 under another id, then 111", body)
	}
}

// A session that has ended is answered in all words by turns; a login ends the one before.
func TestEndsOfSessions(t *testing.T) {
	t.Parallel()
	b := start(t, Config{EndWords: AllWords, OneSession: true, ClearCookies: true})
	old := b.client.Jar
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	b.client.Jar = nil
	b.login()
	b.client.Jar = old
	seen := map[string]bool{}
	for range AllWords {
		status, body, err := b.post("/bet/place/", payload([]string{"line#101|1|1|0#1.85"}))
		if err != nil || strings.Contains(string(body), `"status":1`) {
			t.Fatalf("placed on an old session: %d %s %v", status, body, err)
		}
		seen[http.StatusText(status)+string(body)] = true
	}
	if len(seen) != len(AllWords) {
		t.Errorf("%d different words, want %d", len(seen), len(AllWords))
	}
	b.login()
	b.place([]string{"line#101|1|1|0#1.8500000000000003"})
	b.sim.Forbid(true)
	if status, _, _ := b.post("/bet/place/", payload(nil)); status != http.StatusForbidden {
		t.Errorf("behind the firewall: %d", status)
	}
	b.sim.Forbid(false)
	b.sim.RefuseLogins(true)
	if _, body, _ := b.post(pathLogin, map[string]string{"login": "demo", "password": "demo"}); string(body) != `{"d":{}}` {
		t.Errorf("a refused login: %s", body)
	}
}

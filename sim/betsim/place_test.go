package betsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// shape lists what a body is made of apart from its values: keys, brackets and commas, the
// stray ones included.
func shape(body []byte) (tokens []string) {
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			end := i + 1 + bytes.IndexByte(body[i+1:], '"')
			if end+1 < len(body) && body[end+1] == ':' {
				tokens = append(tokens, string(body[i+1:end]))
			}
			i = end
		case strings.IndexByte("{}[],", c) >= 0:
			tokens = append(tokens, string(c))
		}
	}
	return tokens
}

// Answers have the shape of the two in BeT's document, key by key and comma by comma.
func TestAnswersLookLikeTheSeeds(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	for file, pointers := range map[string][]string{
		"single.json":  {"live#224751652|1|1|0#1.99"},
		"express.json": {"live#250614983|17|9|2.5#4.82", "live#250612386|2|1|-4.5#2.55"},
	} {
		want, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		_, got, err := b.post("/bet/place/", payload(pointers))
		if err != nil {
			t.Fatal(err)
		}
		if w, g := shape(want), shape(got); !slices.Equal(w, g) {
			t.Errorf("%s: shape\n%v, want\n%v", file, g, w)
		}
		if json.Valid(got) != json.Valid(want) {
			t.Errorf("%s: valid JSON %t, want as the seed's", file, json.Valid(got))
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	b := start(t, Config{Seed: 5})
	answer := b.place([]string{"live#224751652|1|1|0#1.99"}, with("realAmount", "15.5"))
	head := answer["d"].(map[string]any)["BetHeadDetail"].(map[string]any)
	bet := answer["BetsContentDataList"].([]any)[0].(map[string]any)
	want := map[string]any{
		"betCode": betCode(5, 1), "PosWin": 30.85, "AmountOut": 30.85, "Bet": 15.5, "Coef": 1.99, "CoefOrig": 1.99,
		"LiveType": "Обычный", "BetName": "П1", "BetDate": float64(noon.UnixMilli()), "Outcome": 1.0, "LinesId": 224751652.0,
	}
	for key, value := range want {
		for _, part := range []map[string]any{answer, head, bet} {
			if got, ok := part[key]; ok && got != value {
				t.Errorf("%s = %v, want %v", key, got, value)
			}
		}
	}
	english := b.place([]string{"line#1|17|10|2.5#1.5"}, with("lang", "en"))
	if got := english["BetsContentDataList"].([]any)[0].(map[string]any)["BetName"]; got != "Total (2.5) Under" {
		t.Errorf("BetName = %v, want the English one", got)
	}
	coupons := b.sim.Coupons()
	if len(coupons) != 2 {
		t.Fatalf("%d coupons kept, want 2", len(coupons))
	}
	got := fmt.Sprintf("%+v", coupons[0])
	for _, part := range []string{answer["betCode"].(string), "live#224751652|1|1|0#1.99", "15.5", "30.85", "reject", "http://yoursite.example", "Answered:true"} {
		if !strings.Contains(got, part) {
			t.Errorf("coupon %s, want %s in it", got, part)
		}
	}
	if got, want := b.sim.Stats(), (Stats{Logins: 1, Requests: 2, Placed: 2}); got != want {
		t.Errorf("Stats() = %+v, want %+v", got, want)
	}
}

func TestPlaceRefusesBadPayloads(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	ptr := []string{"live#1|1|1|0#2"}
	for name, p := range map[string]map[string]any{
		"no pointers":     payload(nil),
		"sixteen":         payload(make([]string, 16)),
		"no pointer":      payload([]string{"garbage"}),
		"an empty match":  payload([]string{"live#|1|1|0#2"}),
		"a low coef":      payload([]string{"live#1|1|1|0#0.5"}),
		"a strange param": payload([]string{`live#1|1|1|"#2`}),
		"no amount":       payload(ptr, with("realAmount", "0")),
		"amount in words": payload(ptr, with("realAmount", "ten")),
		"no currency":     payload(ptr, with("currency", "")),
		"slash at end":    payload(ptr, with("remote_host", "http://a.example/")),
		"no host":         payload(ptr, with("remote_host", "a.example")),
		"another mode":    payload(ptr, with("rate_mode", "maybe")),
		"another shape":   {"data": 7},
	} {
		if status, body, err := b.post("/bet/place/", p); err != nil || status != 400 {
			t.Errorf("%s: %d %s %v, want 400", name, status, body, err)
		}
	}
	if n := len(b.sim.Coupons()); n != 0 {
		t.Errorf("%d coupons, want none", n)
	}
}

func TestPlaceAcceptsOtherSpellings(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	for _, pointer := range []string{"line#1#1#1#0#2", "line|1|1|2||2.5", "live#1|1|1|-4.5#2#77"} {
		if code := b.place([]string{pointer}, with("realAmount", 12.5))["betCode"]; code == "" {
			t.Errorf("%s not taken", pointer)
		}
	}
	if c := b.place([]string{"line#1#1#1#0#2"}, func(d map[string]any) { delete(d, "rate_mode") }); c["betCode"] == "" {
		t.Error("no rate mode: not taken")
	}
	if got := b.sim.Coupons()[3].RateMode; got != "accept" {
		t.Errorf("rate mode = %s, want BeT's default accept", got)
	}
}

// refused returns the codes of a refusal.
func refused(answer map[string]any) string {
	return fmt.Sprintf("%v %v %v %q", answer["betCode"], answer["errorCode"], answer["fullErrorCode"], answer["errorMessage"])
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	got := refused(b.place([]string{"live#1|1|1|0#2", "line#1|17|9|2.5#2"}))
	if want := ` 1 5 "error_repeat_bet_data"`; got != want {
		t.Errorf("one match twice: %s, want %s", got, want)
	}
	got = refused(b.place([]string{"live#1|1|1|0#999999999999", "line#2|17|9|2.5#999999999999"}))
	if want := ` 1 6 "error_limit"`; got != want {
		t.Errorf("beyond all bounds: %s, want %s", got, want)
	}

	b = start(t, Config{Reject: 1000})
	seen := map[string]bool{}
	for range 60 {
		seen[refused(b.place([]string{"live#1|1|1|0#2"}))] = true
	}
	for _, want := range []string{` 1 3 "error_exist_bet"`, ` 1 5 "error_repeat_bet_data"`, ` 1 4 "error_block_bet_data"`, ` 1 1 ""`} {
		if !seen[want] {
			t.Errorf("never refused with %s", want)
		}
	}
	if n := len(b.sim.Coupons()); n != 0 {
		t.Errorf("%d coupons, want none", n)
	}
}

func TestCoefChange(t *testing.T) {
	t.Parallel()
	b := start(t, Config{CoefChange: 1000})
	if got, want := refused(b.place([]string{"live#1|1|1|0#2"})), ` 1 2 "error_change_coef"`; got != want {
		t.Errorf("under reject: %s, want %s", got, want)
	}
	for range 50 {
		answer := b.place([]string{"live#1|1|1|0#2"}, with("rate_mode", "accept"))
		head := answer["d"].(map[string]any)["BetHeadDetail"].(map[string]any)
		if head["CoefOrig"] != 2.0 || head["Coef"] == 2.0 {
			t.Fatalf("under accept: %v, want another coefficient than the original 2", head)
		}
		coefs := b.sim.Coupons()[len(b.sim.Coupons())-1].Coefs
		if got := fmt.Sprint(head["Coef"]); got != coefs[0] {
			t.Fatalf("answered %s, kept %s", got, coefs[0])
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	const gone = ` 1 99 ""`
	var mu sync.Mutex
	now := noon
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	ptr := []string{"live#1|1|1|0#2"}
	b := start(t, Config{SessionTTL: time.Hour, SessionPlacements: 2, Now: clock})
	check := func(when string, want bool) {
		t.Helper()
		if got := refused(b.place(ptr)); (got != gone) != want {
			t.Errorf("%s: %s, want placed %t", when, got, want)
		}
	}
	check("first", true)
	check("second", true)
	check("one too many", false)
	b.login()
	check("after a login", true)
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	check("an hour later", false)
	b.login()
	b.sim.EndSessions()
	check("after a restart", false)

	status, body, err := b.post("/WebServices/BCService.asmx/LogIn/", map[string]string{"login": "demo", "password": "wrong"})
	if err != nil || status != 200 || string(body) != `{"d":{}}` {
		t.Errorf("login with a wrong password: %d %s %v, want 200 and an empty d", status, body, err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	ptr := []string{"live#1|1|1|0#2"}
	tests := []struct {
		name   string
		cfg    Config
		cut    bool
		status int
		placed func(n int) bool // of 40
	}{
		{"lost request", Config{LoseRequest: 1000}, true, 0, func(n int) bool { return n == 0 }},
		{"lost answer", Config{LoseAnswer: 1000}, true, 0, func(n int) bool { return n == 40 }},
		{"server error", Config{ServerError: 1000}, false, 500, func(n int) bool { return n > 0 && n < 40 }},
		{"nonsense", Config{Nonsense: 1000}, false, 200, func(n int) bool { return n > 0 && n < 40 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, tt.cfg)
			for range 40 {
				status, body, err := b.post("/bet/place/", payload(ptr))
				if (err != nil) != tt.cut || status != tt.status {
					t.Fatalf("%d %s %v, want status %d, cut %t", status, body, err, tt.status, tt.cut)
				}
				if !tt.cut && !bytes.HasPrefix(body, []byte("<!DOCTYPE")) {
					t.Fatalf("body %s, want a page", body)
				}
			}
			coupons := b.sim.Coupons()
			if !tt.placed(len(coupons)) {
				t.Errorf("%d of 40 placed", len(coupons))
			}
			for _, c := range coupons {
				if c.Answered {
					t.Errorf("coupon %s counts as answered", c.BetCode)
				}
			}
			if got := b.sim.Stats(); got.Unanswered != int64(len(coupons)) || got.Placed != got.Unanswered {
				t.Errorf("Stats() = %+v, want %d placed and unanswered", got, len(coupons))
			}
		})
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	b := start(t, Config{Slow: 1000, SlowFor: time.Second, AnswerDelay: 20 * time.Millisecond})
	began := time.Now()
	b.place([]string{"live#1|1|1|0#2"})
	if took := time.Since(began); took < 1020*time.Millisecond {
		t.Errorf("took %s, want 1.02s at least", took)
	}
	b.client.Timeout = 600 * time.Millisecond // time enough to be read, on a busy machine too
	if _, _, err := b.post("/bet/place/", payload([]string{"live#1|1|1|0#2"})); err == nil {
		t.Error("no timeout")
	}
	if n := len(b.sim.Coupons()); n != 2 {
		t.Errorf("%d coupons placed, want 2: a slow answer is no lost request", n)
	}
}

// The same calls get the same answers.
func TestSeedRepeats(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (s string) {
		b := start(t, Config{Seed: seed, Reject: 200, CoefChange: 200, ServerError: 200})
		for range 50 {
			status, body, err := b.post("/bet/place/", payload([]string{"live#1|1|1|0#2"}, with("rate_mode", "accept")))
			s += fmt.Sprintln(status, string(body), err)
		}
		return s
	}
	first, again := run(1), run(1)
	if first != again {
		t.Error("one seed, two runs")
	}
	if first == run(2) {
		t.Error("two seeds, one run")
	}
}

// Many at once: every code is unique, every coupon is kept.
func TestConcurrentPlacements(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 5 {
				if _, _, err := b.post("/bet/place/", payload([]string{"live#1|1|1|0#2"})); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, c := range b.sim.Coupons() {
		seen[c.BetCode] = true
	}
	if len(seen) != 320 {
		t.Errorf("%d codes, want 320", len(seen))
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	cfg := Bench("demo", "demo")
	b := start(t, cfg)
	b.place([]string{"live#1|1|1|0#2"})
	if n := len(b.sim.Coupons()); n != 0 {
		t.Errorf("%d coupons kept, want none", n)
	}
	if got := b.sim.Stats().Placed; got != 1 {
		t.Errorf("%d placed, want 1", got)
	}
}

// The simulation must not share our mistakes: it imports nothing of this module.
func TestImportsNothingOfOurs(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			if strings.HasPrefix(spec.Path.Value, `"evens`) {
				t.Errorf("%s imports %s", name, spec.Path.Value)
			}
		}
	}
}

func BenchmarkPlace(b *testing.B) {
	cfg := Bench("demo", "demo")
	cfg.AnswerDelay = 0
	s := New(cfg)
	body, err := json.Marshal(payload([]string{"live#187183313|17|9|0.5#1.02"}))
	if err != nil {
		b.Fatal(err)
	}
	cookie := loginDirectly(b, s)
	b.ReportAllocs()
	for b.Loop() {
		placeDirectly(b, s, body, cookie)
	}
}

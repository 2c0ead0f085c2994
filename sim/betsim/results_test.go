package betsim

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"
)

func resultsOf(b *bookmaker, opts ResultOptions) map[string][]Head {
	byCode := map[string][]Head{}
	for _, h := range b.sim.Results(opts) {
		byCode[h.BarCode] = append(byCode[h.BarCode], h)
	}
	return byCode
}

// money reads a decimal of the tests as ten-thousandths.
func money(t *testing.T, s string) int64 {
	t.Helper()
	n, err := parseDecimal(s, amountDigits)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return n
}

func TestResults(t *testing.T) {
	t.Parallel()
	b := start(t, Config{Seed: 3})
	b.placeMany(60)
	coupons := map[string]Coupon{}
	for _, c := range b.sim.Coupons() {
		coupons[c.BetCode] = c
	}
	heads := b.sim.Results(ResultOptions{Bare: 500, Mix: Mix{Won: 1, Lost: 1, Refunded: 1}})
	if len(heads) != 180 {
		t.Fatalf("%d heads for 180 coupons", len(heads))
	}
	kinds := map[string]int{}
	for _, h := range heads {
		c, ok := coupons[h.BarCode]
		if !ok || h.ID == "" || h.RemoteHost != c.RemoteHost {
			t.Fatalf("head %+v of no coupon", h)
		}
		if at := time.Unix(h.DateRecive, 0).Sub(noon); at < 0 || at >= time.Minute {
			t.Errorf("decided %s after the time asked for", at)
		}
		single := len(c.Pointers) == 1
		kind := fmt.Sprintf("(%d,%d) single %t", h.Status, h.ExtStatus, single)
		switch {
		case h.Status == 2 && h.ExtStatus == 0, h.Status == 4:
			if h.AmountOut != c.PossibleWin {
				t.Errorf("%s: AmountOut %s, want the possible win %s", kind, h.AmountOut, c.PossibleWin)
			}
		case h.AmountOut == "":
			kind += " bare"
		case single && h.AmountOut != c.RealAmount:
			t.Errorf("%s: AmountOut %s, want the stake %s", kind, h.AmountOut, c.RealAmount)
		case h.AmountOut == c.RealAmount:
			kind += " whole"
		default:
			kind += " reduced"
			if out := money(t, h.AmountOut); out <= money(t, c.RealAmount) || out >= money(t, c.PossibleWin) {
				t.Errorf("%s: AmountOut %s, want between stake and possible win", kind, h.AmountOut)
			}
		}
		kinds[kind]++
		if last, ok := b.sim.Last(h.BarCode); !ok || last != h {
			t.Errorf("Last() = %+v, %t, want %+v", last, ok, h)
		}
	}
	for _, want := range []string{
		"(2,0) single true", "(2,0) single false", "(4,0) single true", "(4,0) single false", "(4,1) single false",
		"(2,1) single true whole", "(2,1) single true bare", "(2,1) single false reduced", "(2,1) single false whole",
	} {
		if kinds[want] == 0 {
			t.Errorf("no %s among %v", want, kinds)
		}
	}
	if heads := b.sim.Results(ResultOptions{}); len(heads) != 0 {
		t.Errorf("%d heads for settled coupons, want none", len(heads))
	}
}

// The seed's express with one match void: 150 × 2.55 or 150 × 4.82.
func TestReducedExpress(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	for range 30 {
		b.place([]string{"live#1|17|9|2.5#4.82", "live#2|2|1|-4.5#2.55"})
	}
	seen := map[string]int{}
	for _, h := range b.sim.Results(ResultOptions{Mix: Mix{Refunded: 1}}) {
		seen[h.AmountOut]++
	}
	if seen["382.5"] == 0 || seen["723"] == 0 || seen["382.5"]+seen["723"]+seen["150"] != 30 {
		t.Errorf("amounts %v, want 382.5, 723 and now and then the stake", seen)
	}
}

func TestReversals(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]ResultOptions{
		"later":              {Reversals: 1000},
		"in the same second": {Reversals: 1000, SameSecond: 1000},
		"in disorder":        {Reversals: 1000, SameSecond: 500, Duplicates: 500, Disorder: true},
		"one kind only":      {Reversals: 1000, Mix: Mix{Lost: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, Config{Seed: 9})
			b.placeMany(20)
			byCode := resultsOf(b, opts)
			if len(byCode) != 60 {
				t.Fatalf("%d coupons with results, want 60", len(byCode))
			}
			for code, heads := range byCode {
				distinct := heads[:0:0]
				for _, h := range heads {
					if !slices.Contains(distinct, h) {
						distinct = append(distinct, h)
					}
				}
				if len(distinct) != 2 {
					t.Fatalf("coupon %s: %d different heads, want 2", code, len(distinct))
				}
				// What holds is the latest, and of one second the last to come.
				slices.SortStableFunc(heads, func(a, b Head) int { return int(a.DateRecive - b.DateRecive) })
				if last, _ := b.sim.Last(code); last != heads[len(heads)-1] {
					t.Errorf("coupon %s: Last() = %+v, want %+v", code, last, heads[len(heads)-1])
				}
				same := distinct[0].DateRecive == distinct[1].DateRecive
				if opts.SameSecond == 1000 && !same || opts.SameSecond == 0 && same {
					t.Errorf("coupon %s: same second %t", code, same)
				}
			}
		})
	}
}

func TestDuplicatesAndDisorder(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	b.placeMany(20)
	order := func(opts ResultOptions) (codes []string) {
		for _, h := range b.sim.Results(opts) {
			codes = append(codes, h.BarCode)
		}
		return codes
	}
	placed := make([]string, 0, 60)
	for _, c := range b.sim.Coupons() {
		placed = append(placed, c.BetCode)
	}
	first := order(ResultOptions{Limit: 10, Duplicates: 1000})
	if want := placed[:10]; len(first) != 20 || !slices.Equal(slices.Compact(first), want) {
		t.Errorf("results of %v, want each of the first ten twice", first)
	}
	second := order(ResultOptions{Disorder: true})
	if slices.Equal(second, placed[10:]) || len(second) != 50 {
		t.Errorf("%d results in the order of placing, want 50 in disorder", len(second))
	}
	slices.Sort(second)
	if want := slices.Sorted(slices.Values(placed[10:])); !slices.Equal(second, want) {
		t.Error("disorder lost a coupon")
	}
}

func TestRevise(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	b.placeMany(10)
	b.sim.Results(ResultOptions{Only: func(c Coupon) bool { return len(c.Pointers) == 1 }})
	for _, opts := range []ResultOptions{{Revise: true}, {Revise: true, SameSecond: 1000}, {Revise: true, At: noon.Add(-time.Hour)}} {
		before := map[string]Head{}
		for _, c := range b.sim.Coupons() {
			if h, ok := b.sim.Last(c.BetCode); ok {
				before[c.BetCode] = h
			}
		}
		revised := b.sim.Results(opts)
		if len(revised) != 10 {
			t.Fatalf("%d heads, want one for each of ten settled singles", len(revised))
		}
		for _, h := range revised {
			old := before[h.BarCode]
			if h.Status == old.Status && h.ExtStatus == old.ExtStatus && h.AmountOut == old.AmountOut {
				t.Errorf("coupon %s: the same result again", h.BarCode)
			}
			if opts.SameSecond > 0 && h.DateRecive != old.DateRecive || opts.SameSecond == 0 && h.DateRecive <= old.DateRecive {
				t.Errorf("coupon %s: decided at %d, before at %d", h.BarCode, h.DateRecive, old.DateRecive)
			}
		}
	}
}

func TestLoadBars(t *testing.T) {
	t.Parallel()
	b := start(t, Config{})
	b.place([]string{"line#1|1|1|0#2"})
	b.place([]string{"line#2|1|1|0#3"})
	open, settled := b.sim.Coupons()[0].BetCode, b.sim.Coupons()[1].BetCode
	b.sim.Results(ResultOptions{Mix: Mix{Won: 1}, Only: func(c Coupon) bool { return c.BetCode == settled }})

	status, body, err := b.post("/loadbars/", map[string]any{"login": "demo", "links": []string{settled, "unknown", open}})
	if err != nil || status != 200 {
		t.Fatal(status, err)
	}
	start := slices.Index(body, '{')
	if start == 0 {
		t.Error("no junk before the first brace")
	}
	var answer struct {
		Heads []struct {
			KeyHead           struct{ BarCode string }
			Status, ExtStatus int
			AmountOut         json.Number
			DateRecive        string
		}
	}
	if err := json.Unmarshal(body[start:], &answer); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	got := fmt.Sprintf("%+v", answer.Heads)
	last, _ := b.sim.Last(settled)
	want := fmt.Sprintf("[{KeyHead:{BarCode:%s} Status:2 ExtStatus:0 AmountOut:450 DateRecive:%d} {KeyHead:{BarCode:%s} Status:1 ExtStatus:0 AmountOut:300 DateRecive:}]",
		settled, last.DateRecive, open)
	if got != want {
		t.Errorf("heads = %s, want %s", got, want)
	}
	for name, query := range map[string]map[string]any{
		"too many":      {"login": "demo", "links": make([]string, 101)},
		"another shape": {"login": 7},
	} {
		if status, _, _ := b.post("/loadbars/", query); status != 400 {
			t.Errorf("%s: status %d, want 400", name, status)
		}
	}
	b.sim.EndSessions()
	if _, body, _ := b.post("/loadbars/", map[string]any{"login": "demo", "links": []string{open}}); !json.Valid(body) || !slices.Contains(shape(body), "fullErrorCode") {
		t.Errorf("without a session: %s, want a refusal", body)
	}
}

package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"evens/coupon"
	"evens/money"
	"evens/settlement"
	"evens/sim/betsim"
)

// list makes BeT answer with these heads, whatever it is asked.
func (c *counter) list(heads ...string) {
	said := `{"Heads":[` + strings.Join(heads, ",") + `]}`
	c.says.Store(&said)
}

// push stores results as BeT posts them, and applies them.
func (c *counter) push(chunks *[]settlement.Chunk, heads ...string) {
	c.t.Helper()
	body := []byte(`{"Heads":[` + strings.Join(heads, ",") + `]}`)
	parsed, err := settlement.ParsePush(body)
	fatal(c.t, err)
	_, err = c.inbox.Store(c.t.Context(), settlement.Push{Heads: parsed, Body: body, At: time.Now().UTC()})
	fatal(c.t, err)
	c.settle(chunks)
}

func (c *counter) is(id coupon.Coupon, status coupon.Status, payout string) {
	c.t.Helper()
	got, err := c.store.Get(context.WithoutCancel(c.t.Context()), id.ID)
	fatal(c.t, err)
	if got.Status != status || got.Payout != money.MustParse(payout) {
		c.t.Errorf("the coupon is %s with %s, want %s with %s", got.Status, got.Payout, status, payout)
	}
}

func head(code, status, amount, date string) string {
	text := fmt.Sprintf(`{"KeyHead":{"BarCode":%q},"Status":%s`, code, strings.Replace(status, "/", `,"ExtStatus":`, 1))
	if amount != "" {
		text += `,"AmountOut":` + amount
	}
	if date != "" {
		text += `,"DateRecive":` + date
	}
	return text + "}"
}

// What we hold has a time. A list without one, or with one that nobody can read, does not win over it; with an
// older time it does not either, in whatever way that is written. A later time wins.
func TestAListWinsByItsDate(t *testing.T) {
	t.Parallel()
	held := time.Now().Add(-time.Hour).Truncate(time.Second)
	earlier, later := held.Add(-time.Minute), held.Add(time.Minute)
	for name, test := range map[string]struct{ date, want string }{
		"none":                    {"", "open person"},
		"null":                    {"null", "open person"},
		"zero":                    {"0", "open person"},
		"the first day of .NET":   {`"/Date(-62135596800000)/"`, "open person"},
		"words":                   {`"yesterday"`, "open person"},
		"earlier, in seconds":     {fmt.Sprint(earlier.Unix()), "open person"},
		"earlier, in ms":          {fmt.Sprint(earlier.UnixMilli()), "open person"},
		"earlier, in words":       {fmt.Sprintf("%q", earlier.UTC().Format(time.RFC3339)), "open person"},
		"earlier, as BeT":         {fmt.Sprintf(`"\/Date(%d)\/"`, earlier.UnixMilli()), "open person"},
		"later, in seconds":       {fmt.Sprintf(`"%d"`, later.Unix()), "healing settle"},
		"later, in ms":            {fmt.Sprint(later.UnixMilli()), "healing settle"},
		"later, in words":         {fmt.Sprintf("%q", later.UTC().Format(time.RFC3339Nano)), "healing settle"},
		"later, as BeT":           {fmt.Sprintf(`"/Date(%d+0300)/"`, later.UnixMilli()), "healing settle"},
		"later, without its zone": {fmt.Sprintf("%q", later.UTC().Format("2006-01-02T15:04:05")), "healing settle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, chunks := openCounter(t, betsim.Config{Seed: 21}, 0)
			placed := c.place("10")
			c.push(chunks, head(placed.BetCode, "4/0", "20.00", fmt.Sprint(held.Unix())))
			c.is(placed, coupon.Lost, "0")
			c.list(head(placed.BetCode, "2/0", "20.00", test.date))
			same(t, found(c.run("")), map[string]string{"status " + placed.BetCode: test.want})
			c.settle(chunks)
			if strings.HasPrefix(test.want, "open") {
				c.is(placed, coupon.Lost, "0")
				return
			}
			c.is(placed, coupon.Won, "20")
			var decided time.Time
			fatal(t, c.db.Pool.QueryRow(t.Context(), `SELECT decided_at FROM coupons WHERE id = $1`, placed.ID).Scan(&decided))
			if !decided.Equal(later) {
				t.Errorf("decided at %s, want %s", decided, later)
			}
		})
	}
}

// An open coupon is settled by a list without a date, and what BeT then says with its date holds against that,
// though it was decided before the list was read.
func TestAnOpenCouponNeedsNoDate(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]func(*counter, coupon.Coupon) string{
		"their list": func(c *counter, p coupon.Coupon) string { c.list(head(p.BetCode, "2/0", "20.00", "")); return "" },
		"unreadable": func(c *counter, p coupon.Coupon) string { c.list(head(p.BetCode, "2/0", "20.00", `"soon"`)); return "" },
		"a file":     func(_ *counter, p coupon.Coupon) string { return header + p.BetCode + ",coupon,ana,20,USD,won,,\n" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, chunks := openCounter(t, betsim.Config{Seed: 22}, 0)
			placed := c.place("10")
			csv := source(&c, placed)
			same(t, found(c.run(csv)), map[string]string{"status " + placed.BetCode: "healing settle"})
			c.settle(chunks)
			c.is(placed, coupon.Won, "20")
			if again := c.run(csv); len(again.Breaks) != 0 {
				t.Errorf("again: %+v", again.Breaks)
			}
			c.push(chunks, head(placed.BetCode, "4/0", "20.00", fmt.Sprint(time.Now().UTC().Unix())))
			c.is(placed, coupon.Lost, "0")
			same(t, found(c.run(csv)), map[string]string{"status " + placed.BetCode: "open person"})
		})
	}
}

// A list is compared with what its words would pay, by the rule that pays.
func TestAListPaysAsAPushDoes(t *testing.T) {
	t.Parallel()
	type want map[string]string
	for name, test := range map[string]struct {
		nominal, stake string
		coef           string
		push, list     []string // status, AmountOut
		status         coupon.Status
		payout         string
		kind           string // "" for no break
	}{
		"a nominal of 1, rounded by BeT":        {"1", "150", "1.995", []string{"2/0", "2.00"}, []string{"2/0", "2.00"}, coupon.Won, "299.25", ""},
		"a nominal without AmountOut":           {"1000", "10", "2.00", nil, []string{"2/0", ""}, coupon.Won, "20", ""},
		"a nominal of a voided leg":             {"1000", "10", "2.00", []string{"2/1", "1500.00"}, []string{"2/1", "1500.00"}, coupon.Won, "15", ""},
		"a nominal of another coefficient":      {"1000", "10", "2.00", []string{"2/0", "2000.00"}, []string{"2/0", "1500.00"}, coupon.Won, "20", "amount"},
		"a void without AmountOut":              {"", "10", "2.00", nil, []string{"2/1", ""}, coupon.Refunded, "10", ""},
		"a void of the stake":                   {"", "10", "2.00", []string{"2/1", "10.00"}, []string{"2/1", ""}, coupon.Refunded, "10", ""},
		"a win of nothing":                      {"", "10", "2.00", []string{"2/0", "20.00"}, []string{"2/0", "0"}, coupon.Won, "20", "amount"},
		"a win without AmountOut":               {"", "10", "2.00", []string{"2/0", "20.00"}, []string{"2/0", ""}, coupon.Won, "20", "amount"},
		"a win of more than it could":           {"", "10", "2.00", []string{"2/0", "20.00"}, []string{"2/0", "25.00"}, coupon.Won, "20", "amount"},
		"a loss with what it could have won":    {"", "10", "2.00", []string{"4/0", "20.00"}, []string{"4/0", "20.00"}, coupon.Lost, "0", ""},
		"a loss with an amount that is nothing": {"", "10", "2.00", []string{"4/0", "20.00"}, []string{"4/0", "13.00"}, coupon.Lost, "0", "amount"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nominal := money.Amount(0)
			if test.nominal != "" {
				nominal = money.MustParse(test.nominal)
			}
			c, chunks := openCounter(t, betsim.Config{Seed: 23}, nominal)
			placed := c.placeAt(test.stake, test.coef)
			at := fmt.Sprint(time.Now().UTC().Unix())
			if test.push != nil {
				c.push(chunks, head(placed.BetCode, test.push[0], test.push[1], at))
				c.is(placed, test.status, test.payout)
			}
			c.list(head(placed.BetCode, test.list[0], test.list[1], at))
			report := c.run("")
			switch {
			case test.push == nil:
				same(t, found(report), want{"status " + placed.BetCode: "healing settle"})
				c.settle(chunks)
			case test.kind != "":
				same(t, found(report), want{test.kind + " " + placed.BetCode: "open person"})
			case len(report.Breaks) != 0:
				t.Errorf("breaks: %+v", report.Breaks)
			}
			c.is(placed, test.status, test.payout)
			if test.kind == "" {
				if again := c.run(""); len(again.Breaks) != 0 || again.Matched != 1 {
					t.Errorf("again: %+v", again)
				}
			}
		})
	}
}

// A line of BeT's list that says something twice, or not readably, is set aside: nothing moves, nothing is missing,
// and the other lines count.
func TestAnOddLineOfBeTsListIsSetAside(t *testing.T) {
	t.Parallel()
	c, chunks := openCounter(t, betsim.Config{Seed: 24}, 0)
	var codes []string
	var placed []coupon.Coupon
	for range 6 {
		placed = append(placed, c.place("10"))
		codes = append(codes, placed[len(placed)-1].BetCode)
	}
	at := fmt.Sprint(time.Now().UTC().Unix())
	c.list(head(codes[0], "2/0", "20.00", at),
		head(codes[1], "2/0", `20.00,"AmountOut":15.00`, at),
		head(codes[2], "2/0", `20.00,"amountout":15.00`, at),
		head(codes[3], "2/0", `"twenty"`, at),
		head(codes[4], `"won"`, `20.00`, at),
		head(codes[5], "1/0", `"twenty"`, `"never"`))
	report := c.run("")
	same(t, found(report), map[string]string{
		"status " + codes[0]: "healing settle", "unreadable " + codes[1]: "open person", "unreadable " + codes[2]: "open person",
		"unreadable " + codes[3]: "open person", "unreadable " + codes[4]: "open person",
	})
	c.settle(chunks)
	c.is(placed[0], coupon.Won, "20")
	for _, p := range placed[1:] {
		c.is(p, coupon.Accepted, "0")
	}
	if report.Unreadable != 4 {
		t.Errorf("%+v", report)
	}
}

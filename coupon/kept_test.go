package coupon_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/testbed"
	"evens/money"
	"evens/settlement/booktest"
)

// odd is an answer of BeT that names a bet code and cannot be taken.
func odd(code, body string) error {
	return &bet.UnknownError{Reason: "bet code with HTTP 200, error code 1", BetCode: code, HTTPStatus: 200, Body: []byte(body)}
}

// list is a fake /loadbars/.
type list struct {
	heads atomic.Pointer[[]bet.Head]
	err   error
	asked atomic.Int64
}

func (l *list) Read(_ context.Context, codes []string) ([]bet.Head, error) {
	l.asked.Add(1)
	if l.err != nil {
		return nil, l.err
	}
	var found []bet.Head
	if heads := l.heads.Load(); heads != nil {
		for _, h := range *heads {
			if h.BarCode == codes[0] {
				found = append(found, h)
			}
		}
	}
	return found, nil
}

func (l *list) has(heads ...bet.Head) { l.heads.Store(&heads) }

func standing(code string, win string) bet.Head {
	h := bet.Head{BarCode: code, Status: 1}
	if win != "" {
		h.AmountOut, h.HasAmount = money.MustParse(win), true
	}
	return h
}

func (c *counter) waiting() []coupon.WaitingCode {
	c.t.Helper()
	waiting, err := c.store.WaitingCodes(c.t.Context(), 100)
	if err != nil {
		c.t.Fatal(err)
	}
	return waiting
}

// A contradictory answer names a code: the stake is never returned by grace. BeT's list is asked,
// and the coupon is accepted when that has it.
func TestKeptCodeOutlivesTheGrace(t *testing.T) {
	t.Parallel()
	l := &list{}
	body := `{"betCode":"kept1","status":1,"errorCode":1,"d":{"BetHeadDetail":{"Coef":1.95}}}`
	c := open(t, answers(bet.Answer{}, odd("kept1", body)), func(cfg *coupon.Config) { cfg.Reader = l })
	o := order(c.player("10.00"), "4.00", "2.00")
	o.RateMode = "accept"
	placed := c.place(o)
	if placed.Status != coupon.Unconfirmed || placed.BetCode != "" || strings.Contains(placed.ErrorMessage, "kept1") {
		t.Errorf("coupon = %s %q (%s), want unconfirmed, its code not shown", placed.Status, placed.BetCode, placed.ErrorMessage)
	}
	for range 3 {
		c.clock.forward(24 * time.Hour)
		together(8, func(int) { c.confirm(placed.ID) })
		c.is(placed.ID, coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00")
	}
	w := c.waiting()
	if len(w) != 1 || w[0].Coupon != placed.ID || w[0].BetCode != "kept1" || string(w[0].Body) != body || w[0].Asked < 3 ||
		w[0].Told != "BeT's list does not have it" || w[0].HTTPStatus != 200 {
		t.Errorf("waiting = %+v, want the coupon with BeT's answer", w)
	}
	l.has(standing("kept1", "7.80"))
	c.clock.forward(24 * time.Hour)
	if due := c.due(); len(due) != 1 || due[0] != placed.ID {
		t.Errorf("due = %v, want the coupon", due)
	}
	together(8, func(int) { c.confirm(placed.ID) })
	c.is(placed.ID, coupon.Accepted, "", "6.00")
	if got := c.read(placed.ID); got.BetCode != "kept1" || got.Coef.String() != "1.95" || got.PossibleWin.String() != "7.80" {
		t.Errorf("coupon = %q at %s, could win %s, want kept1 at 1.95, 7.80", got.BetCode, got.Coef, got.PossibleWin)
	}
	if len(c.waiting()) != 0 || len(c.due()) != 0 || len(c.accepted) != 1 {
		t.Errorf("waiting %v, due %v, told of codes %v", c.waiting(), c.due(), c.accepted)
	}
}

// BeT is asked at growing intervals, not at every sweep, and coupons with a code do not stand in
// the way of those whose grace is over.
func TestKeptCodesAreAskedAboutNowAndThen(t *testing.T) {
	t.Parallel()
	l := &list{err: errors.New("down")}
	answer := error(odd("kept1", "{"))
	c := open(t, func(context.Context, bet.Ticket) (bet.Answer, error) { return bet.Answer{}, answer }, func(cfg *coupon.Config) { cfg.Reader = l })
	p := c.player("10.00")
	kept := c.place(order(p, "4.00", "2.00")).ID
	answer = errLost
	lost := c.place(order(p, "1.00", "2.00")).ID
	for range 120 {
		for _, id := range c.due() {
			c.confirm(id)
		}
		c.clock.forward(30 * time.Second)
	}
	if got := l.asked.Load(); got < 4 || got > 8 {
		t.Errorf("BeT was asked %d times in an hour, want some", got)
	}
	if told := c.waiting()[0].Told; told != "could not be asked: down" {
		t.Errorf("told = %q", told)
	}
	c.is(kept, coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00")
	c.is(lost, coupon.Rejected, coupon.CodeExpired, "6.00")
}

// On which terms a coupon is accepted that BeT's list has.
func TestTermsOfAKeptAnswer(t *testing.T) {
	t.Parallel()
	const clear = `{"betCode":"k1","errorCode":1,"d":{"BetHeadDetail":{"Coef":1.85}}}`
	const comma = `{"betCode":"k1","errorCode":1,"d":{"BetHeadDetail":{"Coef":"1,85"}}}`
	for name, test := range map[string]struct {
		mode, body, win string
		status          int
		coef            string // "" where it waits
	}{
		"its own terms":                               {"accept", clear, "", 1, "1.85"},
		"its own terms, and the win agrees":           {"accept", clear, "1850", 1, "1.85"},
		"its own terms, and the win differs":          {"accept", clear, "2000", 1, ""},
		"an unreadable coefficient":                   {"accept", comma, "", 1, ""},
		"an unreadable coefficient under reject":      {"reject", comma, "", 1, ""},
		"an unreadable coefficient, asked for":        {"accept", comma, "2000", 1, "2.00"},
		"an unreadable coefficient, another":          {"reject", comma, "1850", 1, ""},
		"an unreadable answer":                        {"accept", `{"betCode":"k1","`, "", 1, ""},
		"an unreadable answer, asked for":             {"accept", `{"betCode":"k1","`, "2000", 1, "2.00"},
		"an unreadable answer, nothing may change":    {"reject", `{"betCode":"k1","`, "", 1, "2.00"},
		"an unreadable answer, but something changed": {"reject", `{"betCode":"k1","`, "1850", 1, ""},
		"an answer that says things twice":            {"accept", `{"betCode":"k1","betCode":"k1","d":{"BetHeadDetail":{"Coef":1.85}}}`, "", 1, ""},
		"won meanwhile":                               {"reject", clear, "1850", 2, "1.85"},
		"lost meanwhile":                              {"reject", clear, "", 4, "1.85"},
		"a status nobody knows":                       {"reject", clear, "1850", 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &list{}
			head := standing("k1", test.win)
			head.Status = test.status
			l.has(head)
			c := open(t, answers(bet.Answer{}, odd("k1", test.body)), func(cfg *coupon.Config) {
				cfg.Reader, cfg.Nominal = l, money.MustParse("1000")
			})
			o := order(c.player("10.00"), "4.00", "2.00")
			o.RateMode = test.mode
			id := c.place(o).ID
			c.confirm(id)
			if test.coef == "" {
				c.is(id, coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00")
				if told := c.waiting()[0].Told; !strings.HasPrefix(told, "BeT's list has it") {
					t.Errorf("told = %q", told)
				}
				return
			}
			c.is(id, coupon.Accepted, "", "6.00")
			if got := c.read(id); got.Coef.String() != test.coef || got.BetCode != "k1" {
				t.Errorf("accepted as %q at %s, want k1 at %s", got.BetCode, got.Coef, test.coef)
			}
		})
	}
}

// What BeT has on terms that cannot be read is unconfirmed, and its answer is kept.
func TestUnreadableTermsAreKept(t *testing.T) {
	t.Parallel()
	raw := []byte(`{"betCode":"u1","status":1,"d":{"BetHeadDetail":{"Coef":"1,85"}}}`)
	for name, answer := range map[string]bet.Answer{
		"the coupon's coefficient":   {Unread: []string{"Coef"}},
		"a selection's coefficient":  {Selections: []bet.AcceptedSelection{{LineID: "1000", Unread: []string{"Coef"}}}},
		"another coupon's selection": {Selections: []bet.AcceptedSelection{{LineID: "1", Coef: coef("3")}, {LineID: "2", Coef: coef("2")}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer.BetCode, answer.Raw = "u1", raw
			c := open(t, answers(answer, nil), func(cfg *coupon.Config) { cfg.Nominal = money.MustParse("1000") })
			id := c.place(order(c.player("10.00"), "4.00", "2.00")).ID
			c.is(id, coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00")
			c.clock.forward(time.Hour)
			c.confirm(id)
			c.is(id, coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00")
			if w := c.waiting(); len(w) != 1 || w[0].BetCode != "u1" || string(w[0].Body) != string(raw) {
				t.Errorf("waiting = %+v", w)
			}
		})
	}
}

// The code of another coupon is a contradiction like any other: nobody returns that stake.
func TestDuplicateCodeWaits(t *testing.T) {
	t.Parallel()
	l := &list{}
	l.has(standing("same", ""))
	c := open(t, answers(bet.Answer{BetCode: "same", Raw: []byte("{}")}, nil), func(cfg *coupon.Config) { cfg.Reader = l })
	p := c.player("10.00")
	c.place(order(p, "1.00", "2.00"))
	id := c.place(order(p, "4.00", "2.00")).ID
	for range 3 {
		c.clock.forward(24 * time.Hour)
		c.confirm(id)
		c.is(id, coupon.Unconfirmed, coupon.CodeDuplicate, "5.00")
	}
}

// The answer comes when the coupon counts as interrupted already: its code is kept all the same.
func TestLateOddAnswer(t *testing.T) {
	t.Parallel()
	for name, givenUp := range map[string]bool{"in time": false, "too late": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			takes, reached, goOn := slow(bet.Answer{}, odd("late", "{"))
			c := open(t, takes)
			id, done := c.placing(order(c.player("10.00"), "4.00", "2.00"), reached)
			c.clock.forward(3 * time.Minute)
			c.confirm(id)
			if givenUp {
				c.clock.forward(15 * time.Minute)
				c.confirm(id)
			}
			close(goOn)
			<-done
			c.clock.forward(time.Hour)
			c.confirm(id)
			if givenUp {
				c.is(id, coupon.Rejected, coupon.CodeExpired, "10.00")
				return
			}
			c.is(id, coupon.Unconfirmed, coupon.CodeInterrupted, "6.00")
			if w := c.waiting(); len(w) != 1 || w[0].BetCode != "late" {
				t.Errorf("waiting = %+v", w)
			}
		})
	}
}

// Two processes: in one the odd answer arrives, in the other the grace period ends. Either the
// stake went back before the code was known, or it stays.
func TestOddAnswerAgainstTheGrace(t *testing.T) {
	t.Parallel()
	url := testbed.Database(t)
	for range 10 {
		takes, reached, goOn := slow(bet.Answer{}, odd("race", "{"))
		here, there := openAt(t, url, takes), openAt(t, url, takesAll())
		id, done := here.placing(order(here.player("10.00"), "4.00", "2.00"), reached)
		there.clock.forward(3 * time.Minute)
		there.confirm(id)
		there.clock.forward(15 * time.Minute)
		here.clock.forward(18 * time.Minute)
		go close(goOn)
		there.confirm(id)
		<-done
		there.confirm(id)
		got, waiting := here.read(id), here.waiting()
		if kept := len(waiting) > 0 && waiting[len(waiting)-1].Coupon == id; kept == (got.Status == coupon.Rejected) {
			t.Errorf("coupon is %s, its code waits: %t", got.Status, kept)
		}
		if got.Status != coupon.Rejected { // for the next round's list
			if ok, err := here.desk.Adopt(t.Context(), id, id.String()); !ok || err != nil {
				t.Fatal(ok, err)
			}
			if _, err := here.db.Pool.Exec(t.Context(), `INSERT INTO activity_log (at, event, operator, coupon_id) VALUES (now(), 'coupon_adopted', 'anna', $1)`, id); err != nil {
				t.Fatal(err)
			}
		}
	}
	booktest.Clean(t, booktest.Open(t, url))
}

// An entry of BeT's list of selections is used once: by its id, else by a coefficient of its own.
func TestSelectionsAreMatched(t *testing.T) {
	t.Parallel()
	type told = bet.AcceptedSelection
	for name, test := range map[string]struct {
		told []told
		want string // teams and coefficients of 1000 at 1.50 and 1001 at 3.00, and the coupon's
	}{
		"other order, one under another id": {
			[]told{{LineID: "1001", Teams: "C - D", Coef: coef("3")}, {LineID: "999999", Teams: "A - B", Coef: coef("1.5")}},
			"A - B 1.50; C - D 3.00; 4.50",
		},
		"other ids, other order": {
			[]told{{LineID: "8", Teams: "C - D", Coef: coef("3")}, {LineID: "9", Teams: "A - B", Coef: coef("1.5")}},
			"A - B 1.50; C - D 3.00; 4.50",
		},
		"changed, by what it was before": {
			[]told{{LineID: "8", Teams: "C - D", Coef: coef("2.8"), CoefOrig: coef("3")}, {LineID: "9", Teams: "A - B", Coef: coef("1.6"), CoefOrig: coef("1.5")}},
			"A - B 1.60; C - D 2.80; 4.48",
		},
		"cannot be told apart: blank, the product stands": {
			[]told{{Teams: "?", Coef: coef("2.9")}, {Teams: "!", Coef: coef("1.6")}},
			" 1.50;  3.00; 4.64",
		},
		"an id with zeros": {
			[]told{{LineID: "01001", Teams: "C - D", Coef: coef("3.1")}},
			" 1.50; C - D 3.10; 4.65",
		},
		"one match twice": {
			[]told{{LineID: "1001", Teams: "C - D", Coef: coef("3")}, {LineID: "1001", Teams: "C - D", Coef: coef("3")}},
			"unconfirmed",
		},
		"one that is nobody's": {
			[]told{{LineID: "999999", Teams: "E - F", Coef: coef("2.2")}},
			"unconfirmed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, answers(bet.Answer{BetCode: "m1", Selections: test.told}, nil))
			id := c.place(order(c.player("20.00"), "10.00", "1.50", "3.00")).ID
			got := c.read(id)
			text := string(got.Status)
			if got.Status == coupon.Accepted {
				text = ""
				for _, s := range got.Selections {
					text += fmt.Sprintf("%s %s; ", s.Teams, s.Coef)
				}
				text += got.Coef.String()
			}
			if text != test.want {
				t.Errorf("selections = %s, want %s", text, test.want)
			}
		})
	}
}

// The audit sees a stake that went back although BeT's answer named a code, a coupon under another
// code, and one that nobody asks about.
func TestAuditSeesKeptCodes(t *testing.T) {
	t.Parallel()
	for name, corrupt := range map[string]string{
		"returned by itself": `INSERT INTO coupon_answers (coupon_id, bet_code, http_status, reason, body, body_size, at)
			SELECT id, 'x', 200, '', '', 0, placed_at - interval '1 hour' FROM coupons WHERE status = 'rejected'`,
		"another code": `INSERT INTO coupon_answers (coupon_id, bet_code, http_status, reason, body, body_size, at)
			SELECT id, 'x', 200, '', '', 0, placed_at FROM coupons WHERE status = 'accepted'`,
		"not asked about": `UPDATE coupon_answers SET ask_at = NULL`,
		"no coupon":       `UPDATE coupon_answers SET coupon_id = gen_random_uuid()`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := testbed.Database(t)
			answer, err := bet.Answer{BetCode: "a1"}, error(nil)
			c := openAt(t, url, func(context.Context, bet.Ticket) (bet.Answer, error) { return answer, err })
			p := c.player("10.00")
			c.place(order(p, "1.00", "2.00"))
			answer, err = bet.Answer{}, &bet.Rejection{Code: bet.CodeCoefChanged}
			c.place(order(p, "1.00", "2.00"))
			err = odd("k1", "{")
			c.place(order(p, "1.00", "2.00"))
			booktest.Clean(t, c.db)
			if _, err := c.db.Pool.Exec(t.Context(), corrupt); err != nil {
				t.Fatal(err)
			}
			seen := &recorder{TB: t}
			booktest.Clean(seen, c.db)
			if !seen.failed {
				t.Error("the audit is clean")
			}
		})
	}
}

// recorder is a test that only notes that it failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }

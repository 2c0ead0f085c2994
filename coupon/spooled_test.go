package coupon_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/internal/postgres"
	"evens/internal/spool"
	"evens/internal/testbed"
	"evens/internal/testbed/testlog"
	"evens/money"
	"evens/settlement/booktest"
)

// outage is a counter whose database refuses what BeT answers, from the moment that BeT is asked.
type outage struct {
	*counter
	refusal *testbed.Refusal
	dir     string
	log     *testlog.Buffer
}

func openInOutage(t *testing.T, code, message string, takes bookmaker, options ...func(*coupon.Config)) *outage {
	t.Helper()
	url := testbed.Database(t)
	o := &outage{refusal: testbed.Refusals(t, url, "coupons", "coupon_answers"), dir: filepath.Join(t.TempDir(), "spool"), log: &testlog.Buffer{}}
	o.counter = openAt(t, url, func(ctx context.Context, ticket bet.Ticket) (bet.Answer, error) {
		o.refusal.With(code, message)
		return takes(ctx, ticket)
	}, append([]func(*coupon.Config){func(cfg *coupon.Config) {
		cfg.Spool = o.spool()
		cfg.Log = slog.New(slog.NewTextHandler(o.log, nil))
	}}, options...)...)
	t.Cleanup(func() { booktest.Clean(t, o.db) })
	return o
}

func (o *outage) spool() *spool.Spool { return spool.New(o.dir, 0, slog.New(slog.DiscardHandler)) }

// files are the spool's, by name.
func (o *outage) files() map[string]string {
	o.t.Helper()
	found := make(map[string]string)
	entries, err := os.ReadDir(o.dir)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(o.dir, entry.Name()))
		if err != nil {
			o.t.Fatal(err)
		}
		found[entry.Name()] = string(text)
	}
	return found
}

// whole is an acceptance as BeT sends it.
func whole(t *testing.T, code string) bet.Answer {
	t.Helper()
	body := `{"betCode":"` + code + `","status":1,"errorCode":0,"d":{"BetHeadDetail":{"Coef":2.00,"Bet":4,"PosWin":8,"BetCode":"` + code + `"}}}`
	answer, ok := bet.ReadAnswer([]byte(body))
	if !ok {
		t.Fatal("the answer cannot be read")
	}
	return answer
}

// The database says no in any of its words while BeT thinks, and takes writes again a moment later: the acceptance is
// written down.
func TestAnswersAreTriedThroughEveryFaultOfTheServer(t *testing.T) {
	t.Parallel()
	for code, message := range testbed.ServersFaults() {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			o := openInOutage(t, code, message, answers(whole(t, "tried1"), nil))
			p := o.player("10.00")
			time.AfterFunc(700*time.Millisecond, o.refusal.End)
			placed := o.place(order(p, "4.00", "2.00"))
			if placed.Status != coupon.Accepted || placed.BetCode != "tried1" {
				t.Errorf("coupon = %s %q, want it accepted", placed.Status, placed.BetCode)
			}
			o.is(placed.ID, coupon.Accepted, "", "6.00")
			if _, err := os.Stat(o.dir); err == nil && len(o.files()) > 0 {
				t.Errorf("spooled: %v", o.files())
			}
		})
	}
}

// The tries end while the database still says no: the answer is a line in the spool, its code a line in the log, and
// the next start writes it down, once.
func TestAnswersOutliveTheirProcessInTheSpool(t *testing.T) {
	t.Parallel()
	rejection := &bet.Rejection{Code: bet.CodeCoefChanged, Message: "changed"}
	for name, test := range map[string]struct {
		answer bet.Answer
		err    error
		code   string // SQLSTATE
		status coupon.Status
		error  string
		cash   string
	}{
		"full, accepted":          {whole(t, "spool1"), nil, "53100", coupon.Accepted, "", "6.00"},
		"read-only, accepted":     {whole(t, "spool2"), nil, "25006", coupon.Accepted, "", "6.00"},
		"full, refused":           {bet.Answer{}, rejection, "53100", coupon.Rejected, bet.CodeCoefChanged, "10.00"},
		"broken, a code and more": {bet.Answer{}, odd("spool3", `{"betCode":"spool3","errorCode":1}`), "XX000", coupon.Unconfirmed, coupon.CodeUnconfirmed, "6.00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openInOutage(t, test.code, "no", answers(test.answer, test.err), func(cfg *coupon.Config) {
				cfg.RecordFor = 300 * time.Millisecond
			})
			p := o.player("10.00")
			if _, err := o.desk.Place(t.Context(), under("k", order(p, "4.00", "2.00"))); !postgres.Unavailable(err) {
				t.Errorf("Place() = %v, want it unavailable", err)
			}
			if n := strings.Count(o.log.String(), "level=ERROR"); n != 1 {
				t.Errorf("%d error lines, want one:\n%s", n, o.log)
			}
			if test.answer.BetCode != "" && !strings.Contains(o.log.String(), "bet_code="+test.answer.BetCode) {
				t.Errorf("the code is not in the log:\n%s", o.log)
			}
			if n, err := o.desk.TakeSpooled(t.Context(), true); n != 0 || !postgres.Unavailable(err) {
				t.Errorf("TakeSpooled() = %d, %v while the database says no", n, err)
			}
			o.refusal.End()
			before := o.files()
			if len(before) != 1 {
				t.Fatalf("spool = %v, want one file", before)
			}
			next := openAt(t, o.db.Pool.Config().ConnString(), takesAll(), func(cfg *coupon.Config) { cfg.Spool = o.spool() })
			for name, text := range before {
				for range 2 { // as after a crash between writing down and removing
					if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
					if n, err := next.desk.TakeSpooled(t.Context(), true); n != 1 || err != nil {
						t.Errorf("TakeSpooled() = %d, %v, want 1", n, err)
					}
				}
			}
			placed, err := next.desk.Place(t.Context(), under("k", order(p, "4.00", "2.00")))
			if err != nil || placed.Status != test.status {
				t.Errorf("the same order again: %s, %v, want it %s", placed.Status, err, test.status)
			}
			o.is(placed.ID, test.status, test.error, test.cash)
			if placed.BetCode != test.answer.BetCode {
				t.Errorf("bet code %q, want %q", placed.BetCode, test.answer.BetCode)
			}
			if test.status == coupon.Unconfirmed && (len(o.waiting()) != 1 || o.waiting()[0].BetCode != "spool3") {
				t.Errorf("waiting = %+v, want BeT's code", o.waiting())
			}
			if left := o.files(); len(left) != 0 {
				t.Errorf("left in the spool: %v", left)
			}
		})
	}
}

// The sweep writes down what is in the spool before it gives any coupon up, however long the database was away.
func TestTheSweepKnowsTheSpoolFirst(t *testing.T) {
	t.Parallel()
	o := openInOutage(t, "53100", "full", answers(whole(t, "sweep1"), nil), func(cfg *coupon.Config) { cfg.RecordFor = 100 * time.Millisecond })
	p := o.player("10.00")
	if _, err := o.desk.Place(t.Context(), under("k", order(p, "4.00", "2.00"))); err == nil {
		t.Fatal("it was placed")
	}
	o.clock.forward(24 * time.Hour)
	if due, err := o.desk.Due(t.Context(), 10); len(due) > 0 || !postgres.Unavailable(err) {
		t.Errorf("Due() = %v, %v while BeT's word waits", due, err)
	}
	o.refusal.End()
	if due := o.due(); len(due) != 0 {
		t.Errorf("due = %v, want none", due)
	}
	placed, err := o.desk.Place(t.Context(), under("k", order(p, "4.00", "2.00")))
	if err != nil {
		t.Fatal(err)
	}
	o.is(placed.ID, coupon.Accepted, "", "6.00")
}

// BeT's word comes from the spool when the coupon was given up long ago: it is kept for a person, as any late answer.
func TestASpooledAnswerThatComesTooLateIsKept(t *testing.T) {
	t.Parallel()
	o := openInOutage(t, "53100", "full", answers(whole(t, "late1"), nil), func(cfg *coupon.Config) { cfg.RecordFor = 100 * time.Millisecond })
	p := o.player("10.00")
	if _, err := o.desk.Place(t.Context(), under("k", order(p, "4.00", "2.00"))); err == nil {
		t.Fatal("it was placed")
	}
	o.refusal.End()
	elsewhere := openAt(t, o.db.Pool.Config().ConnString(), takesAll()) // a machine without that spool
	elsewhere.clock.forward(24 * time.Hour)
	for _, id := range elsewhere.due() {
		elsewhere.confirm(id)
	}
	o.clock.forward(25 * time.Hour)
	if n, err := o.desk.TakeSpooled(t.Context(), false); n != 1 || err != nil {
		t.Fatalf("TakeSpooled() = %d, %v", n, err)
	}
	placed, err := elsewhere.desk.Place(t.Context(), under("k", order(p, "4.00", "2.00")))
	if err != nil {
		t.Fatal(err)
	}
	o.is(placed.ID, coupon.Rejected, coupon.CodeExpired, "10.00")
	if !strings.Contains(o.log.String(), "the bookmaker has a coupon that was given up here") || !strings.Contains(o.log.String(), "late1") {
		t.Errorf("nobody is told:\n%s", o.log)
	}
	var kept string
	if err := o.db.Pool.QueryRow(t.Context(), `SELECT bet_code FROM coupon_answers`).Scan(&kept); err != nil || kept != "late1" {
		t.Errorf("kept code = %q, %v", kept, err)
	}
}

// What BeT writes back of our secrets is not in the spool.
func TestTheSpoolShowsNoSecrets(t *testing.T) {
	t.Parallel()
	answer := whole(t, "secret1")
	answer.Raw = []byte(`{"betCode":"secret1","remote_host":"https:\/\/us.example\/path\/of-secrets","password":"hunter22"}`)
	o := openInOutage(t, "53100", "full", answers(answer, nil), func(cfg *coupon.Config) {
		cfg.RecordFor = 100 * time.Millisecond
		cfg.Secrets = []string{"hunter22", "path/of-secrets", ""}
	})
	if _, err := o.desk.Place(t.Context(), order(o.player("10.00"), "4.00", "2.00")); err == nil {
		t.Fatal("it was placed")
	}
	for name, text := range o.files() {
		if strings.Contains(text, "hunter22") || strings.Contains(text, "of-secrets") || !strings.Contains(text, "********") ||
			!strings.Contains(text, `"bet_code":"secret1"`) {
			t.Errorf("%s = %s", name, text)
		}
	}
	o.refusal.End()
}

// A desk that stops takes no coupon any more; what is under way is finished, or spooled when the time for it is over.
func TestADeskStops(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*coupon.Desk){
		"in time": func(d *coupon.Desk) { d.Stop(300 * time.Millisecond) },
		"forced":  func(d *coupon.Desk) { d.Stop(time.Hour); d.Force() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, thought := make(chan struct{}), make(chan struct{})
			o := openInOutage(t, "25006", "read-only", func(context.Context, bet.Ticket) (bet.Answer, error) {
				close(asked)
				<-thought
				return whole(t, "stop1"), nil
			})
			p := o.player("10.00")
			ended := make(chan error, 1)
			go func() {
				_, err := o.desk.Place(t.Context(), order(p, "4.00", "2.00"))
				ended <- err
			}()
			<-asked
			stop(o.desk)
			if _, err := o.desk.Place(t.Context(), order(p, "1.00", "2.00")); !postgres.Unavailable(err) {
				t.Errorf("a placement at a desk that stops: %v, want it unavailable", err)
			}
			o.has(p, "6.00")
			close(thought)
			o.desk.Wait()
			if err := <-ended; !postgres.Unavailable(err) {
				t.Errorf("the placement under way: %v", err)
			}
			o.refusal.End()
			if n, err := o.desk.TakeSpooled(t.Context(), true); n != 1 || err != nil {
				t.Errorf("TakeSpooled() = %d, %v, want the answer", n, err)
			}
			o.has(p, "6.00")
		})
	}
}

// A line as this release writes it is read by those to come: the file may outlive the program.
func TestASpooledLineIsReadByLaterReleases(t *testing.T) {
	t.Parallel()
	c := open(t, answers(bet.Answer{}, errLost), func(cfg *coupon.Config) {
		cfg.Spool = spool.New(filepath.Join(t.TempDir(), "spool"), 0, slog.New(slog.DiscardHandler))
	})
	p := c.player("10.00")
	placed := c.place(order(p, "4.00", "2.00"))
	line := `{"version":1,"at":"2026-06-01T18:00:00Z","coupon_id":"` + placed.ID.String() + `","player_id":"` + p.String() + `","status":"accepted",` +
		`"bet_code":"old1","answer":{"BetCode":"old1","BetID":"7","Coef":1950000,"CoefOrig":0,"Stake":40000,"PossibleWin":78000,` +
		`"BetDate":"2026-06-01T18:00:00Z","LiveType":"","Live":true,"Events":1,"Selections":[{"LineID":"1000","Tournament":"Cup","Teams":"A - B",` +
		`"BetName":"Over","Outcome":"","Coef":1950000,"CoefOrig":0,"Unread":null,"SportID":1,"Live":true,"EventDate":"2026-06-02T12:00:00Z"}],` +
		`"Unread":null,"Raw":null},"raw":"{}"}`
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old.jsonl"), []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	later := openAt(t, c.db.Pool.Config().ConnString(), takesAll(), func(cfg *coupon.Config) {
		cfg.Spool = spool.New(dir, 0, slog.New(slog.DiscardHandler))
	})
	if n, err := later.desk.TakeSpooled(t.Context(), true); n != 1 || err != nil {
		t.Fatalf("TakeSpooled() = %d, %v", n, err)
	}
	got := c.read(placed.ID)
	if got.Status != coupon.Accepted || got.BetCode != "old1" || got.Coef.String() != "1.95" || got.PossibleWin != money.MustParse("7.80") ||
		got.Selections[0].Teams != "A - B" {
		t.Errorf("coupon = %+v", got)
	}
}

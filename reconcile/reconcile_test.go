package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/casino"
	"evens/casino/casinotest"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/reconcile"
	"evens/reconcile/breaks"
)

func TestMain(m *testing.M) { testbed.Main(m) }

const provider = "betao"

// office is a hall whose books are held against a list.
type office struct {
	*casinotest.Hall
	*neighbour
	t      *testing.T
	who    player.Identity
	config reconcile.Config
	*reconcile.Reconciler
}

func open(t *testing.T, sources map[string]reconcile.Source) office {
	t.Helper()
	h := casinotest.Open(t, testbed.Database(t))
	o := office{Hall: h, t: t, neighbour: openNeighbour(t, h), who: h.Player(t, "ana", money.MustParse("10000"))}
	o.config = reconcile.Config{
		DB: h.DB, Poster: h.Poster, Players: player.NewDirectory(h.DB), Floor: h.Floor, Sources: sources, Platforms: platforms, Now: h.Now, Log: slog.New(slog.DiscardHandler),
	}
	o.Reconciler = reconcile.New(o.config)
	t.Cleanup(o.clean)
	return o
}

// clean fails the test where a statement or a break contradicts itself or the ledger.
func (o office) clean() {
	for _, violation := range o.violations() {
		o.t.Error(violation)
	}
}

// violations lists what the audit's rules about lists and breaks find.
func (o office) violations() (found []string) {
	o.t.Helper()
	err := postgres.InTx(context.WithoutCancel(o.t.Context()), o.DB.Pool, func(ctx context.Context, tx pgx.Tx) error {
		report, err := ledger.Begin(ctx, tx, o.Now())
		if err != nil {
			return err
		}
		for _, check := range breaks.Checks {
			if err := report.Add(ctx, tx, check); err != nil {
				return err
			}
		}
		for _, check := range report.Checks {
			for _, v := range check.Violations {
				found = append(found, fmt.Sprintf("%s: %s: %s", check.Name, v.Subject, v.Detail))
			}
		}
		return nil
	})
	fatal(o.t, err)
	return found
}

func (o office) call(id string) casino.Call {
	return casino.Call{Provider: provider, ID: id, Player: o.who, Round: casino.Round{ID: "r-" + id}, At: o.Now()}
}

func (o office) bet(id, stake string) {
	o.t.Helper()
	if _, err := o.Floor.Bet(o.t.Context(), casino.Bet{Call: o.call(id), Stake: money.MustParse(stake)}); err != nil {
		o.t.Fatal(err)
	}
}

func (o office) win(id, amount string) {
	o.t.Helper()
	if _, err := o.Floor.Win(o.t.Context(), casino.Win{Call: o.call(id), Amount: money.MustParse(amount)}); err != nil {
		o.t.Fatal(err)
	}
}

func (o office) rollback(id string) {
	o.t.Helper()
	if _, err := o.Floor.Rollback(o.t.Context(), casino.Rollback{Call: o.call(id)}); err != nil {
		o.t.Fatal(err)
	}
}

const header = "transaction_id,type,player_id,amount,currency,status,at,round_id\n"

func (o office) line(id, kind, amount, status string) string {
	return fmt.Sprintf("%s,%s,ana,%s,USD,%s,%s,r-%s\n", id, kind, amount, status, o.Now().Format(time.RFC3339Nano), id)
}

func (o office) run(csv string, change func(*reconcile.Request)) *reconcile.Report {
	o.t.Helper()
	q := reconcile.Request{Provider: provider, File: strings.NewReader(csv), From: o.Now().Add(-time.Hour), To: o.Now().Add(time.Hour)}
	if change != nil {
		change(&q)
	}
	report, err := o.Run(o.t.Context(), q)
	if err != nil {
		o.t.Fatal(err)
	}
	return report
}

// found is the breaks of a report as "kind id state action".
func found(report *reconcile.Report) map[string]string {
	breaks := map[string]string{}
	for _, b := range report.Breaks {
		breaks[string(b.Kind)+" "+b.TransactionID] = string(b.State) + " " + string(b.Action)
	}
	return breaks
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: %q, want %q", key, got[key], value)
		}
	}
	for key, value := range got {
		if want[key] == "" {
			t.Errorf("invented: %s: %s", key, value)
		}
	}
}

// One difference of every kind: found, healed where that gives a player his own, and gone in the
// second run.
func TestEveryKind(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	for i := range 20 {
		o.bet(fmt.Sprint("even", i), "1")
	}
	o.bet("never-there", "5")
	o.win("win-never-there", "7")
	o.bet("failed-there", "6")
	o.bet("undone-there", "8")
	o.bet("undone-here", "9")
	o.rollback("undone-here")
	o.bet("undone-both", "3")
	o.rollback("undone-both")
	o.bet("amount", "10")
	o.bet("currency", "11")
	o.bet("player", "12")
	o.bet("twice", "13")
	o.bet("refused", "1")
	var csv strings.Builder
	csv.WriteString(header)
	for i := range 20 {
		csv.WriteString(o.line(fmt.Sprint("even", i), "debit", "1.00", "ok"))
	}
	for _, line := range []string{
		o.line("failed-there", "debit", "6", "failed"),
		o.line("undone-there", "debit", "8", "ok"), o.line("undone-there", "rollback", "8", "ok"),
		o.line("undone-here", "debit", "9", "ok"),
		o.line("undone-both", "debit", "3", "ok"), o.line("undone-both", "rollback", "3", "ok"),
		o.line("amount", "debit", "10.01", "ok"),
		strings.Replace(o.line("currency", "debit", "11", "ok"), "USD", "EUR", 1),
		strings.Replace(o.line("player", "debit", "12", "ok"), ",ana,", ",bob,", 1),
		o.line("twice", "debit", "13", "ok"), o.line("twice", "debit", "13", "ok"),
		o.line("refused", "debit", "1", "ok"),
		o.line("credit-never-here", "credit", "20.5", "ok"),
		o.line("debit-never-here", "debit", "4", "ok"),
		o.line("failed-never-here", "debit", "4", "failed"),
	} {
		csv.WriteString(line)
	}
	before := o.Cash(t, o.who)
	want := map[string]string{
		"missing_there never-there":      "open person",
		"missing_there win-never-there":  "open person",
		"status failed-there":            "resolved rollback",
		"status undone-there":            "resolved rollback",
		"status undone-here":             "open person",
		"amount amount":                  "open person",
		"currency currency":              "open person",
		"player player":                  "open person",
		"duplicate twice":                "open person",
		"missing_here credit-never-here": "resolved post",
		"missing_here debit-never-here":  "open person",
	}
	tried := o.run(csv.String(), func(q *reconcile.Request) { q.DryRun = true })
	dry := map[string]string{}
	for key, value := range want {
		dry[key] = "open " + strings.Fields(value)[1]
	}
	same(t, found(tried), dry)
	if cash := o.Cash(t, o.who); cash != before || tried.Lines != 35 {
		t.Errorf("a dry run of %d lines left %s, want %s", tried.Lines, cash, before)
	}
	report := o.run(csv.String(), nil)
	same(t, found(report), want)
	if report.Even() || report.Ours != 31 || report.Matched != 22 {
		t.Errorf("report = %+v", report)
	}
	after := before + money.MustParse("6") + money.MustParse("8") + money.MustParse("20.5")
	if cash := o.Cash(t, o.who); cash != after {
		t.Errorf("cash = %s, want %s", cash, after)
	}
	// The second run sees the same list: what was healed agrees, nothing is healed twice.
	again := o.run(csv.String(), nil)
	for key, value := range want {
		if strings.HasPrefix(value, "resolved") {
			delete(want, key)
		}
	}
	same(t, found(again), want)
	if cash := o.Cash(t, o.who); cash != after {
		t.Errorf("cash after the second run = %s, want %s", cash, after)
	}
	// The credit that comes late after all is a repeat.
	outcome, err := o.Floor.Win(t.Context(), casino.Win{Call: o.call("credit-never-here"), Amount: money.MustParse("20.5")})
	if err != nil || !outcome.Repeat {
		t.Errorf("the late credit: %+v, %v", outcome, err)
	}
	var comment string
	err = o.DB.Pool.QueryRow(t.Context(), `SELECT x.comment FROM transactions x JOIN breaks b ON b.healed_by = x.id WHERE b.transaction_id = 'failed-there'`).Scan(&comment)
	if err != nil || !strings.HasPrefix(comment, "break ") {
		t.Errorf("the healing points to %q, %v", comment, err)
	}
}

// A break lives: opened, agreed, seen again, ended by a person.
func TestABreaksLife(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.win("w", "5")
	empty := header + o.line("x", "debit", "1", "failed")
	report := o.run(empty, nil)
	same(t, found(report), map[string]string{"missing_there w": "open person"})
	id := *report.Breaks[0].ID
	if report := o.run(header+o.line("w", "credit", "5", "ok"), nil); report.Closed != 1 || !report.Even() {
		t.Errorf("an agreeing run: %+v", report)
	}
	o.run(empty, nil)
	b, _, err := o.Break(t.Context(), id)
	if err != nil || b.State != reconcile.StateOpen {
		t.Fatalf("break = %+v, %v", b, err)
	}
	if err := o.End(t.Context(), id, reconcile.StateIgnored, "", "why"); !errors.Is(err, reconcile.ErrComment) {
		t.Errorf("without a name: %v", err)
	}
	if err := o.End(t.Context(), id, reconcile.StateIgnored, "eva", ""); !errors.Is(err, reconcile.ErrComment) {
		t.Errorf("without a reason: %v", err)
	}
	if err := o.End(t.Context(), uuid.New(), reconcile.StateIgnored, "eva", "why"); !errors.Is(err, reconcile.ErrNoBreak) {
		t.Errorf("an unknown break: %v", err)
	}
	if err := o.End(t.Context(), id, reconcile.StateIgnored, "eva", "a gift of theirs"); err != nil {
		t.Fatal(err)
	}
	if err := o.End(t.Context(), id, reconcile.StateResolved, "eva", "again"); !errors.Is(err, reconcile.ErrEnded) {
		t.Errorf("twice: %v", err)
	}
	if report := o.run(empty, nil); !report.Even() {
		t.Errorf("an ignored break is open: %+v", report.Breaks)
	}
	b, events, err := o.Break(t.Context(), id)
	var steps []string
	for _, event := range events {
		steps = append(steps, event.Event)
	}
	if err != nil || b.State != reconcile.StateIgnored || b.Owner != "eva" || strings.Join(steps, " ") != "opened agreed opened ignored" {
		t.Errorf("break = %+v, %v, %v", b, steps, err)
	}
	if list, err := o.Breaks(t.Context(), reconcile.Filter{States: []reconcile.State{reconcile.StateIgnored}}); err != nil || len(list) != 1 {
		t.Errorf("list = %+v, %v", list, err)
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	policy, err := reconcile.ReadPolicy(strings.NewReader("heal_limit: \"6\"\nrules:\n  - kind: status\n    action: person\n  - provider: tg\n    action: person\n"), reconcile.Providers(platforms))
	if err != nil {
		t.Fatal(err)
	}
	o.config.Policy = policy
	o.Reconciler = reconcile.New(o.config)
	o.bet("small", "6")
	o.bet("large", "6.01")
	o.bet("failed", "1")
	same(t, found(o.run(header+o.line("failed", "debit", "1", "failed"), nil)), map[string]string{
		"missing_there small": "open person", "missing_there large": "open person", "status failed": "open person",
	})
	o.bet("failed-large", "6.01")
	policy, err = reconcile.ReadPolicy(strings.NewReader("heal_limit: \"6\"\ndelay: 1m\ndelays: {betao: 2m}"), reconcile.Providers(platforms))
	fatal(t, err)
	o.config.Policy = policy
	o.Reconciler = reconcile.New(o.config)
	whole := func(q *reconcile.Request) { q.Complete = true }
	list := header + o.line("failed-large", "debit", "6.01", "failed") + o.line("failed", "debit", "1", "failed")
	same(t, found(o.run(list, whole)), map[string]string{
		"missing_there small": "open wait", "missing_there large": "open person", "status failed": "resolved rollback", "status failed-large": "open person",
	})
	o.SetClock(o.Now().Add(119 * time.Second))
	o.run(list, whole)
	o.SetClock(o.Now().Add(time.Second))
	same(t, found(o.run(list, whole)), map[string]string{
		"missing_there small": "resolved rollback", "missing_there large": "open person", "status failed-large": "open person",
	})
	for _, text := range []string{"heal_limit: x", "rules: [{kind: odd, action: heal}]", "rules: [{kind: status, action: pray}]", "delay: -1s", "delay: soon", "delays: {tg: 0s}", "other: 1", "[]",
		"delays: {tgg: 1m}", "rules: [{provider: betron_tech, action: heal}]", "rules: [{provider: TG, action: person}]", "heal_limit: {USD: x}", "heal_limit: -1"} {
		if _, err := reconcile.ReadPolicy(strings.NewReader(text), reconcile.Providers(platforms)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// Bad files name the line and leave nothing behind.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("b", "1")
	good := o.line("b", "debit", "1", "ok")
	for name, test := range map[string]struct{ file, want string }{
		"empty":             {"", "line 1: the file is empty"},
		"no columns":        {"a,b,c\n", `line 1: there is no column "transaction_id"`},
		"a bad number":      {header + good + strings.Replace(good, ",1,", ",1.2.3,", 1), "line 3: amount"},
		"below zero":        {header + strings.Replace(good, ",1,", ",-1,", 1), "line 2: amount: is below zero"},
		"five decimals":     {header + strings.Replace(good, ",1,", ",1.00001,", 1), "line 2: amount"},
		"another currency":  {header + strings.Replace(good, "USD", "Bitcoin", 1), "line 2: currency"},
		"an unknown type":   {header + strings.Replace(good, "debit", "dance", 1), `line 2: type: "dance"`},
		"an unknown status": {header + strings.Replace(good, ",ok,", ",perhaps,", 1), `line 2: status: "perhaps"`},
		"a bad time":        {header + "b,debit,ana,1,USD,ok,yesterday,r\n", "line 2: at"},
		"no id":             {header + strings.Replace(good, "b,", ",", 1), "line 2: transaction_id: is empty"},
		"cut off":           {header + good + good[:20], "line 3"},
		"an open quote":     {header + good + `"b,debit` + "\n" + strings.Repeat("x,y\n", 50), "line 3"},
		"too many columns":  {header + strings.TrimSpace(good) + ",more\n", "line 2: 9 columns"},
		"a coupon's status": {header + strings.Replace(good, ",ok,", ",won,", 1), "line 2: status"},
		"not UTF-8":         {header + strings.Replace(good, "ana", "an\xff", 1), "line 2: column 3: bytes"},
		"one endless line":  {header + strings.Repeat("x", 1<<20), "line"},
	} {
		_, err := o.Run(t.Context(), reconcile.Request{Provider: provider, File: strings.NewReader(test.file)})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	var left int
	if err := o.DB.Pool.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM statements WHERE provider <> $1) + (SELECT count(*) FROM breaks WHERE provider <> $1)
		     + (SELECT count(*) FROM statement_lines WHERE statement_id NOT IN (SELECT id FROM statements WHERE provider = $1))`,
		elsewhere).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
	if report := o.run("\ufeff"+header+good, nil); !report.Even() || report.Matched != 1 {
		t.Errorf("a byte order mark: %+v", report)
	}
}

func TestMapping(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("b1", "12.50")
	mapping, err := reconcile.ReadMapping(strings.NewReader(`
columns: {transaction_id: Ref, type: Kind, player_id: Customer, amount: Sum, at: When}
types: {Einsatz: debit}
status: ok
currency: USD
time: "02.01.2006 15:04:05"
zone: Europe/Berlin
separator: ";"
decimal: ","
`))
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	file := "Ref;Kind;Customer;Sum;When\nb1;Einsatz;ana;12,50;" + o.Now().In(berlin).Format("02.01.2006 15:04:05") + "\n"
	if report := o.run(file, func(q *reconcile.Request) { q.Mapping = mapping }); !report.Even() || report.Matched != 1 {
		t.Errorf("report = %+v", report)
	}
	for _, text := range []string{"columns: {x: y}", "nonsense: 1", "separator: ';;'", "zone: Atlantis"} {
		if _, err := reconcile.ReadMapping(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// list is a provider's list that a test serves, with whatever goes wrong.
type list struct {
	pages []reconcile.Page
	fails map[int]int // page: how often before it answers
	asked []string
	stop  int // the page after which the run is killed
	kill  context.CancelFunc
}

// ByRound implements reconcile.Source.
func (*list) ByRound() bool { return false }

// Page implements reconcile.Source.
func (l *list) Page(_ context.Context, _, _ time.Time, cursor string) (reconcile.Page, error) {
	l.asked = append(l.asked, cursor)
	n := 0
	if cursor != "" {
		if _, err := fmt.Sscan(cursor, &n); err != nil {
			return reconcile.Page{}, err
		}
	}
	if l.fails[n] > 0 {
		l.fails[n]--
		return reconcile.Page{}, errors.New("502")
	}
	page := l.pages[n]
	page.Raw = []byte("raw")
	if n+1 < len(l.pages) {
		page.Next = fmt.Sprint(n + 1)
	}
	if l.kill != nil && n == l.stop {
		l.kill()
	}
	return page, nil
}

func (o office) lines(from, to int) []reconcile.Line {
	var lines []reconcile.Line
	for i := from; i < to; i++ {
		lines = append(lines, reconcile.Line{
			TransactionID: fmt.Sprint("b", i), Type: reconcile.Debit, Player: "ana", Amount: money.MustParse("1"), Currency: "USD", Status: reconcile.OK, At: o.Now(), Round: fmt.Sprint("r-b", i),
		})
	}
	return lines
}

func (o office) past(n int) {
	o.t.Helper()
	for i := range n {
		o.bet(fmt.Sprint("b", i), "1")
	}
}

func (o office) watermark() (at time.Time) {
	o.t.Helper()
	_ = o.DB.Pool.QueryRow(o.t.Context(), `SELECT until FROM watermarks WHERE provider = $1`, provider).Scan(&at) // none: zero
	return at
}

// Errors, a page twice, pages in another order: no false break. A list that ends too early: nothing
// is believed, and the watermark stays.
func TestListsThatMisbehave(t *testing.T) {
	t.Parallel()
	l := &list{fails: map[int]int{1: 2}}
	o := open(t, map[string]reconcile.Source{provider: l})
	o.past(100)
	window := func(q *reconcile.Request) { q.File = nil }
	l.pages = []reconcile.Page{{Lines: o.lines(50, 100)}, {Lines: o.lines(0, 50)}, {Lines: o.lines(50, 100)}}
	if report := o.run("", window); !report.Even() || len(report.Breaks) != 0 || report.Lines != 150 {
		t.Errorf("report = %+v", report)
	}
	mark := o.watermark()
	if mark.IsZero() {
		t.Error("no watermark after a whole run")
	}
	l.pages = []reconcile.Page{{Lines: o.lines(0, 40)}}
	if _, err := o.Run(t.Context(), reconcile.Request{Provider: provider, From: o.Now().Add(-time.Hour), To: o.Now().Add(2 * time.Hour)}); !errors.Is(err, reconcile.ErrCut) {
		t.Errorf("a list cut off: %v", err)
	}
	if !o.watermark().Equal(mark) {
		t.Error("the watermark moved")
	}
	l.fails[0] = 100
	if _, err := o.Run(t.Context(), reconcile.Request{Provider: provider, From: o.Now().Add(-time.Hour), To: o.Now().Add(2 * time.Hour)}); err == nil || !strings.Contains(err.Error(), "502") {
		t.Errorf("a list that is not there: %v", err)
	}
	if list, err := o.Breaks(t.Context(), reconcile.Filter{Provider: provider}); err != nil || len(list) != 0 {
		t.Errorf("breaks were made up: %+v, %v", list, err)
	}
	if _, err := o.Run(t.Context(), reconcile.Request{Provider: "betron"}); !errors.Is(err, reconcile.ErrNoSource) {
		t.Errorf("a provider without a list: %v", err)
	}
}

// A run that was killed goes on at the page where it stopped.
func TestResume(t *testing.T) {
	t.Parallel()
	l := &list{stop: 1}
	o := open(t, map[string]reconcile.Source{provider: l})
	o.past(90)
	o.SetClock(time.Now().UTC().Add(reconcile.Lag + reconcile.Skew + time.Minute))
	l.pages = []reconcile.Page{{Lines: o.lines(0, 30)}, {Lines: o.lines(30, 60)}, {Lines: o.lines(60, 90)}}
	for i := range l.pages {
		for j := range l.pages[i].Lines {
			l.pages[i].Lines[j].At = time.Now().UTC()
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	l.kill = cancel
	if _, err := o.Run(ctx, reconcile.Request{Provider: provider}); err == nil {
		t.Fatal("a killed run went well")
	}
	l.kill, l.asked = nil, nil
	report, err := o.Run(t.Context(), reconcile.Request{Provider: provider})
	if err != nil || len(report.Breaks) != 0 || report.Lines != 90 {
		t.Fatalf("report = %+v, %v", report, err)
	}
	if l.asked[0] == "" {
		t.Errorf("it began anew: %v", l.asked)
	}
}

func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	conn, err := o.DB.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock(hashtext('reconcile'), hashtext($1))`, provider); err != nil {
		t.Fatal(err)
	}
	_, err = o.Run(t.Context(), reconcile.Request{Provider: provider, File: strings.NewReader(header)})
	if !errors.Is(err, reconcile.ErrBusy) {
		t.Errorf("a second run: %v", err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_unlock_all()`); err != nil {
		t.Fatal(err)
	}
}

// Differences planted at random among many: all are found, none is invented, each is healed once
// though the run is killed at random and repeated.
func TestPlanted(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	random := rand.New(rand.NewPCG(1, 2))
	const n = 1500
	want := map[string]bool{}
	var csv strings.Builder
	csv.WriteString(header)
	healed := money.Amount(0)
	for i := range n {
		id := fmt.Sprint("b", i)
		switch random.IntN(30) {
		case 0: // never there
			o.bet(id, "1")
			want["missing_there "+id] = true
		case 1: // a credit never here
			csv.WriteString(o.line(id, "credit", "2", "ok"))
			want["missing_here "+id] = true
			healed += money.MustParse("2")
		case 2:
			o.bet(id, "1")
			csv.WriteString(o.line(id, "debit", "1.5", "ok"))
			want["amount "+id] = true
		case 3:
			o.bet(id, "3")
			csv.WriteString(o.line(id, "debit", "3", "failed"))
			want["status "+id] = true
			healed += money.MustParse("3")
		default:
			o.bet(id, "1")
			csv.WriteString(o.line(id, "debit", "1", "ok"))
		}
	}
	before := o.Cash(t, o.who)
	seen := map[string]bool{}
	for try := 0; ; try++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(400*(try+1)))*time.Millisecond)
		report, err := o.Run(ctx, reconcile.Request{Provider: provider, File: strings.NewReader(csv.String()), From: o.Now().Add(-time.Hour), To: o.Now().Add(time.Hour)})
		cancel()
		if err == nil {
			break
		}
		if try > 50 {
			t.Fatalf("never done: %v", err)
		}
		_ = report
	}
	list, err := o.Breaks(t.Context(), reconcile.Filter{Provider: provider, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		seen[string(b.Kind)+" "+b.TransactionID] = true
	}
	for key := range want {
		if !seen[key] {
			t.Errorf("not found: %s", key)
		}
	}
	for key := range seen {
		if !want[key] {
			t.Errorf("invented: %s", key)
		}
	}
	if cash := o.Cash(t, o.who); cash != before+healed {
		t.Errorf("cash = %s, want %s", cash, before+healed)
	}
	if report := o.run(csv.String(), nil); func() bool {
		for _, b := range report.Breaks {
			if b.State != reconcile.StateOpen || b.Kind != reconcile.AmountDiffers && b.Kind != reconcile.MissingThere {
				return true
			}
		}
		return false
	}() {
		t.Errorf("the second run has %d breaks", len(report.Breaks))
	}
}

// Clocks that are minutes apart make no difference at a window's edges.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	l := &list{}
	o := open(t, map[string]reconcile.Source{provider: l})
	o.past(20)
	now := o.Now()
	for _, skew := range []time.Duration{-4 * time.Minute, 4 * time.Minute} {
		lines := o.lines(0, 20)
		for i := range lines {
			lines[i].At = now.Add(skew)
		}
		l.pages = []reconcile.Page{{Lines: lines}}
		for _, window := range [][2]time.Time{{now.Add(-time.Hour), now.Add(time.Second)}, {now.Add(-time.Second), now.Add(time.Hour)}, {now.Add(-time.Hour), now.Add(-time.Minute)}} {
			report, err := o.Run(t.Context(), reconcile.Request{Provider: provider, From: window[0], To: window[1]})
			if err != nil || len(report.Breaks) != 0 {
				t.Errorf("clocks %s apart, window %s: %+v, %v", skew, window, report, err)
			}
		}
	}
}

// A list that lacks its end, however little that is, is not believed.
func TestAListWithoutItsEnd(t *testing.T) {
	t.Parallel()
	l := &list{}
	o := open(t, map[string]reconcile.Source{provider: l})
	o.past(50)
	lines := o.lines(0, 48)
	for i := range lines {
		lines[i].At = o.Now().Add(-time.Second) // before the two that are missing
	}
	l.pages = []reconcile.Page{{Lines: lines}}
	before := o.Cash(t, o.who)
	_, err := o.Run(t.Context(), reconcile.Request{Provider: provider, From: o.Now().Add(-time.Hour), To: o.Now().Add(time.Hour)})
	if !errors.Is(err, reconcile.ErrCut) || o.Cash(t, o.who) != before {
		t.Errorf("two missing at the end: %v, cash %s of %s", err, o.Cash(t, o.who), before)
	}
	l.pages = []reconcile.Page{{}}
	if _, err := o.Run(t.Context(), reconcile.Request{Provider: provider, From: o.Now().Add(-time.Hour), To: o.Now().Add(time.Hour)}); !errors.Is(err, reconcile.ErrCut) {
		t.Errorf("an empty list: %v", err)
	}
	// One missing in the middle is a difference.
	l.pages = []reconcile.Page{{Lines: append(o.lines(0, 20), o.lines(21, 50)...)}}
	window := reconcile.Request{Provider: provider, From: o.Now().Add(-time.Hour), To: o.Now().Add(time.Hour)}
	report, err := o.Run(t.Context(), window)
	if err != nil {
		t.Fatal(err)
	}
	same(t, found(report), map[string]string{"missing_there b20": "open wait"})
	o.SetClock(o.Now().Add(31 * time.Minute))
	report, err = o.Run(t.Context(), window)
	if err != nil {
		t.Fatal(err)
	}
	same(t, found(report), map[string]string{"missing_there b20": "resolved rollback"})
}

package reconcile_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"evens/internal/postgres"
	"evens/money"
	"evens/reconcile"
	"evens/wallet"
)

// till is an office whose cashier took two deposits and paid one withdrawal, as the files of testdata tell.
func till(t *testing.T) office {
	t.Helper()
	o := open(t, nil)
	o.SetClock(time.Date(2026, 11, 24, 10, 15, 30, 0, time.UTC))
	o.who = o.Player(t, "p-1001", money.MustParse("100"))
	for id, amount := range map[string]string{"dep-1001-1": "1234.50", "dep-1001-2": "10"} {
		if _, err := wallet.Deposit(t.Context(), o.Poster, o.cash(id, amount)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := wallet.Withdraw(t.Context(), o.Poster, o.cash("wd-1001-1", "25")); err != nil {
		t.Fatal(err)
	}
	o.SetClock(o.Now().Add(24 * time.Hour))
	return o
}

func (o office) cash(id, amount string) wallet.Cash {
	return wallet.Cash{
		Player: o.who.ID, Amount: money.MustParse(amount), Currency: "USD", Method: "card", TransactionID: id, At: o.Now(),
	}
}

// file runs a file as a person would: without a window.
func (o office) file(provider, file, mapping string) (*reconcile.Report, error) {
	o.t.Helper()
	m, err := reconcile.ReadMapping(strings.NewReader(mapping))
	if err != nil {
		o.t.Fatal(err)
	}
	return o.Run(o.t.Context(), reconcile.Request{Provider: provider, File: strings.NewReader(file), Mapping: m})
}

func TestFilesOfRealLayoutsAgree(t *testing.T) {
	t.Parallel()
	o := till(t)
	layouts, err := filepath.Glob("statementfile/testdata/files/*.yaml")
	if err != nil || len(layouts) < 8 {
		t.Fatalf("layouts %v, %v", layouts, err)
	}
	for _, path := range layouts {
		mapping, err := os.ReadFile(path)
		fatal(t, err)
		content, err := os.ReadFile(strings.TrimSuffix(path, ".yaml") + ".csv")
		fatal(t, err)
		report, err := o.file("cashier", string(content), string(mapping))
		if err != nil || !report.Even() || len(report.Breaks) > 0 || report.Lines != 3 {
			t.Errorf("%s: %+v, %v", filepath.Base(path), report, err)
		}
	}
}

// Ids that a spreadsheet or a person has changed are one difference each, and nobody is paid.
func TestChangedIDsMoveNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(id string) string{
		"zeros": func(id string) string { return strings.TrimLeft(id, "0") }, "a fraction": func(id string) string { return id + ".0" },
		"an apostrophe": func(id string) string { return "'" + id }, "capitals": strings.ToUpper,
		"another": func(id string) string { return "x" + id },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, nil)
			o.bet("00071a", "100")
			o.win("00072b", "500")
			for i := range 20 {
				o.bet(fmt.Sprint("even", i), "1")
			}
			var csv strings.Builder
			csv.WriteString(header)
			for i := range 20 {
				csv.WriteString(o.line(fmt.Sprint("even", i), "debit", "1", "ok"))
			}
			bet, win := change("00071a"), change("00072b")
			csv.WriteString(o.line(bet, "debit", "100", "ok") + o.line(win, "credit", "500", "ok"))
			before := o.Cash(t, o.who)
			for range 3 {
				report := o.run(csv.String(), func(q *reconcile.Request) { q.Complete = true })
				same(t, found(report), map[string]string{"id " + bet: "open person", "id " + win: "open person"})
				o.SetClock(o.Now().Add(25 * time.Minute))
			}
			if got := o.Cash(t, o.who); got != before {
				t.Errorf("cash %s, had %s", got, before)
			}
		})
	}
}

// A reversal has an amount and a reference.
func TestReversalsInFiles(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("part", "100")
	o.bet("whole", "50")
	o.bet("by-reference", "30")
	o.bet("two-halves", "20")
	const mapping = "columns: {reference: round_id}"
	at := o.Now().Format(time.RFC3339Nano)
	row := func(id, kind, amount, reference string) string {
		return fmt.Sprintf("%s,%s,ana,%s,USD,ok,%s,%s\n", id, kind, amount, at, reference)
	}
	csv := header + row("part", "debit", "100", "") + row("part", "refund", "4", "") +
		row("whole", "debit", "50", "") + row("whole", "refund", "50", "") +
		row("by-reference", "debit", "30", "") + row("rb-9", "rollback", "30", "by-reference") +
		row("two-halves", "debit", "20", "") + row("rb-10", "rollback", "10", "two-halves") + row("rb-11", "rollback", "10", "two-halves") +
		row("rb-12", "rollback", "7", "nobody-knows")
	before := o.Cash(t, o.who)
	report, err := o.file(provider, csv, mapping)
	fatal(t, err)
	same(t, found(report), map[string]string{
		"status part": "open person", "amount part": "open person", "status whole": "resolved rollback",
		"status by-reference": "resolved rollback", "status two-halves": "resolved rollback", "missing_here nobody-knows": "open person",
	})
	if got, want := o.Cash(t, o.who), before+money.MustParse("100"); got != want {
		t.Errorf("cash %s, want %s", got, want)
	}
	if got := report.Sums["USD"].GivenBack; got != money.MustParse("100") {
		t.Errorf("given back %s", got)
	}
}

// The wrong file heals nothing and says so; a file that lacks much does not.
func TestFilesThatDoNotFit(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	for i := range 12 {
		o.bet(fmt.Sprint("b", i), "9.50")
	}
	rows := func(format string, n int) string {
		var csv strings.Builder
		csv.WriteString(header)
		for i := range n {
			csv.WriteString(fmt.Sprintf(format, i) + "\n")
		}
		return csv.String()
	}
	at := o.Now().Format(time.RFC3339Nano)
	later := o.Now().Add(25 * time.Hour).Format(time.RFC3339Nano)
	for name, c := range map[string]struct{ provider, file, want string }{
		"another platform's":     {"betron", rows("b%d,win,ana,9.50,USD,ok,"+at+",", 3), "another provider's"},
		"minor units":            {provider, rows("b%d,debit,ana,950,USD,ok,"+at+",", 3) + "w,credit,ana,950,USD,ok," + at + ",\n", "100 times"},
		"thousands for decimals": {provider, rows("b%d,debit,ana,0.0095,USD,ok,"+at+",", 0) + "b1,debit,ana,0.095,USD,ok," + at + ",\n", "line 2"},
		"strangers":              {provider, rows("s%d,credit,stranger-%[1]d,9.50,USD,ok,"+at+",", 4), "none of ours"},
		"ids that nobody has":    {provider, rows("n%d,credit,ana,9.50,USD,ok,"+at+",", 12), "are known here"},
		"tomorrow":               {provider, rows("b%d,debit,ana,9.50,USD,ok,"+later+",", 2), "future"},
		"coupons":                {provider, "transaction_id,amount,currency,status,at,type\nc1,1,USD,won," + at + ",coupon\n", `type: "coupon"`},
		"transactions for BeT":   {"bet", "transaction_id,amount,currency,status,at,type\nc1,1,USD,ok," + at + ",debit\n", `type: "debit"`},
		"a window turned round":  {provider, "", "before it begins"},
		"everything is left out": {provider, rows("b%d,fee,ana,9.50,USD,ok,"+at+",", 2), "left out"},
	} {
		q := reconcile.Request{Provider: c.provider, File: strings.NewReader(c.file)}
		if name == "a window turned round" {
			q.File, q.From, q.To = strings.NewReader(rows("b%d,debit,ana,9.50,USD,ok,"+at+",", 12)), o.Now(), o.Now().Add(-time.Hour)
		}
		if name == "everything is left out" {
			m, err := reconcile.ReadMapping(strings.NewReader("types: {fee: ignore}"))
			fatal(t, err)
			q.Mapping = m
		}
		report, err := o.Run(t.Context(), q)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, want %q", name, report, err, c.want)
		}
	}
	var rowsLeft int
	fatal(t, o.DB.Pool.QueryRow(t.Context(), `
		SELECT (SELECT count(*) FROM statements WHERE provider <> $1) + (SELECT count(*) FROM breaks WHERE provider <> $1)`, elsewhere).Scan(&rowsLeft))
	if rowsLeft != 0 {
		t.Errorf("%d rows are left of files that do not fit", rowsLeft)
	}
	// A file of little that we have, and of one that we never got, fits.
	report, err := o.file(provider, rows("b%d,debit,ana,9.50,USD,ok,"+at+",", 2)+"w,credit,ana,3,USD,ok,"+at+",r-w\n", "")
	if err != nil || found(report)["missing_here w"] != "resolved post" {
		t.Errorf("a file that fits: %+v, %v", report, err)
	}
}

// A stranger's line under our id is none of ours, and a withdrawal that was paid there and is only held
// here is a difference.
func TestLinesThatOnlyLookLikeOurs(t *testing.T) {
	t.Parallel()
	o := till(t)
	o.Player(t, "p-2002", 0)
	_, err := wallet.Reserve(t.Context(), o.Poster, o.cash("wd-held", "5"))
	fatal(t, err)
	at := o.Now().Format(time.RFC3339Nano)
	report, err := o.file("cashier", header+
		"wd-held,withdrawal,p-1001,5,USD,ok,"+at+",\n"+
		"dep-1001-1,deposit,p-1001,1234.50,USD,ok,"+at+",\n"+"dep-1001-1,deposit,p-2002,1234.50,USD,ok,"+at+",\n", "")
	fatal(t, err)
	same(t, found(report), map[string]string{
		"status wd-held": "open person", "duplicate dep-1001-1": "open person", "player dep-1001-1": "open person",
	})
}

// Lines without a clock cover their whole day.
func TestFilesOfWholeDays(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.bet("listed", "5")
	o.bet("not listed", "6")
	today := o.Now().UTC().Truncate(24 * time.Hour)
	report, err := o.file(provider, header+"listed,debit,ana,5,USD,ok,"+today.Format("02.01.2006")+",\n", "time: 02.01.2006\nzone: UTC")
	fatal(t, err)
	same(t, found(report), map[string]string{"missing_there not listed": "open person"})
	if !report.From.Equal(today) || !report.To.Equal(today.Add(24*time.Hour)) {
		t.Errorf("the window is %s to %s", report.From, report.To)
	}
}

// layout writes the till's books as one of the files that a mapping can say.
type layout struct {
	separator, decimal, thousands, unit, sign, layout string
	apart                                             bool // debit and credit in two columns
}

func (l layout) mapping() string {
	text := fmt.Sprintf("separator: %q\ncurrency: USD\nstatus: ok\nzone: UTC\ntime: %q\n", l.separator, l.layout)
	if l.decimal != "." {
		text += fmt.Sprintf("decimal: %q\n", l.decimal)
	}
	if l.thousands != "" {
		text += fmt.Sprintf("thousands: %q\n", l.thousands)
	}
	if l.unit != "" {
		text += "unit: " + l.unit + "\n"
	}
	switch {
	case l.apart:
		return text + "columns: {transaction_id: Ref, debit: Out, credit: In, at: When, player_id: Who}\n"
	case l.sign != "":
		return text + "sign: " + l.sign + "\ncolumns: {transaction_id: Ref, amount: Sum, at: When, player_id: Who, type: Kind}\n"
	default:
		return text + "columns: {transaction_id: Ref, amount: Sum, at: When, player_id: Who, type: Kind}\ntypes: {Einzahlung: credit, Auszahlung: debit}\n"
	}
}

// movement is one of the till's, in cents.
type movement struct {
	id, player string
	cents      int64
	credit     bool
}

func (l layout) amount(cents int64) string {
	if l.unit == "minor" {
		return fmt.Sprint(cents)
	}
	whole := fmt.Sprint(cents / 100)
	if l.thousands != "" && len(whole) > 3 {
		whole = whole[:len(whole)-3] + l.thousands + whole[len(whole)-3:]
	}
	return fmt.Sprintf("%s%s%02d", whole, l.decimal, cents%100)
}

func (l layout) row(m movement, at time.Time) string {
	amount, when := l.amount(m.cents), at.Format(l.layout)
	quote := func(fields ...string) string {
		for i := range fields {
			fields[i] = `"` + fields[i] + `"`
		}
		return strings.Join(fields, l.separator) + "\n"
	}
	if l.apart {
		if m.credit {
			return quote(m.id, "", amount, when, m.player)
		}
		return quote(m.id, amount, "", when, m.player)
	}
	if m.credit == (l.sign == "debit_positive") && l.sign != "" {
		amount = "-" + amount
	}
	kind := "Auszahlung"
	if m.credit {
		kind = "Einzahlung"
	}
	return quote(m.id, kind, amount, when, m.player)
}

func (l layout) head() string {
	if l.apart {
		return strings.Join([]string{"Ref", "Out", "In", "When", "Who"}, l.separator) + "\n"
	}
	return strings.Join([]string{"Ref", "Kind", "Sum", "When", "Who"}, l.separator) + "\n"
}

// Any layout that a mapping can say, written from known books, reads back to no break; a corruption of it
// ends in a refusal or a break, and moves no money that is not proven.
func TestAnyLayoutReadsBack(t *testing.T) {
	t.Parallel()
	o := till(t)
	at := time.Date(2026, 11, 24, 10, 15, 30, 0, time.UTC)
	books := []movement{
		{"dep-1001-1", "p-1001", 123450, true}, {"dep-1001-2", "p-1001", 1000, true}, {"wd-1001-1", "p-1001", 2500, false},
	}
	rapid.Check(t, func(r *rapid.T) {
		l := layout{
			separator: rapid.SampledFrom([]string{",", ";", "\t", "|"}).Draw(r, "separator"),
			decimal:   rapid.SampledFrom([]string{".", ","}).Draw(r, "decimal"),
			unit:      rapid.SampledFrom([]string{"", "major", "minor"}).Draw(r, "unit"),
			sign:      rapid.SampledFrom([]string{"", "debit_negative", "debit_positive"}).Draw(r, "sign"),
			layout: rapid.SampledFrom([]string{
				time.RFC3339, "02.01.2006 15:04:05", "01/02/2006 03:04:05 PM", "2006-01-02 15:04", "02.01.2006", "02-Jan-06 15:04:05",
			}).Draw(r, "time"),
			apart: rapid.Bool().Draw(r, "apart"),
		}
		if rapid.Bool().Draw(r, "grouped") {
			l.thousands = map[string]string{".": ",", ",": "."}[l.decimal]
		}
		rows := make([]string, len(books))
		for i, m := range books {
			rows[i] = l.row(m, at)
		}
		write := func() string { return l.head() + strings.Join(rapid.Permutation(rows).Draw(r, "order"), "") }
		report, err := o.file("cashier", write(), l.mapping())
		if err != nil || len(report.Breaks) != 0 {
			r.Fatalf("%s\n%s\n%+v, %v", l.mapping(), write(), report, err)
		}
		which := rapid.IntRange(0, len(books)-1).Draw(r, "which")
		bad, before := books[which], o.Cash(t, o.who)
		switch rapid.SampledFrom([]string{"amount", "id", "player", "scale", "twice"}).Draw(r, "corruption") {
		case "amount":
			bad.cents++
		case "scale":
			bad.cents *= 100
		case "id":
			bad.id = strings.ToUpper(bad.id)
		case "player":
			bad.player = "nobody"
		case "twice":
			rows = append(rows, l.row(bad, at))
		}
		rows[which] = l.row(bad, at)
		report, err = o.file("cashier", write(), l.mapping())
		if err == nil && report.Even() {
			r.Fatalf("a corrupted file agrees:\n%s", write())
		}
		if got := o.Cash(t, o.who); got != before {
			r.Fatalf("a corrupted file moved %s", got-before)
		}
		// What was found is seen to, for the next file to be judged by itself.
		err = postgres.InTx(t.Context(), o.DB.Pool, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `SET LOCAL session_replication_role = replica;
				DELETE FROM break_events WHERE break_id IN (SELECT id FROM breaks WHERE provider = 'cashier');
				DELETE FROM breaks WHERE provider = 'cashier'`)
			return err
		})
		if err != nil {
			r.Fatal(err)
		}
	})
}

package ledger

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/money"
)

// Check is one rule of the books: its SQL returns a row (subject, detail) for each violation.
type Check struct {
	Name string
	SQL  string
}

// Violation is one place where the books break a rule.
type Violation struct {
	Subject string `json:"subject"`
	Detail  string `json:"detail"`
}

// CheckResult is what a check found; Violations shows the first of Total.
type CheckResult struct {
	Name       string      `json:"name"`
	Total      int         `json:"total"`
	Violations []Violation `json:"violations,omitempty"`
}

// Figure is one sum or count of the books, for reading.
type Figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Report is the outcome of an audit.
type Report struct {
	At      time.Time     `json:"at"`
	Clean   bool          `json:"clean"`
	Figures []Figure      `json:"figures"`
	Checks  []CheckResult `json:"checks"`
}

// shown is how many violations of a check a report carries.
const shown = 100

// Add runs a check within the audit's snapshot.
func (r *Report) Add(ctx context.Context, tx pgx.Tx, check Check) error {
	rows, err := tx.Query(ctx, check.SQL)
	if err != nil {
		return fmt.Errorf("audit %s: %w", check.Name, err)
	}
	result := CheckResult{Name: check.Name}
	var found Violation
	_, err = pgx.ForEachRow(rows, []any{&found.Subject, &found.Detail}, func() error {
		result.Found(found)
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit %s: %w", check.Name, err)
	}
	r.Conclude(result)
	return nil
}

// Found counts a violation.
func (c *CheckResult) Found(v Violation) {
	c.Total++
	if len(c.Violations) < shown {
		c.Violations = append(c.Violations, v)
	}
}

// Conclude adds a finished check to the report.
func (r *Report) Conclude(result CheckResult) {
	r.Checks = append(r.Checks, result)
	r.Clean = r.Clean && result.Total == 0
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, figure := range r.Figures {
		fmt.Fprintf(table, "%s\t%s\n", figure.Name, figure.Value)
	}
	fmt.Fprintln(table)
	for _, check := range r.Checks {
		state := "ok"
		if check.Total > 0 {
			state = fmt.Sprintf("%d violations", check.Total)
		}
		fmt.Fprintf(table, "%s\t%s\n", check.Name, state)
		for _, v := range check.Violations {
			fmt.Fprintf(table, "  %s\t%s\n", v.Subject, v.Detail)
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	verdict := "the books are even"
	if !r.Clean {
		verdict = "THE BOOKS ARE NOT EVEN"
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}

// moves has a row for each touch of a player's account, in the account's own order.
const moves = `
	moves AS (
	    SELECT a.id AS account, t.transaction_id, t.leg, t.account_version, t.balance_after, t.amount AS change
	      FROM transfers t JOIN accounts a ON a.id = t.credit_account WHERE a.player_id IS NOT NULL
	    UNION ALL
	    SELECT a.id, t.transaction_id, t.leg, t.account_version, t.balance_after, -t.amount
	      FROM transfers t JOIN accounts a ON a.id = t.debit_account WHERE a.player_id IS NOT NULL
	)`

// checks are the ledger's own rules.
var checks = []Check{
	{"a player's balance is the sum of the transfers", `
	WITH ` + moves + `
	SELECT a.id::text, format('balance %s, transfers %s', a.balance, coalesce(m.total, 0))
	  FROM accounts a LEFT JOIN (SELECT account, sum(change) AS total FROM moves GROUP BY account) m ON m.account = a.id
	 WHERE a.player_id IS NOT NULL AND a.balance <> coalesce(m.total, 0)`},
	{"each account's transfers follow from each other without a gap", `
	WITH ` + moves + `, chain AS (
	    SELECT *, row_number() OVER w AS position, lag(balance_after, 1, 0::bigint) OVER w AS before
	      FROM moves WINDOW w AS (PARTITION BY account ORDER BY account_version)
	)
	SELECT account::text, format('transfer %s/%s: version %s at place %s, %s after %s by %s', transaction_id, leg,
	       account_version, position, balance_after, before, change)
	  FROM chain WHERE account_version IS DISTINCT FROM position OR balance_after IS DISTINCT FROM before + change`},
	{"each account stands where its last transfer left it", `
	WITH ` + moves + `
	SELECT a.id::text, format('version %s, transfers %s', a.version, coalesce(m.last, 0))
	  FROM accounts a LEFT JOIN (SELECT account, max(account_version) AS last FROM moves GROUP BY account) m ON m.account = a.id
	 WHERE a.player_id IS NOT NULL AND a.version <> coalesce(m.last, 0)`},
	{"every transfer has its transaction", `
	SELECT t.transaction_id::text, format('leg %s', t.leg) FROM transfers t
	  LEFT JOIN transactions x ON x.id = t.transaction_id WHERE x.id IS NULL`},
	{"every transaction has its transfers, but for those of nothing", `
	SELECT x.id::text, x.kind FROM transactions x
	  LEFT JOIN transfers t ON t.transaction_id = x.id AND t.leg = 1
	 WHERE t.transaction_id IS NULL
	   AND (x.amount <> 0
	        OR x.kind NOT IN (` + Where(func(t Traits) bool { return t.Idle }) + `))`},
	{"what was refused, and what was taken back before it came, moved nothing", `
	SELECT x.id::text, x.kind FROM transactions x
	 WHERE x.kind IN (` + Where(func(t Traits) bool { return len(t.Ways) == 0 }) + `)
	   AND (x.amount <> 0 OR EXISTS (SELECT FROM transfers t WHERE t.transaction_id = x.id))`},
	{"a transaction's amount is what its transfers did to its player", `
	WITH ` + moves + `, sums AS (
	    SELECT m.transaction_id, sum(m.change) AS total, bool_or(a.player_id <> x.player_id) AS stranger
	      FROM moves m JOIN accounts a ON a.id = m.account JOIN transactions x ON x.id = m.transaction_id
	     GROUP BY m.transaction_id
	)
	SELECT x.id::text, format('amount %s, transfers %s', x.amount, coalesce(s.total, 0))
	  FROM transactions x LEFT JOIN sums s ON s.transaction_id = x.id
	 WHERE x.amount <> coalesce(s.total, 0) OR coalesce(s.stranger, false)`},
	{"a transaction's bonus part is what its transfers did to the bonus pocket", `
	WITH ` + moves + `, sums AS (
	    SELECT m.transaction_id, sum(m.change) AS total
	      FROM moves m JOIN accounts a ON a.id = m.account AND a.kind = 'bonus' GROUP BY m.transaction_id
	)
	SELECT x.id::text, format('bonus part %s, transfers %s', coalesce(x.bonus_amount, 0), coalesce(s.total, 0))
	  FROM transactions x LEFT JOIN sums s ON s.transaction_id = x.id
	 WHERE coalesce(x.bonus_amount, 0) <> coalesce(s.total, 0)`},
	{"both accounts of a transfer exist, in one currency", `
	SELECT t.transaction_id::text, format('leg %s: accounts %s and %s', t.leg, t.debit_account, t.credit_account)
	  FROM transfers t LEFT JOIN accounts d ON d.id = t.debit_account LEFT JOIN accounts c ON c.id = t.credit_account
	 WHERE d.id IS NULL OR c.id IS NULL OR d.currency <> c.currency`},
	{"only a correction, or what has happened outside, takes a balance below zero", `
	WITH ` + moves + `
	SELECT m.transaction_id::text, format('%s left %s', x.kind, m.balance_after)
	  FROM moves m JOIN transactions x ON x.id = m.transaction_id
	 WHERE m.change < 0 AND m.balance_after < 0
	   AND x.kind NOT IN (` + Where(func(t Traits) bool { return t.Overdraws }) + `)
	   AND NOT (x.kind = 'withdrawal' AND EXISTS (SELECT FROM transactions p WHERE p.source = 'cashier:paid' AND p.external_id = x.external_id))`},
}

// Now is the audit's clock within a check's SQL.
const Now = `current_setting('evens.now')::timestamptz`

// Begin opens an audit: one snapshot for all its checks, however long they take, with the
// ledger's figures and rules done.
func Begin(ctx context.Context, tx pgx.Tx, now time.Time) (*Report, error) {
	err := postgres.Unhurried(ctx, tx, map[string]string{
		"work_mem": "64MB",
		// Every rule reads whole tables, maybe right after they were filled: a loop over rows that the
		// statistics do not know of yet would take hours.
		"enable_nestloop": "off",
		"evens.now":       now.UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		return nil, fmt.Errorf("begin the audit: %w", err)
	}
	report := &Report{At: now, Clean: true}
	if err := report.figures(ctx, tx); err != nil {
		return nil, err
	}
	for _, check := range checks {
		if err := report.Add(ctx, tx, check); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// The house's balances are derived; a player's are stored.
const sumAccounts = `
	WITH sides AS (
	    SELECT debit_account AS account, -sum(amount) AS total FROM transfers GROUP BY debit_account
	    UNION ALL
	    SELECT credit_account, sum(amount) FROM transfers GROUP BY credit_account
	), sums AS (SELECT account, sum(total) AS total FROM sides GROUP BY account)
	SELECT a.currency, a.kind, coalesce(sum(s.total), 0)::text
	  FROM accounts a LEFT JOIN sums s ON s.account = a.id
	 GROUP BY a.currency, a.kind ORDER BY a.currency, a.kind`

const countAll = `
	SELECT (SELECT count(*) FROM players), (SELECT count(*) FROM transactions), (SELECT count(*) FROM transfers)`

func (r *Report) figures(ctx context.Context, tx pgx.Tx) error {
	var players, transactions, transfers int64
	if err := tx.QueryRow(ctx, countAll).Scan(&players, &transactions, &transfers); err != nil {
		return fmt.Errorf("audit figures: %w", err)
	}
	r.Figure("players", fmt.Sprint(players))
	r.Figure("transactions", fmt.Sprint(transactions))
	r.Figure("transfers", fmt.Sprint(transfers))
	rows, err := tx.Query(ctx, sumAccounts)
	if err != nil {
		return fmt.Errorf("audit figures: %w", err)
	}
	var currency, kind string
	var sum string
	_, err = pgx.ForEachRow(rows, []any{&currency, &kind, &sum}, func() error {
		r.Figure(kind+" "+currency, inMajor(sum))
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit figures: %w", err)
	}
	return nil
}

// inMajor writes a whole number of ten-thousandths, of any size, in major units.
func inMajor(units string) string {
	if n, err := strconv.ParseInt(units, 10, 64); err == nil {
		return money.Amount(n).String()
	}
	point := len(units) - 4 // what does not fit an int64 has more digits
	return units[:point] + "." + units[point:]
}

// Figure adds a sum or a count.
func (r *Report) Figure(name, value string) {
	r.Figures = append(r.Figures, Figure{Name: name, Value: value})
}

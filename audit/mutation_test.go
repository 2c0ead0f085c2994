package audit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"evens/audit"
	"evens/internal/postgres"
	"evens/ledger"
)

// corruption is one broken state that somebody, or a mistake, leaves in even books.
type corruption struct {
	table string
	name  string
	// change is SQL, and may be several statements.
	change string
	// subject is a query for what the audit must name; "" where any subject will do.
	subject string
	// check is the beginning of the name of the rule that must name it.
	check string
}

var errUndo = errors.New("undone")

// unguarded lets rows of the append-only tables be changed, as the database's owner could.
func (h *house) unguarded() {
	h.t.Helper()
	for _, table := range []string{"transactions", "transfers", "settlements", "seals", "ledger_seals", "bet_details", "activity_log", "break_events", "closings"} {
		_, err := h.DB.Pool.Exec(h.t.Context(), `ALTER TABLE `+table+` DISABLE TRIGGER USER`)
		h.must(err)
	}
}

// plant changes rows and audits what that leaves; all of it is rolled back.
func (h *house) plant(c corruption) (report *ledger.Report, subject string) {
	h.t.Helper()
	ctx := h.t.Context()
	err := postgres.InTx(ctx, h.DB.Pool, func(ctx context.Context, tx pgx.Tx) (err error) {
		if c.subject != "" {
			if err := tx.QueryRow(ctx, c.subject).Scan(&subject); err != nil {
				return fmt.Errorf("subject: %w", err)
			}
		}
		results, err := tx.Conn().PgConn().Exec(ctx, c.change).ReadAll()
		if err != nil {
			return err
		}
		for i, result := range results {
			if result.CommandTag.RowsAffected() == 0 {
				return fmt.Errorf("statement %d changes no row", i+1)
			}
		}
		if report, err = audit.In(ctx, tx, h.Now()); err != nil {
			return err
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		h.t.Fatal(err)
	}
	return report, subject
}

// The audit names every broken state of an even house by the rule that it breaks, and by what is broken; what
// it is known not to see it does not see. One corruption at a time is planted, audited and undone.
func TestTheAuditNamesEveryCorruption(t *testing.T) {
	t.Parallel()
	h := playDay(t)
	h.unguarded()
	kinds := slices.Concat(ledgerCorruptions, couponCorruptions, walletCorruptions, gameCorruptions, reconcileCorruptions)
	t.Logf("%d kinds of corruption", len(kinds))
	for _, c := range kinds {
		t.Run(c.table+": "+c.name, func(t *testing.T) {
			h := &house{Hall: h.Hall, t: t}
			report, subject := h.plant(c)
			for _, check := range report.Checks {
				if !strings.HasPrefix(check.Name, c.check) {
					continue
				}
				if check.Total == 0 {
					t.Fatalf("%q finds nothing; found are: %s", check.Name, found(report))
				}
				names := func(v ledger.Violation) bool { return v.Subject == subject }
				if subject != "" && !slices.ContainsFunc(check.Violations, names) {
					t.Errorf("%q names %+v, not %s", check.Name, check.Violations, subject)
				}
				return
			}
			t.Errorf("no rule is called %q", c.check)
		})
	}
	for _, c := range unseen {
		t.Run("unseen: "+c.table+": "+c.name, func(t *testing.T) {
			h := &house{Hall: h.Hall, t: t}
			if report, _ := h.plant(c); !report.Clean {
				t.Errorf("is seen after all, by %s: give it a rule to be named by", found(report))
			}
		})
	}
	t.Run("the document says what is not seen", documented)
	t.Run("every table", func(t *testing.T) { everyTable(t, h, kinds) })
}

func found(report *ledger.Report) string {
	var text []string
	for _, check := range report.Checks {
		if check.Total > 0 {
			text = append(text, fmt.Sprintf("%s (%d: %v)", check.Name, check.Total, check.Violations[0]))
		}
	}
	return strings.Join(text, "; ")
}

// documented fails where the list in the document and that of the test differ.
func documented(t *testing.T) {
	text, err := os.ReadFile("../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, c := range unseen {
		want["| `"+c.table+"` | "+c.name+" |"] = true
	}
	for table, reason := range withoutRules {
		want["| `"+table+"` | everything | "+reason+" |"] = true
	}
	_, list, _ := strings.Cut(string(text), "| table | what | why not |")
	list, _, _ = strings.Cut(list, "\n## ")
	lines := strings.Split(strings.TrimSpace(list), "\n")
	for entry := range want {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, entry) }) {
			t.Errorf("docs/architecture.md does not say: %s", entry)
		}
	}
	if rows := len(lines) - 1; rows != len(want) {
		t.Errorf("docs/architecture.md lists %d, the test %d", rows, len(want))
	}
}

// everyTable fails for a table that has no corruption, and no reason for having none.
func everyTable(t *testing.T, h *house, kinds []corruption) {
	rows, err := h.DB.Pool.Query(t.Context(), `
		SELECT c.relname FROM pg_class c
		 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		has := slices.ContainsFunc(kinds, func(c corruption) bool { return c.table == table })
		switch reason := withoutRules[table]; {
		case !has && reason == "":
			t.Errorf("the table %s: plant a corruption in it, or say why no rule looks at it", table)
		case has && reason != "":
			t.Errorf("the table %s is looked at, and listed as one that is not", table)
		}
	}
	for table := range withoutRules {
		if !slices.Contains(tables, table) {
			t.Errorf("there is no table %s", table)
		}
	}
}

// withoutRules lists the tables that no rule looks at, and why. docs/architecture.md says the same.
var withoutRules = map[string]string{
	"goose_db_version":  "the migrations' own",
	"player_tokens":     "who may call, not what was moved; a foreign key ties them to players",
	"api_keys":          "who may call, not what was moved",
	"operators":         "who may decide, not what was moved; decisions name them in full",
	"login_delays":      "who must wait after wrong passwords; nothing is moved by it",
	"operator_sessions": "who is logged in to the console; decisions name them in full",
	"provider_sessions": "sealed with a key that the audit has not; a broken one is refused when it is used",
	"job_failures":      "what the queue gave up on, for people to read",
	"installation":      "whose keys in Redis are whose; nothing is moved by it",
	"games":             "what platforms say of their games; another category counts another rate from then on",
}

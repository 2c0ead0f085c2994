package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/reconcile"
	"evens/reconcile/breaks"
)

var errUndo = errors.New("undo")

// Each thing that statements and breaks can say wrong is named by the audit.
func TestTheAuditSeesBrokenBreaks(t *testing.T) {
	t.Parallel()
	l := &list{}
	o := open(t, map[string]reconcile.Source{provider: l})
	o.past(30)
	o.bet("failed", "6")
	lines := append(o.lines(0, 28), reconcile.Line{
		TransactionID: "failed", Type: reconcile.Debit, Player: "ana", Amount: 60_000, Currency: "USD", Status: reconcile.Failed, At: o.Now(),
	}, reconcile.Line{TransactionID: "won", Type: reconcile.Credit, Player: "ana", Amount: 70_000, Currency: "USD", Status: reconcile.OK, At: o.Now(), Round: "r"},
		reconcile.Line{Type: reconcile.Debit, Status: reconcile.OK, At: o.Now()})
	l.pages = []reconcile.Page{{Lines: lines[:10]}, {Lines: lines[10:]}}
	report := o.run("", func(q *reconcile.Request) { q.File = nil })
	if len(report.Breaks) != 5 {
		t.Fatalf("%v", found(report))
	}
	for _, b := range report.Breaks {
		if b.TransactionID == "b29" {
			fatal(t, o.End(t.Context(), *b.ID, reconcile.StateIgnored, "eva", "seen"))
		}
	}
	o.clean()
	for _, plant := range []string{
		`UPDATE breaks SET healed_by = gen_random_uuid() WHERE healed_by IS NOT NULL`,
		`UPDATE breaks SET healed_by = (SELECT id FROM transactions WHERE external_id = 'b1') WHERE transaction_id = 'failed'`,
		`UPDATE breaks SET healed_by = NULL WHERE transaction_id = 'failed'`,
		`UPDATE breaks SET amount = amount + 1 WHERE transaction_id = 'failed'`,
		`UPDATE breaks SET amount = amount + 1 WHERE transaction_id = 'won'`,
		`UPDATE breaks SET player = 'bob' WHERE transaction_id = 'won'`,
		`UPDATE breaks SET kind = 'amount' WHERE transaction_id = 'won'`,
		`UPDATE breaks SET transaction_id = 'another' WHERE transaction_id = 'failed'`,
		`UPDATE breaks SET provider = 'tg' WHERE transaction_id = 'b28'`,
		`UPDATE breaks SET state = 'open' WHERE transaction_id = 'won'`,
		`UPDATE breaks SET state = 'resolved' WHERE transaction_id = 'b28'`,
		`UPDATE breaks SET state = 'resolved' WHERE transaction_id = 'b29'`,
		`UPDATE breaks SET owner = NULL WHERE transaction_id = 'b29'`,
		`UPDATE breaks SET owner = 'ann' WHERE transaction_id = 'b29'`,
		`UPDATE breaks SET last_seen = first_seen - interval '1 hour'`,
		`UPDATE breaks SET sightings = -1`,
		`UPDATE breaks SET statement_id = gen_random_uuid()`,
		`DELETE FROM breaks WHERE transaction_id = 'b28'`,
		`DELETE FROM break_events WHERE event = 'opened'`,
		`DELETE FROM break_events WHERE event = 'healed'`,
		`DELETE FROM break_events WHERE event = 'ignored'`,
		`INSERT INTO break_events (break_id, at, event) VALUES (gen_random_uuid(), now(), 'opened')`,
		`UPDATE break_events SET at = at - interval '1 day' WHERE event = 'healed'`,
		`UPDATE break_events SET comment = NULL WHERE event = 'ignored'`,
		`DELETE FROM statements`,
		`UPDATE statements SET lines = lines + 1`,
		`UPDATE statements SET pages = pages + 1`,
		`UPDATE statements SET unreadable = 0`,
		`UPDATE statements SET state = 'failed'`,
		`UPDATE statements SET state = 'loading'`,
		`UPDATE statements SET ended_at = NULL`,
		`UPDATE statements SET matched = ours + 1`,
		`UPDATE statements SET error = 'x'`,
		`UPDATE statements SET provider = 'tg'`,
		`UPDATE statements SET window_to = window_to + interval '1 minute'`,
		`UPDATE statement_lines SET amount = amount + 1 WHERE transaction_id = 'b3'`,
		`DELETE FROM statement_lines WHERE transaction_id = 'b3'`,
		`INSERT INTO statement_lines SELECT * FROM statement_lines WHERE transaction_id = 'b3'`,
		`UPDATE statement_lines SET statement_id = gen_random_uuid()`,
		`DELETE FROM statement_pages WHERE page = 2`,
		`UPDATE statement_pages SET statement_id = gen_random_uuid()`,
		`DELETE FROM unreadable_lines`,
		`UPDATE unreadable_lines SET statement_id = gen_random_uuid()`,
		`UPDATE watermarks SET until = until + interval '1 second'`,
		`UPDATE watermarks SET provider = 'tg'`,
	} {
		err := postgres.InTx(t.Context(), o.DB.Pool, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SET LOCAL session_replication_role = replica`); err != nil {
				return err
			}
			tag, err := tx.Exec(ctx, plant)
			if err != nil || tag.RowsAffected() == 0 {
				t.Errorf("%s: %d rows, %v", plant, tag.RowsAffected(), err)
				return errUndo
			}
			report, err := ledger.Begin(ctx, tx, o.Now())
			if err != nil {
				return err
			}
			for _, check := range breaks.Checks {
				if err := report.Add(ctx, tx, check); err != nil {
					return err
				}
			}
			if report.Clean {
				t.Errorf("not seen: %s", strings.TrimSpace(plant))
			}
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			t.Fatal(err)
		}
	}
}

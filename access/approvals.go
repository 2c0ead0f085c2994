package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/activity"
	"evens/internal/dbclock"
	"evens/internal/postgres"
)

// ErrSecondPerson says that a decision moves more than one person may, and that nobody else has made
// the same yet.
var ErrSecondPerson = errors.New("a second person must decide the same")

// Large is a decision that moves more than the approval amount.
type Large struct {
	Operation Operation
	Subject   string // what is decided on, such as "result 17"
	Terms     string // what would move, in full: two who mean different sums do not agree
	Operator  string // e-mail of who decides
	Comment   string
}

// approvalStands is how long a first decision waits for the second.
const approvalStands = 24 * time.Hour

// Approvals keeps decisions that wait for a second person. The second decides by making the same
// decision: the same operation, subject and terms. It is safe for concurrent use.
type Approvals struct {
	db  *postgres.DB
	now func() time.Time
}

// NewApprovals returns the approvals kept in db.
func NewApprovals(db *postgres.DB, now func() time.Time) *Approvals {
	return &Approvals{db: db, now: now}
}

// Index: approvals_waiting.
const takeApproval = `
	UPDATE approvals SET decided_at = $5, decided_by = $4
	 WHERE operation = $1 AND subject = $2 AND terms = $3 AND decided_at IS NULL AND operator <> $4 AND created_at > $6
	 RETURNING operator`

// Transaction is where an approval is used up: a pgx.Tx or a postgres.Querier.
type Transaction interface {
	activity.Execer
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Take uses up, in the commit that carries the decision out, what another person has decided before.
// ErrSecondPerson where nobody has: then nothing may move, and [Approvals.Propose] has it wait.
func (a *Approvals) Take(ctx context.Context, tx Transaction, l Large) error {
	now := a.now()
	var first string
	err := tx.QueryRow(ctx, takeApproval, string(l.Operation), l.Subject, l.Terms, l.Operator, now, now.Add(-approvalStands)).Scan(&first)
	if postgres.NotFound(err) {
		return ErrSecondPerson
	}
	if err != nil {
		return fmt.Errorf("approve %s: %w", l.Subject, err)
	}
	return activity.Log(ctx, tx, l.entry(EventApprovalGiven, now, map[string]string{"proposed_by": first}))
}

// A proposal that has lapsed makes room for the next.
const proposeApproval = `
	INSERT INTO approvals (id, operation, subject, terms, operator, comment, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
	    ON CONFLICT (operation, subject, terms) WHERE decided_at IS NULL
	    DO UPDATE SET operator = excluded.operator, comment = excluded.comment, created_at = excluded.created_at
	 WHERE approvals.created_at <= $8`

// Propose has a decision wait for a second person. The same again changes nothing.
func (a *Approvals) Propose(ctx context.Context, l Large) error {
	now := a.now()
	return postgres.InTx(ctx, a.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, proposeApproval, dbclock.NewID(), string(l.Operation), l.Subject, l.Terms, l.Operator, l.Comment,
			now, now.Add(-approvalStands))
		if err != nil {
			return fmt.Errorf("propose %s: %w", l.Subject, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return activity.Log(ctx, tx, l.entry(EventApprovalProposed, now, nil))
	})
}

func (l Large) entry(event string, at time.Time, detail map[string]string) activity.Entry {
	if detail == nil {
		detail = make(map[string]string, 3)
	}
	detail["operation"], detail["subject"], detail["terms"] = string(l.Operation), l.Subject, l.Terms
	return activity.Entry{At: at, Event: event, Operator: l.Operator, Comment: l.Comment, Detail: detail}
}

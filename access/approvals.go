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

// The first person must still be one who may. Both lines are written or neither, and where there is none to take
// the transaction ends. Index: approvals_waiting.
const takeApproval = `
	WITH taken AS (
	    UPDATE approvals a SET decided_at = $5, decided_by = $4
	     WHERE operation = $1 AND subject = $2 AND terms = $3 AND decided_at IS NULL AND operator <> $4 AND created_at > $6
	       AND ` + stillMay + `
	    RETURNING operator
	), told AS (
	    INSERT INTO activity_log (at, event, operator, comment, detail)
	    SELECT $5, '` + EventApprovalGiven + `', $4, $7,
	           jsonb_build_object('operation', $1::text, 'subject', $2::text, 'terms', $3::text, 'proposed_by', operator)
	      FROM taken
	)
	SELECT must_touch((SELECT count(*) FROM taken), 1, '` + approvalsTouched + `')`

// stillMay is true of a proposal ($8: the roles whose word counts) whose operator may still decide so.
const stillMay = `EXISTS (SELECT FROM operators o WHERE o.email = a.operator AND o.disabled_at IS NULL AND o.role = ANY ($8::text[]))`

const approvalsTouched = "approvals"

func (a *Approvals) take(l Large) (sql string, arguments []any) {
	now := a.now()
	return takeApproval, []any{
		string(l.Operation), l.Subject, l.Terms, l.Operator, now, now.Add(-approvalStands), l.Comment, mayMoveLarge(),
	}
}

// mayMoveLarge are the roles whose word counts.
func mayMoveLarge() []string {
	var roles []string
	for _, role := range Roles() {
		if role.May(MoveLarge) {
			roles = append(roles, string(role))
		}
	}
	return roles
}

// Take uses up, in the commit that carries the decision out, what another person has decided before.
// ErrSecondPerson where nobody has, or who has is no operator any more who may: then the transaction is over, and
// [Approvals.Propose] has the decision wait.
func (a *Approvals) Take(ctx context.Context, tx activity.Execer, l Large) error {
	sql, arguments := a.take(l)
	_, err := tx.Exec(ctx, sql, arguments...)
	if SecondPersonMissing(err) {
		return ErrSecondPerson
	}
	if err != nil {
		return fmt.Errorf("approve %s: %w", l.Subject, err)
	}
	return nil
}

// Taking is what Take does, among the rows that a commit writes. Where there is nothing to take the commit fails,
// and [SecondPersonMissing] knows it.
type Taking struct {
	sql       string
	arguments []any
}

// Taking returns the use of an approval for a commit.
func (a *Approvals) Taking(l Large) *Taking {
	sql, arguments := a.take(l)
	return &Taking{sql, arguments}
}

// Queue adds the statement.
func (t *Taking) Queue(batch *pgx.Batch) { batch.Queue(t.sql, t.arguments...) }

// SecondPersonMissing reports whether a transaction was ended because there was no approval to use up.
func SecondPersonMissing(err error) bool {
	return errors.Is(err, ErrSecondPerson) || postgres.MiscountedOf(err, approvalsTouched)
}

// A proposal that has lapsed, or whose operator may not any more, makes room for the next.
const proposeApproval = `
	INSERT INTO approvals AS a (id, operation, subject, terms, operator, comment, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
	    ON CONFLICT (operation, subject, terms) WHERE decided_at IS NULL
	    DO UPDATE SET operator = excluded.operator, comment = excluded.comment, created_at = excluded.created_at
	 WHERE a.created_at <= $9 OR NOT ` + stillMay

// Propose has a decision wait for a second person. The same again changes nothing.
func (a *Approvals) Propose(ctx context.Context, l Large) error {
	now := a.now()
	return postgres.InTx(ctx, a.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, proposeApproval, dbclock.NewID(), string(l.Operation), l.Subject, l.Terms, l.Operator, l.Comment,
			now, mayMoveLarge(), now.Add(-approvalStands))
		if err != nil {
			return fmt.Errorf("propose %s: %w", l.Subject, err)
		}
		if tag.RowsAffected() == 0 {
			return nil
		}
		return activity.Log(ctx, tx, l.entry(EventApprovalProposed, now))
	})
}

func (l Large) entry(event string, at time.Time) activity.Entry {
	return activity.Entry{At: at, Event: event, Operator: l.Operator, Comment: l.Comment, Detail: map[string]string{
		"operation": string(l.Operation), "subject": l.Subject, "terms": l.Terms,
	}}
}

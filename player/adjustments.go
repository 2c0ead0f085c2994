package player

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/access"
	"evens/activity"
	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/money/threshold"
	"evens/wallet"
)

// AdjustmentStatus is where an adjustment stands.
type AdjustmentStatus string

// The statuses.
const (
	AdjustmentPending AdjustmentStatus = "pending" // waits for a second person
	AdjustmentPosted  AdjustmentStatus = "posted"
	AdjustmentRefused AdjustmentStatus = "refused"
)

// Adjustment is money that an operator gives a player, or takes, with a reason.
type Adjustment struct {
	ID        uuid.UUID
	Reference string // one adjustment each
	Player    uuid.UUID
	Amount    money.Amount // signed
	Comment   string
	Operator  string // e-mail
	Status    AdjustmentStatus
	DecidedBy string // the second person's e-mail; "" where none was needed, or none has decided
	Decision  string // the second person's comment
	CreatedAt time.Time
	DecidedAt time.Time
}

// Refusals of adjustments.
var (
	ErrNoComment    = errors.New("a comment is missing: why?")
	ErrNoAmount     = errors.New("an adjustment of nothing")
	ErrDecimals     = errors.New("more decimals than the currency has")
	ErrSamePerson   = errors.New("a second person must decide on it")
	ErrNoProposer   = errors.New("who made it may not adjust any more: refuse it, and make it anew")
	ErrNoAdjustment = errors.New("no such adjustment waits for a decision")
)

// AdjustmentSource is the source of the transactions that adjustments make; their external id is the
// adjustment's reference.
const AdjustmentSource = "adjustment"

// Adjustments are made by operators. It is safe for concurrent use.
type Adjustments struct {
	db        *postgres.DB
	poster    *wallet.Poster
	operators *access.Operators
	// approval is the largest amount, either way, that needs no second person.
	approval threshold.Sums
	now      func() time.Time
}

// NewAdjustments returns the adjustments kept in db. Those above approval need a second person.
func NewAdjustments(db *postgres.DB, poster *wallet.Poster, operators *access.Operators, approval threshold.Sums, now func() time.Time) *Adjustments {
	return &Adjustments{db: db, poster: poster, operators: operators, approval: approval, now: now}
}

const adjustmentColumns = `id, reference, player_id, amount, comment, operator, status, coalesce(decided_by, ''), coalesce(decision, ''), created_at, decided_at`

func scanAdjustment(row pgx.CollectableRow) (Adjustment, error) {
	var a Adjustment
	var decided pgtype.Timestamptz
	err := row.Scan(&a.ID, &a.Reference, &a.Player, &a.Amount, &a.Comment, &a.Operator, &a.Status, &a.DecidedBy, &a.Decision, &a.CreatedAt, &decided)
	a.CreatedAt, a.DecidedAt = a.CreatedAt.UTC(), postgres.Time(decided)
	return a, err
}

// adjuster returns the operator's e-mail as it is kept, where they may adjust: access.ErrForbidden where
// not, access.ErrNoOperator where there is none, or one who is disabled.
func adjuster(ctx context.Context, operators *access.Operators, email string) (string, error) {
	operator, err := operators.ByEmail(ctx, email)
	if err != nil {
		return "", fmt.Errorf("operator %s: %w", email, err)
	}
	if err := operator.Check(access.Adjust); err != nil {
		return "", err
	}
	return operator.Email, nil
}

// Make adjusts a player's cash, or has it wait for a second person where it is more than one may. The
// same reference again answers as it stands, ledger.ErrConflict where it was for something else;
// without a reference each call is another adjustment. wallet.ErrInsufficientFunds where more is to be
// taken than is there.
func (s *Adjustments) Make(ctx context.Context, player uuid.UUID, amount money.Amount, comment, operator, reference string) (Adjustment, error) {
	comment = strings.TrimSpace(comment)
	switch {
	case comment == "":
		return Adjustment{}, ErrNoComment
	case amount == 0:
		return Adjustment{}, ErrNoAmount
	}
	email, err := adjuster(ctx, s.operators, operator)
	if err != nil {
		return Adjustment{}, err
	}
	a := Adjustment{
		ID: dbclock.NewID(), Reference: reference, Player: player, Amount: amount, Comment: comment, Operator: email,
		Status: AdjustmentPosted, CreatedAt: s.now(),
	}
	if a.Reference == "" {
		a.Reference = a.ID.String()
	}
	if earlier, err := s.again(ctx, a); !errors.Is(err, ErrNoAdjustment) {
		return earlier, err // judged by its reference, not by today's rules
	}
	currency, err := s.currency(ctx, a.Player)
	if err != nil {
		return Adjustment{}, fmt.Errorf("adjust player %s: %w", player, err)
	}
	if !currency.Holds(amount) {
		return Adjustment{}, fmt.Errorf("amount %s: %w: %s has %d", amount, ErrDecimals, currency, currency.Decimals())
	}
	if s.approval.Exceeded(amount, currency) {
		a.Status = AdjustmentPending
		err = s.propose(ctx, a)
	} else {
		err = s.post(ctx, a, insertAdjusted)
	}
	if postgres.Violates(err, "adjustments_reference") || errors.Is(err, errKnownReference) {
		return s.again(ctx, a)
	}
	if err != nil {
		return Adjustment{}, fmt.Errorf("adjust player %s: %w", player, err)
	}
	return s.ByReference(ctx, a.Reference)
}

// currency is the currency of a player's wallet, or wallet.ErrUnknownPlayer. Index: players_pkey.
func (s *Adjustments) currency(ctx context.Context, player uuid.UUID) (currency money.Currency, err error) {
	err = s.db.Pool.QueryRow(ctx, `SELECT currency FROM players WHERE id = $1`, player).Scan(&currency)
	if errors.Is(err, pgx.ErrNoRows) {
		err = wallet.ErrUnknownPlayer
	}
	return currency, err
}

// again answers a reference that has been used.
func (s *Adjustments) again(ctx context.Context, a Adjustment) (Adjustment, error) {
	earlier, err := s.ByReference(ctx, a.Reference)
	if err == nil && (earlier.Player != a.Player || earlier.Amount != a.Amount) {
		err = fmt.Errorf("%w: %s", ledger.ErrConflict, a.Reference)
	}
	return earlier, err
}

const insertAdjustment = `
	INSERT INTO adjustments (id, reference, player_id, amount, comment, operator, status, created_at, decided_at)
	SELECT $1, $2, id, $4, $5, $6, $7, $8, $9 FROM players WHERE id = $3`

func (s *Adjustments) propose(ctx context.Context, a Adjustment) error {
	return postgres.InTx(ctx, s.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insertAdjustment, a.ID, a.Reference, a.Player, int64(a.Amount), a.Comment, a.Operator, string(a.Status), a.CreatedAt, nil)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return wallet.ErrUnknownPlayer
		}
		return activity.Log(ctx, tx, a.activity("adjustment_proposed", a.Operator, a.Comment, a.CreatedAt))
	})
}

func (a Adjustment) activity(event, operator, comment string, at time.Time) activity.Entry {
	return activity.Entry{
		At: at, Event: event, Operator: operator, Comment: comment, Player: uuid.NullUUID{UUID: a.Player, Valid: true},
		Detail: map[string]string{"adjustment": a.ID.String(), "reference": a.Reference, "amount": a.Amount.String()},
	}
}

// errKnownReference says that a reference has been posted under before.
var errKnownReference = errors.New("the reference was used before")

// errDecided says that somebody else decided first.
var errDecided = fmt.Errorf("%w: somebody has decided on it", ErrNoAdjustment)

// adjusted writes an adjustment, and its line of the activity log, in the commit that moves the money.
type adjusted struct {
	write func(*pgx.Batch)
}

// Queue implements wallet.RowSet.
func (r *adjusted) Queue(batch *pgx.Batch) { r.write(batch) }

func insertAdjusted(a Adjustment) func(*pgx.Batch) {
	return func(batch *pgx.Batch) {
		batch.Queue(insertAdjustment, a.ID, a.Reference, a.Player, int64(a.Amount), a.Comment, a.Operator, string(AdjustmentPosted), a.CreatedAt, a.CreatedAt)
		activity.Queue(batch, a.activity("adjustment", a.Operator, a.Comment, a.CreatedAt))
	}
}

const approveAdjustment = `
	UPDATE adjustments SET status = 'posted', decided_by = $2, decision = $3, decided_at = $4 WHERE id = $1 AND status = 'pending'`

func (s *Adjustments) post(ctx context.Context, a Adjustment, write func(Adjustment) func(*pgx.Batch)) error {
	key := ledger.Key{Source: AdjustmentSource, ExternalID: a.Reference}
	work := &wallet.Work{Players: []uuid.UUID{a.Player}, Keys: []ledger.Key{key}, At: s.now()}
	work.Decide = func(batch *wallet.Batch) error {
		purse := batch.Purse(a.Player)
		switch {
		case purse == nil:
			return wallet.ErrUnknownPlayer
		case batch.Known(key) != nil:
			return errKnownReference
		case a.Amount < 0 && purse.Cash.Balance < -a.Amount:
			return wallet.ErrInsufficientFunds
		}
		_, _, err := batch.Post(ledger.Transaction{
			Key: key, Kind: ledger.Adjustment, Player: a.Player, Payload: ledger.HashOf(a.ID.String(), a.Amount.String()),
			Operator: a.Operator, Comment: a.Comment, At: s.now(),
		}, wallet.Split{Cash: -a.Amount}.Moves(ledger.Adjustments)...)
		if err != nil {
			return err
		}
		batch.Rows(a.ID, func() wallet.RowSet { return &adjusted{write: write(a)} })
		return nil
	}
	return s.poster.Do(ctx, work)
}

// Approve posts an adjustment that waits. The one who approves is not the one who made it. The
// refusals are those of Make, ErrSamePerson, ErrNoAdjustment, and ErrNoProposer where who made it has been
// disabled since, or may not adjust any more.
func (s *Adjustments) Approve(ctx context.Context, id uuid.UUID, operator, comment string) (Adjustment, error) {
	a, email, err := s.decidable(ctx, id, operator)
	if err != nil {
		return Adjustment{}, err
	}
	if email == a.Operator {
		return Adjustment{}, ErrSamePerson
	}
	if _, err := adjuster(ctx, s.operators, a.Operator); err != nil {
		return Adjustment{}, fmt.Errorf("%w: %w", ErrNoProposer, err)
	}
	err = s.post(ctx, a, func(a Adjustment) func(*pgx.Batch) {
		return func(batch *pgx.Batch) {
			now := s.now()
			postgres.QueueExactly(batch, 1, "adjustments", approveAdjustment, a.ID, email, comment, now)
			activity.Queue(batch, a.activity("adjustment_approved", email, comment, now))
		}
	})
	if errors.Is(err, errKnownReference) || postgres.Miscounted(err) {
		err = errDecided
	}
	if err != nil {
		return Adjustment{}, fmt.Errorf("approve adjustment %s: %w", id, err)
	}
	return s.ByReference(ctx, a.Reference)
}

const refuseAdjustment = `
	UPDATE adjustments SET status = 'refused', decided_by = $2, decision = $3, decided_at = $4 WHERE id = $1 AND status = 'pending'`

// Refuse ends an adjustment that waits: nothing moves. Who made it may take it back.
func (s *Adjustments) Refuse(ctx context.Context, id uuid.UUID, operator, comment string) (Adjustment, error) {
	if strings.TrimSpace(comment) == "" {
		return Adjustment{}, ErrNoComment
	}
	a, email, err := s.decidable(ctx, id, operator)
	if err != nil {
		return Adjustment{}, err
	}
	err = postgres.InTx(ctx, s.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, refuseAdjustment, id, email, comment, s.now())
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errDecided
		}
		return activity.Log(ctx, tx, a.activity("adjustment_refused", email, comment, s.now()))
	})
	if err != nil {
		return Adjustment{}, fmt.Errorf("refuse adjustment %s: %w", id, err)
	}
	return s.ByReference(ctx, a.Reference)
}

func (s *Adjustments) decidable(ctx context.Context, id uuid.UUID, operator string) (a Adjustment, email string, err error) {
	if email, err = adjuster(ctx, s.operators, operator); err != nil {
		return Adjustment{}, "", err
	}
	a, err = s.one(ctx, "id = $1 AND status = 'pending'", id)
	return a, email, err
}

// ByReference returns the adjustment of a reference, or ErrNoAdjustment.
func (s *Adjustments) ByReference(ctx context.Context, reference string) (Adjustment, error) {
	return s.one(ctx, "reference = $1", reference)
}

func (s *Adjustments) one(ctx context.Context, where string, value any) (Adjustment, error) {
	rows, err := s.db.Pool.Query(ctx, `SELECT `+adjustmentColumns+` FROM adjustments WHERE `+where, value)
	if err != nil {
		return Adjustment{}, fmt.Errorf("read adjustment: %w", err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAdjustment)
	if errors.Is(err, pgx.ErrNoRows) {
		return Adjustment{}, ErrNoAdjustment
	}
	if err != nil {
		return Adjustment{}, fmt.Errorf("read adjustment: %w", err)
	}
	return a, nil
}

// Pending lists the adjustments that wait for a second person, oldest first.
func (s *Adjustments) Pending(ctx context.Context) ([]Adjustment, error) {
	rows, err := s.db.Pool.Query(ctx, `SELECT `+adjustmentColumns+` FROM adjustments WHERE status = 'pending' ORDER BY id LIMIT 500`)
	if err != nil {
		return nil, fmt.Errorf("list adjustments: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanAdjustment)
	if err != nil {
		return nil, fmt.Errorf("list adjustments: %w", err)
	}
	return list, nil
}

// AdjustmentChecks are the audit's rules about adjustments.
var AdjustmentChecks = []ledger.Check{
	{Name: "every posted adjustment moved its amount, and no other did", SQL: `
	SELECT coalesce(a.id::text, x.external_id), format('%s %s, moved %s', a.status, a.amount, x.amount)
	  FROM adjustments a
	  FULL JOIN (SELECT external_id, player_id, amount FROM transactions WHERE source = 'adjustment') x
	    ON x.external_id = a.reference AND x.player_id = a.player_id
	 WHERE a.id IS NULL OR (a.status = 'posted') <> (x.external_id IS NOT NULL) OR x.amount <> a.amount`},
}

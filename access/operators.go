package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"evens/activity"
	"evens/internal/dbclock"
	"evens/internal/postgres"
)

// Operator is someone who looks after players.
type Operator struct {
	ID          uuid.UUID
	Email       string
	Role        Role
	CreatedAt   time.Time
	LastLoginAt time.Time // zero: never
	DisabledAt  time.Time // zero: may log in
	SecondStep  bool      // logs in with a code too
	// Sessions is the generation of the operator's sessions: those of an earlier one have ended.
	Sessions int
}

// Errors of operators.
var (
	ErrEmail          = errors.New("not an e-mail address")
	ErrOperatorExists = errors.New("there is an operator with that e-mail")
	// ErrNoOperator says that there is no such operator, or that they are disabled.
	ErrNoOperator = errors.New("no such operator, or disabled")
)

// Operators keeps those who may log in. It is safe for concurrent use.
type Operators struct {
	db     *postgres.DB
	now    func() time.Time
	hasher *hasher
	delays *delays
}

// NewOperators returns the operators kept in db.
func NewOperators(db *postgres.DB, now func() time.Time) *Operators {
	return newOperators(db, now, newHasher(strong))
}

func newOperators(db *postgres.DB, now func() time.Time, hasher *hasher) *Operators {
	return &Operators{db: db, now: now, hasher: hasher, delays: &delays{db: db, now: now}}
}

// operatorRow is a line of the operators table.
type operatorRow struct {
	ID           uuid.UUID
	Email        string
	PasswordHash string
	Role         string
	CreatedAt    time.Time
	DisabledAt   *time.Time
	SessionEpoch int
	TOTPSecret   *string `gorm:"column:totp_secret"`
	LastLoginAt  *time.Time
}

// TableName implements gorm's Tabler.
func (operatorRow) TableName() string { return "operators" }

const operatorColumns = "id, email, password_hash, role, created_at, disabled_at, session_epoch, totp_secret, last_login_at"

func (r operatorRow) operator() (Operator, error) {
	if !slices.Contains(Roles(), Role(r.Role)) {
		return Operator{}, fmt.Errorf("operator %s: %w: %q", r.ID, ErrRole, r.Role)
	}
	o := Operator{
		ID: r.ID, Email: r.Email, Role: Role(r.Role), CreatedAt: r.CreatedAt.UTC(), SecondStep: r.TOTPSecret != nil, Sessions: r.SessionEpoch,
	}
	if r.LastLoginAt != nil {
		o.LastLoginAt = r.LastLoginAt.UTC()
	}
	if r.DisabledAt != nil {
		o.DisabledAt = r.DisabledAt.UTC()
	}
	return o, nil
}

const insertOperator = `INSERT INTO operators (id, email, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5)`

// Create adds an operator. E-mails are compared without regard to case.
func (o *Operators) Create(ctx context.Context, email string, role Role, password string) (Operator, error) {
	email = normal(email)
	local, domain, _ := strings.Cut(email, "@")
	switch {
	case local == "" || domain == "" || len(email) > 254 || strings.ContainsAny(email, " \t\r\n\x00"):
		return Operator{}, ErrEmail
	case !slices.Contains(Roles(), role):
		return Operator{}, fmt.Errorf("%w: %q", ErrRole, role)
	}
	hash, err := o.hasher.hash(ctx, password)
	if err != nil {
		return Operator{}, err
	}
	added := Operator{ID: dbclock.NewID(), Email: email, Role: role, CreatedAt: o.now().UTC()}
	err = postgres.InTx(ctx, o.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insertOperator, added.ID, email, hash, string(role), added.CreatedAt); err != nil {
			return fmt.Errorf("insert operator: %w", err)
		}
		return o.log(ctx, tx, EventOperatorCreated, email, map[string]any{"role": role})
	})
	if postgres.Violates(err, "operators_email") {
		return Operator{}, fmt.Errorf("%w: %s", ErrOperatorExists, email)
	}
	if err != nil {
		return Operator{}, err
	}
	return added, nil
}

// log writes down who changed an operator: "email" in the detail is who was changed.
func (o *Operators) log(ctx context.Context, tx pgx.Tx, event, email string, detail map[string]any) error {
	if detail == nil {
		detail = make(map[string]any, 1)
	}
	detail["email"] = email
	return activity.Log(ctx, tx, activity.Entry{At: o.now(), Event: event, Operator: actor(ctx), Detail: detail})
}

// Get returns an operator by id, or ErrNoOperator.
func (o *Operators) Get(ctx context.Context, id uuid.UUID) (Operator, error) {
	return o.one(ctx, "id = ? AND disabled_at IS NULL", id)
}

// ByEmail returns an operator, or ErrNoOperator.
func (o *Operators) ByEmail(ctx context.Context, email string) (Operator, error) {
	return o.one(ctx, "email = ? AND disabled_at IS NULL", normal(email))
}

func (o *Operators) one(ctx context.Context, where string, value any) (Operator, error) {
	found, err := o.row(ctx, where, value)
	if err != nil {
		return Operator{}, err
	}
	return found.operator()
}

// List returns all operators by e-mail, those who are disabled too.
func (o *Operators) List(ctx context.Context) ([]Operator, error) {
	rows, err := gorm.G[operatorRow](o.db.Gorm).Select(operatorColumns).Order("email").Find(ctx)
	if err != nil {
		return nil, fmt.Errorf("list operators: %w", err)
	}
	operators := make([]Operator, len(rows))
	for i, found := range rows {
		if operators[i], err = found.operator(); err != nil {
			return nil, err
		}
	}
	return operators, nil
}

func (o *Operators) row(ctx context.Context, where string, value any) (operatorRow, error) {
	found, err := gorm.G[operatorRow](o.db.Gorm).Select(operatorColumns).Where(where, value).Take(ctx)
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return operatorRow{}, ErrNoOperator
	}
	if err != nil {
		return operatorRow{}, fmt.Errorf("read operator: %w", err)
	}
	return found, nil
}

func normal(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

package player

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/bcrypt"
	"gorm.io/gorm"

	"evens/internal/postgres"
)

// Role is how much of the console an operator may use. Each includes those before it.
type Role string

// The roles, least first.
const (
	Viewer    Role = "viewer"
	Supporter Role = "operator"
	Finance   Role = "finance"
	Admin     Role = "admin"
)

// Roles lists the roles, least first.
func Roles() []Role { return []Role{Viewer, Supporter, Finance, Admin} }

// AtLeast reports whether r includes what least may do. An unknown role includes nothing.
func (r Role) AtLeast(least Role) bool {
	return slices.Contains(Roles(), r) && slices.Index(Roles(), r) >= slices.Index(Roles(), least)
}

// Operator is someone who looks after players.
type Operator struct {
	ID        uuid.UUID
	Email     string
	Role      Role
	CreatedAt time.Time
}

// Errors of operators.
var (
	// ErrLogin says that the e-mail is unknown or the password wrong: which is nobody's business.
	ErrLogin          = errors.New("wrong e-mail or password")
	ErrRole           = errors.New("not a role: viewer, operator, finance or admin")
	ErrEmail          = errors.New("not an e-mail address")
	ErrPassword       = errors.New("a password has 10 to 72 characters")
	ErrOperatorExists = errors.New("there is an operator with that e-mail")
	ErrNoOperator     = errors.New("no such operator")
)

const (
	minPassword = 10
	maxPassword = 72 // bcrypt reads no further
	bcryptCost  = 12
)

// Operators keeps those who may log in to the console. It is safe for concurrent use.
type Operators struct {
	db   *postgres.DB
	now  func() time.Time
	cost int
	// decoy is compared with where there is no operator, so that the time taken does not tell.
	decoy func() []byte
}

// NewOperators returns the operators kept in db.
func NewOperators(db *postgres.DB, now func() time.Time) *Operators {
	return newOperators(db, now, bcryptCost)
}

func newOperators(db *postgres.DB, now func() time.Time, cost int) *Operators {
	return &Operators{db: db, now: now, cost: cost, decoy: sync.OnceValue(func() []byte {
		hash, _ := bcrypt.GenerateFromPassword([]byte("nobody's password"), cost) // fails on long passwords only
		return hash
	})}
}

// operatorRow is a line of the operators table.
type operatorRow struct {
	ID           uuid.UUID
	Email        string
	PasswordHash string
	Role         string
	CreatedAt    time.Time
}

// TableName implements gorm's Tabler.
func (operatorRow) TableName() string { return "operators" }

const operatorColumns = "id, email, password_hash, role, created_at"

func (r operatorRow) operator() (Operator, error) {
	if !slices.Contains(Roles(), Role(r.Role)) {
		return Operator{}, fmt.Errorf("operator %s: %w: %q", r.ID, ErrRole, r.Role)
	}
	return Operator{ID: r.ID, Email: r.Email, Role: Role(r.Role), CreatedAt: r.CreatedAt.UTC()}, nil
}

const insertOperator = `INSERT INTO operators (id, email, password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5)`

// Create adds an operator. E-mails are compared without regard to case.
func (o *Operators) Create(ctx context.Context, email string, role Role, password string) (Operator, error) {
	email = normal(email)
	local, domain, _ := strings.Cut(email, "@")
	switch {
	case local == "" || domain == "" || len(email) > 254 || strings.ContainsAny(email, " \t\r\n"):
		return Operator{}, ErrEmail
	case !slices.Contains(Roles(), role):
		return Operator{}, fmt.Errorf("%w: %q", ErrRole, role)
	case len([]rune(password)) < minPassword || len(password) > maxPassword:
		return Operator{}, ErrPassword
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), o.cost)
	if err != nil {
		return Operator{}, fmt.Errorf("hash password: %w", err)
	}
	added := Operator{ID: uuid.Must(uuid.NewV7()), Email: email, Role: role, CreatedAt: o.now().UTC()}
	err = postgres.InTx(ctx, o.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insertOperator, added.ID, email, string(hash), string(role), added.CreatedAt); err != nil {
			return fmt.Errorf("insert operator: %w", err)
		}
		return Log(ctx, tx, Activity{
			At: added.CreatedAt, Event: EventOperatorCreated, Detail: map[string]any{"email": email, "role": role},
		})
	})
	if postgres.Violates(err, "operators_email") {
		return Operator{}, fmt.Errorf("%w: %s", ErrOperatorExists, email)
	}
	if err != nil {
		return Operator{}, err
	}
	return added, nil
}

// Authenticate returns the operator whose password this is, or ErrLogin. It takes as long for
// an unknown e-mail as for a wrong password.
func (o *Operators) Authenticate(ctx context.Context, email, password string) (Operator, error) {
	found, err := o.row(ctx, "email = ?", normal(email))
	if errors.Is(err, ErrNoOperator) {
		_ = bcrypt.CompareHashAndPassword(o.decoy(), []byte(password)) // for the time it takes
		return Operator{}, ErrLogin
	}
	if err != nil {
		return Operator{}, err
	}
	if bcrypt.CompareHashAndPassword([]byte(found.PasswordHash), []byte(password)) != nil {
		return Operator{}, ErrLogin
	}
	return found.operator()
}

// Get returns an operator by id, or ErrNoOperator.
func (o *Operators) Get(ctx context.Context, id uuid.UUID) (Operator, error) {
	found, err := o.row(ctx, "id = ?", id)
	if err != nil {
		return Operator{}, err
	}
	return found.operator()
}

// ByEmail returns an operator, or ErrNoOperator.
func (o *Operators) ByEmail(ctx context.Context, email string) (Operator, error) {
	found, err := o.row(ctx, "email = ?", normal(email))
	if err != nil {
		return Operator{}, err
	}
	return found.operator()
}

// List returns all operators by e-mail.
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

package coupon

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"evens/money"
)

// Coupon is a coupon as its player sees it.
type Coupon struct {
	ID          uuid.UUID
	Provider    string // the bookmaker that has it, or was asked
	Player      uuid.UUID
	Status      Status
	Currency    money.Currency
	Stake       money.Amount
	Coef        money.Coef // as asked for until accepted, then as BeT took it
	PossibleWin money.Amount
	Payout      money.Amount
	BetCode     string // the bookmaker's own, and unique among its coupons only; "" until accepted
	RateMode    string
	Lang        string
	Selections  []Selection
	// ErrorCode is a stable code where the coupon is rejected or unconfirmed; ErrorMessage says
	// it in words.
	ErrorCode    string
	ErrorMessage string
	PlacedAt     time.Time
	SettledAt    time.Time // zero: not settled
	Settlements  []Settlement

	sent           money.Amount // realAmount as BeT was told it
	sentCurrency   money.Currency
	differences    []difference // between what was sent and what BeT's answer says
	nominal        bool
	answeredStatus Status
	bonusStake     money.Amount // the part of the stake that the bonus pocket paid
	bonusID        uuid.NullUUID
	contribution   money.Amount // what it counts towards that bonus once it is won or lost
}

// Selection is one outcome of one match.
type Selection struct {
	Pointer    string
	MatchID    string
	Teams      string // "" unless BeT told
	Tournament string
	BetName    string
	Coef       money.Coef
	Live       bool
	EventDate  time.Time // zero unless BeT told
}

// Settlement is what one result, or an operator, did to a coupon's payout.
type Settlement struct {
	At           time.Time
	Outcome      string
	PayoutBefore money.Amount
	PayoutAfter  money.Amount
	Result       Result // none where the outcome is cancelled
}

// Result is BeT's word behind a settlement.
type Result struct {
	Status    int
	ExtStatus int
	AmountOut money.Amount
	HasAmount bool
	DecidedAt time.Time
}

// ErrNotFound says that there is no such coupon.
var ErrNotFound = errors.New("no such coupon")

// ErrOtherBookmaker says that a coupon is with another bookmaker than the one that was to be asked about it.
var ErrOtherBookmaker = errors.New("the coupon is another bookmaker's")

// ErrInProgress says that a call with the same Idempotency-Key is still under way.
var ErrInProgress = errors.New("a call with this Idempotency-Key is still under way")

// Codes of coupons that never reached a bookmaker's decision. BeT's own are in package bet.
const (
	CodeUnconfirmed = "unconfirmed"         // BeT's answer was lost or makes no sense
	CodeInterrupted = "interrupted"         // we stopped between reserving and recording
	CodeExpired     = "unconfirmed_expired" // nobody ever confirmed it; the stake went back
	CodeDuplicate   = "duplicate_bet_code"  // BeT answered with another coupon's code
)

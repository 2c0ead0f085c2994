package statement

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"evens/internal/jsonin"
	"evens/money"
)

// Type is what a line says happened, in a list as in a file.
type Type string

// The types of line.
const (
	Debit    Type = "debit"    // a bet, a withdrawal: money left the player
	Credit   Type = "credit"   // a win, a deposit
	Reversal Type = "rollback" // a transaction was undone
	Coupon   Type = "coupon"   // a coupon, by its BarCode
)

// Status is where a line stands, in a list as in a file.
type Status string

// The statuses: of transactions, then of coupons. Pending is what proves nothing yet, or a provider's word that
// nobody knows. In a list a bet is Open that stands, and may still be won or undone.
const (
	OK       Status = "ok"
	Failed   Status = "failed"
	Pending  Status = "pending"
	Open     Status = "open"
	Won      Status = "won"
	Lost     Status = "lost"
	Refunded Status = "refunded"
)

// Line is one line of a provider's list.
type Line struct {
	TransactionID string
	Type          Type
	Player        string // as the provider knows the player; "" where the list does not say
	Amount        money.Amount
	NoAmount      bool   // a coupon's: the list says none, which is not zero
	Currency      string // "" where the list does not say
	Status        Status
	Word          string // the provider's own for the status
	At            time.Time
	Undated       bool // a coupon's: the list says no time that can be read, and At is the epoch
	Round         string
}

// fits reports whether a line's status is one of its type.
func (l Line) fits() bool {
	switch l.Status {
	case Pending:
		return true
	case Open:
		return l.Type == Coupon || l.Type == Debit
	case Won, Lost, Refunded:
		return l.Type == Coupon
	default:
		return l.Type != Coupon
	}
}

const (
	longestID       = 255
	longestCurrency = 16
)

// Check names the field of a line that is wrong.
func (l Line) Check() error {
	switch {
	case l.TransactionID == "":
		return errors.New("transaction_id is empty")
	case len(l.TransactionID) > longestID || len(l.Round) > longestID || len(l.Player) > longestID:
		return fmt.Errorf("an id of more than %d bytes", longestID)
	case len(l.Currency) > longestCurrency:
		return fmt.Errorf("currency of more than %d bytes", longestCurrency)
	case strings.ContainsRune(l.TransactionID+l.Round+l.Player+l.Currency, 0):
		return errors.New("an id with a zero byte")
	case l.Amount < 0:
		return errors.New("amount is below zero: the type says which way money went")
	case l.At.IsZero(), l.Undated && l.Type != Coupon:
		return errors.New("at is missing")
	}
	if err := jsonin.ID(l.TransactionID, longestID); err != nil {
		return fmt.Errorf("transaction_id %w", err)
	}
	if !l.fits() {
		return fmt.Errorf("status %q does not go with type %q", l.Status, l.Type)
	}
	return nil
}

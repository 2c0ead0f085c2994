package statementfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"evens/internal/jsonin"
	"evens/money"
	"evens/reconcile/statement"
)

// Type is what a line says happened.
type Type = statement.Type

// The types of line. A line that is ignored is counted and otherwise not there. A Rollback is about the transaction
// of Reference, or of its own id.
const (
	Debit    = statement.Debit
	Credit   = statement.Credit
	Rollback = statement.Reversal
	Coupon   = statement.Coupon
	ignore   = Type("ignore")
)

// Status is where a line stands.
type Status = statement.Status

// The statuses: of transactions, then of coupons. What is Pending is not known yet.
const (
	OK       = statement.OK
	Failed   = statement.Failed
	Pending  = statement.Pending
	Open     = statement.Open
	Won      = statement.Won
	Lost     = statement.Lost
	Refunded = statement.Refunded
)

// Line is one line of a file that counts.
type Line struct {
	// Number of the line as an editor counts it, from 1.
	Number        int
	TransactionID string
	// Reference is the id that a rollback is about, where the file has a column for it.
	Reference string
	Type      Type
	// Player as the provider knows the player; "" where the file does not say. So Currency and Round.
	Player   string
	Amount   money.Amount
	Currency string
	Status   Status
	// NoAmount and Undated say of a coupon that the file leaves its amount, or its time, empty.
	NoAmount, Undated bool
	// At is the line's time; where the file has no clock, the beginning of its day, and Day is set.
	At    time.Time
	Day   bool
	Round string
}

// LineError says which line of a file is wrong, and why. The first line is 1.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *LineError) Unwrap() error { return e.Err }

// typeWords are the usual words of files that have no mapping for them. They belong to who wrote the
// file: a payment gateway's payout is money out, a game platform's is a win.
func typeWords(provider string) map[string]Type {
	switch provider {
	case "cashier":
		return map[string]Type{
			"debit": Debit, "withdrawal": Debit, "withdraw": Debit, "payout": Debit, "credit": Credit, "deposit": Credit,
			"rollback": Rollback, "refund": Rollback, "reversal": Rollback, "chargeback": Rollback,
		}
	case "bet":
		return map[string]Type{"coupon": Coupon}
	default:
		return map[string]Type{
			"debit": Debit, "bet": Debit, "stake": Debit, "credit": Credit, "win": Credit, "payout": Credit,
			"rollback": Rollback, "refund": Rollback, "cancel": Rollback,
		}
	}
}

// statusWords are the usual words for where a transaction, or a coupon, stands.
func statusWords(coupon bool) map[string]Status {
	if coupon {
		return map[string]Status{
			"open": Open, "accepted": Open, "pending": Open, "won": Won, "win": Won, "lost": Lost, "loss": Lost, "lose": Lost,
			"refunded": Refunded, "refund": Refunded,
		}
	}
	return map[string]Status{
		"ok": OK, "success": OK, "succeeded": OK, "completed": OK, "done": OK, "settled": OK, "paid": OK,
		"failed": Failed, "rejected": Failed, "declined": Failed, "canceled": Failed, "cancelled": Failed, "returned": Failed,
		"pending": Pending,
	}
}

// placeholders are what files write where there is no id.
var placeholders = []string{
	"-", "--", "—", "nonref", "null", "nil", "none", "n/a", "na", "#n/a", "#ref!", "#value!", "nan", "undefined", "unknown", "0", "?", ".",
}

// placeholder reports whether a text stands where an id is missing.
func placeholder(id string) bool { return slices.Contains(placeholders, strings.ToLower(id)) }

const longestID = 255

// checkID refuses what cannot be an id as its owner wrote it.
func checkID(id string) error {
	switch {
	case id == "":
		return errors.New("is empty")
	case placeholder(id):
		return fmt.Errorf("%q stands where there is no id", id)
	case len(id) > longestID:
		return fmt.Errorf("more than %d bytes", longestID)
	case roundedBySpreadsheet.MatchString(id):
		return fmt.Errorf("%q is a number that a spreadsheet has shortened", id)
	}
	err := jsonin.ID(id, longestID)
	if errors.Is(err, jsonin.ErrCharacters) {
		return fmt.Errorf("%q has a character that does not show", id)
	}
	return err
}

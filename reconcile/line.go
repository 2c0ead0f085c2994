package reconcile

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"evens/money"
)

// Type is what a line says happened.
type Type string

// The types of line.
const (
	Debit    Type = "debit"    // a bet, a withdrawal: money left the player
	Credit   Type = "credit"   // a win, a deposit
	Reversal Type = "rollback" // the transaction of this id was undone
	Coupon   Type = "coupon"   // a coupon, by its BarCode
)

// Status is where a line stands.
type Status string

// The statuses: of transactions, then of coupons.
const (
	OK       Status = "ok"
	Failed   Status = "failed"
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
	Currency      string // "" where the list does not say
	Status        Status
	At            time.Time
	Round         string
}

// types and statuses are the words of lists for the few that matter.
var types = map[string]Type{
	"debit": Debit, "bet": Debit, "withdrawal": Debit, "credit": Credit, "win": Credit, "deposit": Credit, "payout": Credit,
	"rollback": Reversal, "refund": Reversal, "cancel": Reversal, "coupon": Coupon,
}

var statuses = map[string]Status{
	"ok": OK, "success": OK, "succeeded": OK, "completed": OK, "done": OK, "settled": OK, "paid": OK,
	"failed": Failed, "error": Failed, "rejected": Failed, "canceled": Failed, "cancelled": Failed, "returned": Failed,
	"open": Open, "accepted": Open, "pending": Open, "won": Won, "win": Won, "lost": Lost, "loss": Lost, "lose": Lost,
	"refunded": Refunded, "refund": Refunded, "returned_stake": Refunded,
}

const longestID = 255

// check names the field of a line that is wrong.
func (l Line) check() error {
	switch {
	case l.TransactionID == "":
		return errors.New("transaction_id is empty")
	case len(l.TransactionID) > longestID || len(l.Round) > longestID || len(l.Player) > longestID:
		return fmt.Errorf("an id of more than %d bytes", longestID)
	case strings.ContainsRune(l.TransactionID+l.Round+l.Player, 0):
		return errors.New("an id with a zero byte")
	case l.Amount < 0:
		return errors.New("amount is below zero: the type says which way money went")
	case l.At.IsZero():
		return errors.New("at is missing")
	}
	coupon := l.Type == Coupon
	decided := l.Status == Open || l.Status == Won || l.Status == Lost || l.Status == Refunded
	if coupon != decided {
		return fmt.Errorf("status %q does not go with type %q", l.Status, l.Type)
	}
	return nil
}

package settlement

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"evens/coupon/bet"
	"evens/money"
)

// Head is one coupon's result as BeT pushes it (seed 003, "Отправка результатов").
type Head struct {
	BarCode   string
	DecidedAt time.Time // DateRecive
	Word

	// Fault says why the Head cannot be read: it is parked with its text, Raw. BarCode is then a name made
	// from the text, so that the same text comes to the same name, and DecidedAt is the epoch.
	Raw   string
	Fault string
}

// FieldError names the part of a push, or of a Head, that cannot be read.
type FieldError struct {
	Field  string
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// ErrSyntax says that a push is no JSON at all.
var ErrSyntax = errors.New("not valid JSON")

// wirePush takes the spellings seen in the wild: "Heads" or "heads" (encoding/json ignores
// case), BarCode or BetCode, numbers as numbers or as strings.
type wirePush struct {
	Heads *[]json.RawMessage
}

type wireHead struct {
	KeyHead struct {
		BarCode scalar
		BetCode scalar
	}
	BarCode    scalar
	BetCode    scalar
	Status     scalar
	ExtStatus  scalar
	AmountOut  scalar
	DateRecive scalar
}

// scalar is the text of a JSON string or number, "" for null or nothing. It never fails, so
// that a wrong part of one Head can be named by its place.
type scalar struct {
	text  string
	wrong bool // true, false, an object or an array
}

func (s *scalar) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		if err := json.Unmarshal(data, &s.text); err != nil {
			return err
		}
		s.text = strings.TrimSpace(s.text)
	case 'n':
	case 't', 'f', '{', '[':
		s.wrong = true
	default:
		s.text = string(data)
	}
	return nil
}

// number is the scalar as a provider's number; missing tells an absent one.
func (s scalar) number() (n money.Number, missing bool, err error) {
	if s.wrong {
		return "", false, errors.New("is neither a number nor a string")
	}
	return money.Number(s.text), s.text == "", nil
}

// ParsePush reads a result push of one or thousands of Heads. It answers ErrSyntax for what is no JSON and a
// *FieldError where there is no list of Heads. A Head of which a part is missing or of the wrong type has a
// Fault; the others count. A value that can be read but makes no sense (an unknown Status, a negative
// AmountOut) is for the target rule.
func ParsePush(body []byte) ([]Head, error) {
	var push wirePush
	if err := json.Unmarshal(body, &push); err != nil {
		if typeErr, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, &FieldError{Field: cmpField(typeErr.Field), Reason: "is a " + typeErr.Value + ", not what BeT's document says"}
		}
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	if push.Heads == nil {
		return nil, &FieldError{Field: "Heads", Reason: "is missing"}
	}
	heads := make([]Head, len(*push.Heads))
	for i, raw := range *push.Heads {
		head, err := parseHead(raw)
		if err != nil {
			head = unreadable(raw, fmt.Sprintf("Heads[%d].%s", i, err))
		}
		heads[i] = head
	}
	return heads, nil
}

func parseHead(raw json.RawMessage) (Head, error) {
	var wire wireHead
	if len(raw) == 0 || raw[0] != '{' {
		return Head{}, &FieldError{Field: "KeyHead", Reason: "is missing: the Head is no object"}
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		typeErr, ok := errors.AsType[*json.UnmarshalTypeError](err)
		if !ok {
			return Head{}, err
		}
		return Head{}, &FieldError{Field: cmpField(typeErr.Field), Reason: "is a " + typeErr.Value + ", not what BeT's document says"}
	}
	return wire.head()
}

// longestRaw bounds the text that is kept with an unreadable Head; the whole body is among the callbacks.
const longestRaw = 64 << 10

// unreadablePrefix begins the name of an unreadable Head. No BarCode has a blank.
const unreadablePrefix = "unreadable "

func unreadable(raw []byte, fault string) Head {
	digest := sha256.Sum256(raw)
	return Head{
		BarCode: unreadablePrefix + hex.EncodeToString(digest[:16]), DecidedAt: time.Unix(0, 0).UTC(),
		Raw: string(raw[:min(len(raw), longestRaw)]), Fault: fault,
	}
}

func cmpField(field string) string {
	if field == "" {
		return "body"
	}
	return field
}

func (w *wireHead) head() (Head, error) {
	var head Head
	for _, spelling := range []scalar{w.KeyHead.BarCode, w.KeyHead.BetCode, w.BarCode, w.BetCode} {
		if head.BarCode = spelling.text; head.BarCode != "" || spelling.wrong {
			break
		}
	}
	if head.BarCode == "" {
		return Head{}, &FieldError{Field: "KeyHead.BarCode", Reason: "is missing"}
	}
	if err := bet.CheckCode(head.BarCode); err != nil { // as at placing
		return Head{}, &FieldError{Field: "KeyHead.BarCode", Reason: err.Error()}
	}
	var err error
	if head.Status, err = statusNumber(w.Status, true); err != nil {
		return Head{}, &FieldError{Field: "Status", Reason: err.Error()}
	}
	if head.ExtStatus, err = statusNumber(w.ExtStatus, false); err != nil {
		return Head{}, &FieldError{Field: "ExtStatus", Reason: err.Error()}
	}
	if head.AmountOut, head.HasAmount, err = amountOut(w.AmountOut); err != nil {
		return Head{}, &FieldError{Field: "AmountOut", Reason: err.Error()}
	}
	if head.DecidedAt, err = decidedAt(w.DateRecive); err != nil {
		return Head{}, &FieldError{Field: "DateRecive", Reason: err.Error()}
	}
	return head, nil
}

var errMissing = errors.New("is missing")

func statusNumber(s scalar, required bool) (int, error) {
	n, missing, err := s.number()
	switch {
	case err != nil:
		return 0, err
	case missing && required:
		return 0, errMissing
	case missing:
		return 0, nil
	}
	value, err := n.Int()
	if err != nil {
		return 0, err
	}
	if value < math.MinInt32 || value > math.MaxInt32 {
		return 0, money.ErrOverflow
	}
	return int(value), nil
}

func amountOut(s scalar) (amount money.Amount, present bool, err error) {
	n, missing, err := s.number()
	if err != nil || missing {
		return 0, false, err
	}
	amount, err = n.Amount()
	return amount, err == nil, err
}

// Above this, a time counts milliseconds: in seconds it would be the year 5138.
const firstMillisecond = 100_000_000_000

func decidedAt(s scalar) (time.Time, error) {
	n, missing, err := s.number()
	if err != nil {
		return time.Time{}, err
	}
	if missing {
		return time.Time{}, errMissing
	}
	value, err := n.Int()
	switch {
	case err != nil:
		return time.Time{}, err
	case value <= 0 || value >= firstMillisecond*1000:
		return time.Time{}, errors.New("is not a Unix time")
	case value >= firstMillisecond:
		return time.UnixMilli(value).UTC(), nil
	default:
		return time.Unix(value, 0).UTC(), nil
	}
}

// byDecision orders heads as the inbox's unique key begins: concurrent pushes of the same results
// insert in one order, and wait for each other instead of deadlocking. Of heads with the same
// BarCode and DateRecive the order of arrival is kept (the sort is stable), for it decides.
func byDecision(a, b Head) int {
	if order := strings.Compare(a.BarCode, b.BarCode); order != 0 {
		return order
	}
	return a.DecidedAt.Compare(b.DecidedAt)
}

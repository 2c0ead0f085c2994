package settlement

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"evens/coupon/bet"
	"evens/internal/jsonin"
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

// door is how pushes are read: as patiently as BeT's answers.
var door = jsonin.Door{TrailingCommas: true}

// wirePush is a push, with the spellings that BeT is known to use. Each Head is read by itself, so that a bad one
// does not spoil its neighbours.
type wirePush struct {
	Heads *[]jsonin.Raw `json:"Heads,case:ignore" spelt:"heads"`
}

// wireHead is a Head. The code may also stand outside of KeyHead; numbers come as numbers or as texts.
type wireHead struct {
	KeyHead    wireKey `json:"KeyHead"`
	BarCode    scalar  `json:"BarCode"`
	BetCode    scalar  `json:"BetCode,case:ignore" spelt:"betCode"`
	Status     scalar  `json:"Status"`
	ExtStatus  scalar  `json:"ExtStatus"`
	AmountOut  scalar  `json:"AmountOut"`
	DateRecive scalar  `json:"DateRecive"`
}

type wireKey struct {
	BarCode scalar `json:"BarCode"`
	BetCode scalar `json:"BetCode,case:ignore" spelt:"betCode"`
}

// scalar is a text or the spelling of a number, "" for null or nothing. It never fails, so that a wrong part of
// one Head can be named by its place.
type scalar struct {
	text  string
	wrong bool // true, false, an object or an array
}

func (s *scalar) UnmarshalJSON(data []byte) error {
	var word jsonin.Word
	s.wrong = word.UnmarshalJSON(data) != nil
	s.text = string(word)
	return nil
}

// number is the scalar as a provider's number; missing tells an absent one.
func (s scalar) number() (n money.Number, missing bool, err error) {
	if s.wrong {
		return "", false, errors.New("is neither a number nor a string")
	}
	text := strings.TrimSpace(s.text)
	return money.Number(text), text == "", nil
}

// ParsePush reads a result push of one or thousands of Heads. It answers ErrSyntax for what is no JSON and a
// *FieldError where there is no one list of Heads. A Head of which a part is missing, of the wrong type, there
// twice or in other letters than BeT's has a Fault; the others count. A value that can be read but makes no sense
// (an unknown Status, a negative AmountOut) is for the target rule.
func ParsePush(body []byte) ([]Head, error) {
	var push wirePush
	if err := door.Unmarshal(body, &push); err != nil {
		refused, ok := errors.AsType[*jsonin.Error](err)
		if !ok || errors.Is(err, jsonin.ErrSyntax) || errors.Is(err, jsonin.ErrText) {
			return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		return nil, &FieldError{Field: cmp.Or(refused.Member, "body"), Reason: refused.Reason.Error()}
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

func parseHead(raw jsonin.Raw) (Head, error) {
	if raw.Kind() != '{' {
		return Head{}, &FieldError{Field: "KeyHead", Reason: "is missing: the Head is no object"}
	}
	var wire wireHead
	if err := jsonin.Unmarshal(raw, &wire); err != nil {
		refused, ok := errors.AsType[*jsonin.Error](err)
		if !ok {
			return Head{}, err
		}
		return Head{}, &FieldError{Field: cmp.Or(refused.Member, "body"), Reason: refused.Reason.Error()}
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

// barCode is the one code that a Head has, wherever it stands.
func (w *wireHead) barCode() (string, error) {
	code := ""
	for _, spelling := range []scalar{w.KeyHead.BarCode, w.KeyHead.BetCode, w.BarCode, w.BetCode} {
		switch {
		case spelling.wrong:
			return "", errors.New("is neither a number nor a string")
		case code != "" && spelling.text != "" && spelling.text != code:
			return "", errors.New("is told twice, and not the same")
		}
		code = cmp.Or(code, spelling.text)
	}
	if code == "" {
		return "", errMissing
	}
	return code, bet.CheckCode(code) // as at placing
}

func (w *wireHead) head() (Head, error) {
	var head Head
	var err error
	if head.BarCode, err = w.barCode(); err != nil {
		return Head{}, &FieldError{Field: "KeyHead.BarCode", Reason: err.Error()}
	}
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

func decidedAt(s scalar) (time.Time, error) {
	n, missing, err := s.number()
	if err != nil {
		return time.Time{}, err
	}
	if missing {
		return time.Time{}, errMissing
	}
	return bet.Decided(string(n))
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

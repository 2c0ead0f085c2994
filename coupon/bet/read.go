package bet

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"evens/internal/jsonin"
	"evens/money"
)

const (
	// readLimit is how many coupons one call asks for; the successor API's limit (providers 5.3).
	readLimit = 100
	// readAttempts allows for one lost session or one bad connection. Reading changes nothing.
	readAttempts = 2
)

// Head is what BeT says of a coupon: the same as in a pushed result, and status 1 while the
// coupon is open.
type Head struct {
	// ID is BeT's number for the record, of no use to us.
	ID string
	// BarCode is the coupon's bet code.
	BarCode string
	// Status is 1 open, 2 won, 4 lost (seed 003); ExtStatus is 1 when a match was voided.
	Status, ExtStatus int
	// AmountOut counts in the realAmount that was sent; for a lost coupon it is only what
	// could have been won. HasAmount is false where there is none, or none that can be read.
	AmountOut money.Amount
	HasAmount bool
	// DateRecive is when BeT decided, UTC; the zero time where BeT did not say. (The spelling is
	// BeT's.)
	DateRecive time.Time
	// Told are the terms, where BeT repeats them.
	Told Told
	// Unread names what was there and makes no sense: "AmountOut", "DateRecive".
	Unread []string
}

// OddHead is an entry of a list that makes no sense.
type OddHead struct {
	// BarCode is the coupon's, "" where not even that can be told.
	BarCode string
	Text    json.RawMessage // as it came, put right as far as JSON goes
	Reason  string
}

// List is what BeT says of some coupons.
type List struct {
	Heads []Head
	Odd   []OddHead
}

// headsReply is what /loadbars/ answers. Its shape is in no document: it is taken to be that of
// the result push, {"Heads":[…]}, at the top or within "d", and "d" may be the list itself.
type headsReply struct {
	Heads     json.RawMessage `json:"Heads"`
	D         json.RawMessage `json:"d"`
	ErrorCode code            `json:"errorCode"`
	FullError code            `json:"fullErrorCode"`
}

// wireHead is one of Heads. The bar code may also stand outside of KeyHead, under either name.
type wireHead struct {
	KeyHead struct {
		ID      text `json:"Id"`
		BarCode text `json:"BarCode"`
		BetCode text `json:"BetCode"`
	} `json:"KeyHead"`
	BarCode    text   `json:"BarCode"`
	BetCode    text   `json:"BetCode"`
	Status     code   `json:"Status"`
	ExtStatus  code   `json:"ExtStatus"`
	AmountOut  figure `json:"AmountOut"`
	DateRecive text   `json:"DateRecive"`
	wireTold
}

// Read is [Client.List] without the entries that make no sense.
func (c *Client) Read(ctx context.Context, betCodes []string) ([]Head, error) {
	list, err := c.List(ctx, betCodes)
	return list.Heads, err
}

// List asks how coupons stand, a hundred at a time. Coupons that BeT does not know are missing from the answer;
// its order is BeT's. On an error nothing is returned, and asking again is safe.
func (c *Client) List(ctx context.Context, betCodes []string) (List, error) {
	var all List
	for len(betCodes) > 0 {
		n := min(len(betCodes), readLimit)
		list, err := c.readBatch(ctx, betCodes[:n])
		if err != nil {
			return List{}, fmt.Errorf("read %d bet coupons: %w", n, err)
		}
		all.Heads, all.Odd = append(all.Heads, list.Heads...), append(all.Odd, list.Odd...)
		betCodes = betCodes[n:]
	}
	return all, nil
}

func (c *Client) readBatch(ctx context.Context, betCodes []string) (List, error) {
	payload, err := json.Marshal(struct {
		Login string   `json:"login"`
		Links []string `json:"links"`
	}{c.login, betCodes})
	if err != nil {
		return List{}, err
	}
	for attempt := 1; ; attempt++ {
		start := c.now()
		list, err := c.readOnce(ctx, payload)
		outcome := "ok"
		if err != nil {
			outcome = "error"
		}
		c.observe("read", outcome, c.now().Sub(start))
		if err == nil || attempt == readAttempts || ctx.Err() != nil || breakerOpen(err) || errors.Is(err, ErrLogin) || errors.Is(err, errPaused) {
			return list, err
		}
	}
}

func (c *Client) readOnce(ctx context.Context, payload []byte) (list List, err error) {
	s, err := c.sessions.get(ctx)
	if err != nil {
		return List{}, err
	}
	err = c.reading.guard(func() error {
		r, err := c.exchange(ctx, pathRead, payload, s.cookies)
		if err != nil {
			return err
		}
		list, err = judgeRead(r)
		c.sessions.renewed(ctx, s, r)
		switch {
		case errors.Is(err, errSession):
			c.sessions.forget(ctx, s)
		case errors.Is(err, errStranger):
			c.sessions.doubt(ctx, s)
		default:
			c.sessions.answered(ctx, s)
		}
		return err
	})
	return list, err
}

// errStranger says that an answer is not BeT speaking: a page, a server's error, an object that
// tells nothing. The session may have ended.
var errStranger = errors.New("not BeT's answer")

// judgeRead reads an answer to /loadbars/.
func judgeRead(r reply) (List, error) {
	switch {
	case r.refusesSession():
		return List{}, fmt.Errorf("%w: HTTP %d", errSession, r.status)
	case r.status != 200:
		return List{}, fmt.Errorf("%w: HTTP %d", errStranger, r.status)
	}
	var wire headsReply
	unclear, err := decode(r.body, &wire, nil, "heads", "d", "errorcode", "fullerrorcode")
	switch {
	case err != nil && r.bodyErr != nil:
		return List{}, fmt.Errorf("%w: %w", errStranger, r.bodyErr)
	case err != nil:
		return List{}, fmt.Errorf("%w: %w", errStranger, err)
	}
	for _, name := range []string{"heads", "d", "errorcode", "fullerrorcode"} {
		if slices.Contains(unclear, name) {
			return List{}, fmt.Errorf("%s comes twice", name)
		}
	}
	v := verdict{errorCode: wire.ErrorCode, fullErrorCode: wire.FullError}
	if v.sessionGone() {
		return List{}, errSession
	}
	if v.refused() {
		return List{}, fmt.Errorf("refused: error code %d, full error code %d", v.errorCode, v.fullErrorCode)
	}
	entries, err := wire.list()
	if err != nil {
		return List{}, err
	}
	list := List{Heads: make([]Head, 0, len(entries))}
	for _, raw := range entries {
		h, err := readHead(raw)
		if err != nil {
			list.Odd = append(list.Odd, OddHead{BarCode: h.BarCode, Text: raw, Reason: err.Error()})
			continue
		}
		list.Heads = append(list.Heads, h)
	}
	return list, nil
}

// list finds the heads in any of the accepted places.
func (w headsReply) list() ([]json.RawMessage, error) {
	data := w.Heads
	if data == nil {
		data = w.D
		if bytes.HasPrefix(data, []byte("{")) {
			var inner headsReply
			if err := json.Unmarshal(data, &inner); err != nil {
				return nil, err
			}
			data = inner.Heads
		}
	}
	heads, err := []json.RawMessage(nil), errNoObject
	if bytes.HasPrefix(data, []byte("[")) { // null is no list
		err = json.Unmarshal(data, &heads)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: no list of heads: %w", errStranger, err)
	}
	return heads, nil
}

// readHead answers an error for a head without one bar code or without a status, or one that says something
// twice or in other letters; with it as much of the bar code as can be told.
func readHead(raw []byte) (Head, error) {
	var w wireHead
	unclear, err := decode(raw, &w, headSpellings, "keyhead", "barcode", "betcode", "status")
	if err != nil {
		return Head{}, err
	}
	code, err := w.barCode()
	if err != nil || len(unclear) > 0 {
		return Head{BarCode: code}, cmp.Or(err, fmt.Errorf("%s comes twice, or in other letters", strings.Join(unclear, ", ")))
	}
	var missing unread
	h := Head{
		ID:        string(w.KeyHead.ID),
		BarCode:   code,
		Status:    int(w.Status),
		ExtStatus: int(w.ExtStatus),
	}
	h.AmountOut, h.HasAmount = missing.amount("AmountOut", w.AmountOut)
	if w.DateRecive != "" {
		var err error
		if h.DateRecive, err = Decided(string(w.DateRecive)); err != nil {
			missing = append(missing, "DateRecive")
		}
	}
	h.Told = w.terms(&missing)
	h.Unread = missing
	if h.Status <= 0 {
		return h, errors.New("its Status is missing, or no number")
	}
	return h, nil
}

// barCode is the one code that a head has, wherever it stands.
func (w *wireHead) barCode() (string, error) {
	code := ""
	for _, spelling := range []text{w.KeyHead.BarCode, w.KeyHead.BetCode, w.BarCode, w.BetCode} {
		other := told(spelling)
		if code != "" && other != "" && other != code {
			return "", errors.New("two bar codes")
		}
		code = cmp.Or(code, other)
	}
	if code == "" {
		return "", errors.New("BarCode is missing")
	}
	if err := CheckCode(code); err != nil {
		return "", fmt.Errorf("BarCode %w", err)
	}
	return code, nil
}

// Decided reads a DateRecive, in answers as in pushes: a time as [jsonin.Moment] reads it, or a number of
// seconds or milliseconds in another notation (1.592937968e9).
func Decided(text string) (time.Time, error) {
	at, err := jsonin.Moment(text)
	if err == nil {
		return at, nil
	}
	if n, wrong := money.Number(text).Int(); wrong == nil {
		return jsonin.Moment(strconv.FormatInt(n, 10))
	}
	return time.Time{}, err
}

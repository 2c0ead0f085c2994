package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/coupon/bet"
	"evens/money"
	"evens/settlement"
)

// candidate is an unconfirmed coupon that a BarCode may be.
type candidate struct {
	id       uuid.UUID
	terms    settlement.Terms
	accept   bool // a changed coefficient would have been accepted
	matches  []string
	external string
}

// An unconfirmed coupon placed before that line. Time alone says nothing: it only bounds the search. Index:
// coupons_open.
const readCandidates = `
	SELECT c.id, c.stake, c.sent_amount, c.nominal, c.coef, c.possible_win, c.currency, coalesce(c.sent_currency, c.currency),
	       c.rate_mode = 'accept', c.pointers, p.external_id
	  FROM coupons c JOIN players p ON p.id = c.player_id
	 WHERE c.open_since IS NOT NULL AND c.status = 'unconfirmed' AND c.bet_code IS NULL AND c.provider = '` + BeT + `'
	   AND c.placed_at <= $1::timestamptz + interval '2 minutes' AND c.placed_at >= $1::timestamptz - $2::interval
	 ORDER BY c.id LIMIT 100`

// How long before its line a coupon may have been placed: an open one is listed with the time of its placement, a
// decided one with that of its result.
const (
	openWindow    = 2 * time.Minute
	decidedWindow = 7 * 24 * time.Hour
)

// sighter is a source that can be asked about a BarCode which is none of ours.
type sighter interface {
	Sight(ctx context.Context, code string) (head bet.Head, known bool, err error)
}

// Sight asks BeT about one BarCode.
func (l *BetList) Sight(ctx context.Context, code string) (bet.Head, bool, error) {
	heads, err := l.Client.Read(ctx, []string{code})
	if err != nil {
		return bet.Head{}, false, err
	}
	at := slices.IndexFunc(heads, func(h bet.Head) bool { return h.BarCode == code })
	if at < 0 {
		return bet.Head{}, false, nil
	}
	return heads[at], true, nil
}

// singledOut finds the one unconfirmed coupon that a BarCode is proven to be: nothing that the line or BeT itself
// says speaks against it, its coefficient agrees, and its selections or its player do. With two of them, or with
// facts missing, nobody knows.
func (c *coupons) singledOut(ctx context.Context, p *couponPair) (uuid.UUID, bool, error) {
	if !p.dated {
		return uuid.Nil, false, nil // nobody knows when it was placed
	}
	window := decidedWindow
	if p.status == Open {
		window = openWindow
	}
	rows, _ := c.db.Pool.Query(ctx, readCandidates, p.at, window) // the rows tell its error
	candidates, err := pgx.CollectRows(rows, scanCandidate)
	if err != nil {
		return uuid.Nil, false, fmt.Errorf("look for an unconfirmed coupon: %w", err)
	}
	facts := factsOf(p)
	candidates = slices.DeleteFunc(candidates, func(c candidate) bool { return c.match(facts) == contradicted })
	if len(candidates) == 0 {
		return uuid.Nil, false, nil
	}
	if asked, ok := c.sources[c.provider].(sighter); ok {
		head, known, err := asked.Sight(ctx, p.code)
		if err != nil || !known {
			return uuid.Nil, false, nil // BeT does not say: a person, until the next run
		}
		facts.add(head)
		candidates = slices.DeleteFunc(candidates, func(c candidate) bool { return c.match(facts) == contradicted })
	}
	if len(candidates) != 1 || candidates[0].match(facts) != proven {
		return uuid.Nil, false, nil
	}
	return candidates[0].id, true, nil
}

func scanCandidate(row pgx.CollectableRow) (candidate, error) {
	var c candidate
	var pointers []string
	err := row.Scan(&c.id, &c.terms.Stake, &c.terms.Sent, &c.terms.Nominal, &c.terms.Coef, &c.terms.PossibleWin, &c.terms.Currency,
		&c.terms.SentCurrency, &c.accept, &pointers, &c.external)
	for _, text := range pointers {
		pointer, err := bet.ParsePointer(text)
		if err != nil {
			return c, err
		}
		c.matches = append(c.matches, pointer.MatchID)
	}
	slices.Sort(c.matches)
	return c, err
}

// facts are what is told of a BarCode.
type facts struct {
	player   string
	currency string
	amounts  []money.Amount // as listed: nothing, the stake, or what it wins
	told     bet.Told
	doubtful bool // something that BeT says cannot be read
}

func factsOf(p *couponPair) *facts {
	f := &facts{player: p.player, currency: p.money}
	if p.amount != 0 {
		f.amounts = append(f.amounts, p.amount)
	}
	return f
}

func (f *facts) add(head bet.Head) {
	f.told, f.doubtful = head.Told, len(head.Unread) > 0
	slices.Sort(f.told.LineIDs)
	if head.AmountOut != 0 {
		f.amounts = append(f.amounts, head.AmountOut)
	}
}

// match is how facts speak about a candidate.
type match int

const (
	contradicted match = iota
	possible
	proven
)

// likeCoef is by how much a coefficient of BeT's may differ: it writes products with two decimals.
const likeCoef = money.One / 100

func (c *candidate) match(f *facts) match {
	t := &c.terms
	currencies := []string{"", string(t.SentCurrency), string(t.Currency)}
	switch {
	case f.player != "" && f.player != c.external,
		!slices.Contains(currencies, f.currency),
		f.told.Stake != 0 && f.told.Stake != t.Sent,
		f.told.Events != 0 && f.told.Events != len(c.matches),
		len(f.told.LineIDs) > 0 && !slices.Equal(f.told.LineIDs, c.matches):
		return contradicted
	}
	coef := false
	for _, told := range []money.Coef{f.told.CoefOrig, f.told.Coef} {
		near := told-t.Coef < likeCoef && t.Coef-told < likeCoef
		if told != 0 && !near && !c.accept {
			return contradicted
		}
		coef = coef || told != 0 && near
	}
	could, err := t.CouldWin()
	if err != nil {
		return contradicted
	}
	for _, amount := range f.amounts {
		switch amount {
		case could, t.PossibleWin:
			coef = coef || amount != t.Sent && amount != t.Stake
		case t.Stake, t.Sent:
		default:
			return contradicted
		}
	}
	if coef && !f.doubtful && (f.player != "" || len(f.told.LineIDs) > 0) {
		return proven
	}
	return possible
}

// Index: breaks_open.
const countClaims = `
	SELECT count(*) FROM breaks
	 WHERE provider = $2 AND kind = 'missing_here' AND state IN ('open', 'healing') AND ours ->> 'likely_coupon_id' = $1`

var (
	errNotOpen = errors.New("the coupon is not unconfirmed any more")
	errClaimed = errors.New("more than one BarCode is proven to be this coupon")
)

// adopt ties the coupon to the BarCode, unless another BarCode is as likely to be its own.
func (c *coupons) adopt(ctx context.Context, p *couponPair) error {
	var claims int
	if err := c.db.Pool.QueryRow(ctx, countClaims, p.id.UUID.String(), c.provider).Scan(&claims); err != nil {
		return fmt.Errorf("look for other claims: %w", err)
	}
	if claims > 1 {
		return errClaimed
	}
	adopted, err := c.desk.Adopt(ctx, p.id.UUID, p.code)
	if err == nil && !adopted {
		err = errNotOpen
	}
	return err
}

// likelyCoupon is our side of a BarCode that is none of ours yet.
func likelyCoupon(id uuid.UUID) (json.RawMessage, error) {
	return json.Marshal(map[string]any{"likely_coupon_id": id})
}

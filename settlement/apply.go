package settlement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// State is what became of a result in the inbox.
type State string

// The states.
const (
	Pending   State = "pending"   // not applied yet, or its BarCode is not known yet
	Applied   State = "applied"   // the coupon has paid what it says
	Stale     State = "stale"     // a later decision was there already
	Duplicate State = "duplicate" // says again what holds; nothing moved
	Parked    State = "parked"    // an operator decides
	Refused   State = "refused"   // an operator decided against it
)

// Attention says why a result needs a later placement or a person.
const (
	attentionUnknown = "unknown_bar_code" // may be a coupon whose placement is still being answered
	attentionSense   = "makes_no_sense"   // the target rule refused it
	attentionGuard   = "blast_radius"     // part of taking back too much at once
	attentionState   = "coupon_state"     // the coupon is not one that results may change
	attentionFuture  = "future"           // dated ahead of our clock
	attentionBroken  = "cannot_settle"    // settling it fails, whatever else is settled with it
	// attentionUnreadable is a Head of which only the text is kept.
	attentionUnreadable = "unreadable"
)

// Skew is how far BeT's clock may be ahead of ours. A result dated later than that would make every correction
// until then count as decided before it.
const Skew = 5 * time.Minute

// result is a stored result with the coupon it is about, both locked.
type result struct {
	id         int64
	decidedAt  time.Time
	receivedAt time.Time
	word       Word
	coupon     *held
	unreadable bool // a person says what it is: word is empty
}

// overtakes reports whether r is a later word than the one the coupon holds: by time of
// decision, then by arrival.
func (r *result) overtakes(c *held) bool {
	if !c.hasDecided || r.decidedAt.After(c.decidedAt) {
		return true
	}
	return r.decidedAt.Equal(c.decidedAt) && (r.id > c.resultID || c.overruled && r.id != c.resultID)
}

// paidUnit reads the minor unit of the coupon's last settlement. Index: settlements_pkey, and only
// where there is a settlement.
const paidUnit = `CASE WHEN c.settlement_count > 0 THEN
	       (SELECT s.unit FROM settlements s WHERE s.coupon_id = c.id AND s.n = c.settlement_count) END`

// Coupons are locked in id order, before any player. Indexes: results_pkey, coupons_bookmaker_code.
const loadResults = `
	SELECT r.id, r.decided_at, r.received_at, r.status, r.ext_status, r.amount_out, ` + heldColumns + `
	  FROM results r JOIN coupons c ON c.bet_code = r.bar_code AND c.provider = r.provider
	 WHERE r.id = ANY ($1) AND r.state = 'pending'
	 ORDER BY c.id, r.decided_at, r.id
	   FOR UPDATE OF c`

// application is one run over a chunk: load, decide, write.
type application struct {
	settler  *Settler
	batch    *wallet.Batch
	now      time.Time
	guarded  bool // reversals of this chunk wait for a person
	rows     *writtenRows
	settled  []*settling
	results  []*result
	sameTime int
}

func (a *application) run(ctx context.Context, ids []int64) error {
	a.rows = a.batch.Rows(a, func() wallet.RowSet { return &writtenRows{now: a.now} }).(*writtenRows)
	if err := a.load(ctx, ids); err != nil {
		return err
	}
	if err := a.choose(); err != nil {
		return err
	}
	if err := a.holdBack(ctx); err != nil {
		return err
	}
	for _, s := range a.settled {
		if err := s.post(a); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) load(ctx context.Context, ids []int64) error {
	rows, err := a.batch.Tx().Query(ctx, loadResults, ids)
	if err != nil {
		return fmt.Errorf("load results: %w", err)
	}
	if a.results, err = scanResults(rows); err != nil {
		return fmt.Errorf("load results: %w", err)
	}
	found := make(map[int64]bool, len(a.results))
	players := make([]uuid.UUID, 0, len(a.results))
	for _, r := range a.results {
		found[r.id] = true
		players = append(players, r.coupon.player)
	}
	for _, id := range ids {
		if !found[id] {
			a.rows.unknown = append(a.rows.unknown, id)
		}
	}
	return a.batch.Lock(ctx, a.now, players, nil)
}

func scanResults(rows pgx.Rows) ([]*result, error) {
	defer rows.Close()
	var results []*result
	var last *held
	for rows.Next() {
		r, c := &result{}, &held{}
		var amount, holds pgtype.Int8
		var decided pgtype.Timestamptz
		targets := []any{&r.id, &r.decidedAt, &r.receivedAt, &r.word.Status, &r.word.ExtStatus, &amount}
		if err := rows.Scan(append(targets, c.targets(&decided, &holds)...)...); err != nil {
			return nil, err
		}
		r.word.AmountOut, r.word.HasAmount = money.Amount(amount.Int64), amount.Valid
		c.decidedAt, c.hasDecided, c.resultID = decided.Time, decided.Valid, holds.Int64
		if last == nil || last.id != c.id {
			last = c
		}
		r.coupon = last
		results = append(results, r)
	}
	return results, rows.Err()
}

// settling is one coupon's way from what it paid to what it shall have paid.
type settling struct {
	result  *result
	verdict Verdict
}

// reversal is how much the settling takes back; 0 where it takes nothing back.
func (s *settling) reversal() money.Amount {
	return max(0, s.result.coupon.payout-s.verdict.Payout)
}

// choose finds, for each coupon, the one result that holds: the last that makes sense. Results
// come sorted by coupon and order of decision.
func (a *application) choose() error {
	var open *settling
	for _, r := range a.results {
		if open != nil && open.result.coupon != r.coupon {
			a.settled, open = append(a.settled, open), nil
		}
		next, err := a.judge(r)
		if err != nil {
			return err
		}
		if next == nil {
			continue
		}
		if open != nil {
			if open.result.decidedAt.Equal(r.decidedAt) {
				a.sameTime++
			}
			a.rows.end(open.result, Stale, "overtaken by a later result that came with it", "")
		}
		open = next
	}
	if open != nil {
		a.settled = append(a.settled, open)
	}
	return nil
}

// judge asks the target rule. It returns nil for a result that is parked or stale.
func (a *application) judge(r *result) (*settling, error) {
	if !r.coupon.status.May(coupon.Won) {
		a.rows.end(r, Parked, "the coupon is "+string(r.coupon.status), attentionState)
		return nil, nil
	}
	if r.decidedAt.After(r.receivedAt.Add(Skew)) {
		a.rows.end(r, Parked, fmt.Sprintf("dated %s ahead of our clock", r.decidedAt.Sub(r.receivedAt).Round(time.Second)), attentionFuture)
		return nil, nil
	}
	verdict, err := Target(r.coupon.terms, r.word)
	if parkedErr, ok := errors.AsType[*ParkedError](err); ok {
		a.rows.end(r, Parked, parkedErr.Reason, attentionSense)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if r.coupon.hasDecided && r.decidedAt.Equal(r.coupon.decidedAt) {
		a.sameTime++
	}
	if !r.overtakes(r.coupon) {
		a.rows.end(r, Stale, "decided before the result that holds", "")
		return nil, nil
	}
	return &settling{result: r, verdict: verdict}, nil
}

// post moves target − paid, and writes down what this word did to the coupon.
func (s *settling) post(a *application) error {
	c, r := s.result.coupon, s.result
	if c.settled > 0 && c.payout == s.verdict.Payout && c.status == coupon.Status(s.verdict.Outcome) {
		a.rows.repeat(r)
		return nil
	}
	transaction, err := pay(a.batch, c, s.verdict, order{result: r.id, at: a.now})
	if err != nil {
		return err
	}
	a.rows.settle(s, transaction)
	return nil
}

// order is who asks for a settling: a result, or an operator in its place.
type order struct {
	result   int64
	operator string
	comment  string
	at       time.Time
}

// pay posts the transfers that lead from what the coupon paid to the verdict. Where nothing has to move, and
// nothing counts otherwise than it did, it posts nothing.
func pay(batch *wallet.Batch, c *held, verdict Verdict, by order) (uuid.NullUUID, error) {
	kind, moves, err := movesOf(c, verdict)
	if err != nil {
		return uuid.NullUUID{}, err
	}
	counts, staked := c.counts(batch, verdict), c.usage(verdict)-c.counted
	if len(moves) == 0 && counts == 0 && staked == 0 {
		return uuid.NullUUID{}, nil
	}
	transaction := ledger.Transaction{
		Key:      settlementKey(c.id, c.settled+1),
		Kind:     kind,
		Player:   c.player,
		Provider: c.provider,
		Coupon:   uuid.NullUUID{UUID: c.id, Valid: true},
		Payload:  ledger.HashOf(c.payout.String(), verdict.Payout.String()),
		Operator: by.operator,
		Comment:  by.comment,
		At:       by.at,

		BonusID:      c.bonusID,
		Contribution: counts,
		Staked:       staked,
		Effective:    c.placedAt,
	}
	var posted *ledger.Transaction
	if len(moves) == 0 {
		posted, _, err = batch.Note(transaction)
	} else {
		posted, _, err = batch.Post(transaction, moves...)
	}
	if err != nil {
		return uuid.NullUUID{}, fmt.Errorf("settle coupon %s: %w", c.id, err)
	}
	c.contributed += counts
	c.counted += staked
	return uuid.NullUUID{UUID: posted.ID, Valid: true}, nil
}

// movesOf is how a settling looks in the ledger. The first gives the held stake to the book (or
// back to the player) and pays out of the book; later ones move the difference. What a player gets
// and gives back follows the stake's split.
func movesOf(c *held, verdict Verdict) (ledger.Kind, []ledger.Move, error) {
	shall, err := wallet.Share(verdict.Payout, c.terms.Stake, c.bonusStake, c.terms.Currency)
	if err != nil {
		return "", nil, err
	}
	if c.settled > 0 {
		paid, err := c.paidShare()
		return ledger.Resettlement, wallet.Split{Cash: paid.Cash - shall.Cash, Bonus: paid.Bonus - shall.Bonus}.Moves(ledger.Sportsbook), err
	}
	stake := ledger.Move{From: ledger.StakesHeld, To: ledger.Sportsbook, Amount: c.terms.Stake}
	switch verdict.Outcome {
	case Lost:
		return ledger.Loss, []ledger.Move{stake}, nil
	case Refunded, Cancelled:
		return ledger.StakeReturn, shall.Back().Moves(ledger.StakesHeld), nil
	default:
		return ledger.Payout, append([]ledger.Move{stake}, shall.Back().Moves(ledger.Sportsbook)...), nil
	}
}

// paidShare is how what the coupon has paid was split, by the unit of that time.
func (c *held) paidShare() (wallet.Split, error) {
	unit := money.Amount(c.paidUnit.Int64)
	if !c.paidUnit.Valid {
		unit = c.terms.Currency.FormerMinorUnit()
	}
	return wallet.ShareTo(c.payout, c.terms.Stake, c.bonusStake, unit)
}

// returned reports whether the stake came back: as if it had never been made.
func (v Verdict) returned() bool { return v.Outcome == Refunded || v.Outcome == Cancelled }

// usage is what a coupon counts towards what its player has staked.
func (c *held) usage(verdict Verdict) money.Amount {
	if verdict.returned() {
		return 0
	}
	return c.terms.Stake
}

// counts is what a verdict changes of the coupon's contribution to its bonus: one that is won or lost
// counts, one whose stake came back does not, and none counts towards a bonus that has ended.
func (c *held) counts(batch *wallet.Batch, verdict Verdict) money.Amount {
	shall := c.contribution
	if verdict.returned() {
		shall = 0
	}
	if shall > c.contributed && !batch.BonusActive(c.player, c.bonusID) {
		return 0
	}
	return shall - c.contributed
}

// KeySource is the source of the transactions that settling makes; their external id is the
// coupon's and the settlement's number.
const KeySource = "settlement"

func settlementKey(id uuid.UUID, n int) ledger.Key {
	return ledger.Key{Source: KeySource, ExternalID: fmt.Sprintf("%s:%d", id, n)}
}

// report tells the observer and the log, after the commit.
func (a *application) report(ctx context.Context) {
	s, committed := a.settler, a.settler.now()
	a.rows.report(s.observe)
	for _, group := range a.byArrival() {
		if s.observe.Lag != nil {
			s.observe.Lag(group.received, committed, group.n)
		}
	}
	if a.sameTime > 0 {
		if s.observe.SameTime != nil {
			s.observe.SameTime(a.sameTime)
		}
		s.log.WarnContext(ctx, "results with the same DateRecive contradict each other; the last to arrive holds",
			"provider", a.providers(), "results", a.sameTime)
	}
	if a.rows.parked > 0 {
		s.log.WarnContext(ctx, "results parked for an operator", "provider", a.providers(), "results", a.rows.parked)
	}
}

// providers names the bookmakers whose results these are: one, but where the sweep took up those of several.
func (a *application) providers() string {
	var names []string
	for _, r := range a.results {
		if !slices.Contains(names, r.coupon.provider) {
			names = append(names, r.coupon.provider)
		}
	}
	return strings.Join(names, ", ")
}

type arrival struct {
	received time.Time
	n        int
}

// byArrival groups what was settled by the push it came with.
func (a *application) byArrival() []arrival {
	var groups []arrival
	at := make(map[time.Time]int)
	for _, s := range a.settled {
		i, ok := at[s.result.receivedAt]
		if !ok {
			i = len(groups)
			at[s.result.receivedAt] = i
			groups = append(groups, arrival{received: s.result.receivedAt})
		}
		groups[i].n++
	}
	return groups
}

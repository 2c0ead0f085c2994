package coupon

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/wallet"
)

type (
	newRowsKey    struct{}
	answerRowsKey struct{}
)

// newRows gathers coupons to insert.
type newRows struct{ coupons []*Coupon }

func openNewRows() wallet.RowSet { return &newRows{} }

func (r *newRows) add(c *Coupon) { r.coupons = append(r.coupons, c) }

// Pointers travel as one text a coupon, for arrays of arrays must be rectangular; a pointer has
// no line break.
const insertCoupons = `
	INSERT INTO coupons (id, player_id, status, currency, stake, sent_amount, nominal, rate_mode, lang,
	       pointers, coef, possible_win, placed_at, open_since, bonus_stake, bonus_id, contribution, sent_currency, provider)
	SELECT id, player_id, 'placing', currency, stake, sent_amount, nominal, rate_mode, lang,
	       string_to_array(pointers, E'\n'), coef, possible_win, placed_at, placed_at, bonus_stake, bonus_id, contribution,
	       nullif(sent_currency, currency), provider
	  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[], $7::text[],
	              $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::timestamptz[], $13::bigint[], $14::uuid[], $15::bigint[], $16::text[],
	              $17::text[])
	       u (id, player_id, currency, stake, sent_amount, nominal, rate_mode, lang, pointers, coef, possible_win, placed_at,
	          bonus_stake, bonus_id, contribution, sent_currency, provider)`

// Queue implements wallet.RowSet.
func (r *newRows) Queue(batch *pgx.Batch) {
	n := len(r.coupons)
	if n == 0 {
		return
	}
	ids, players := make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	currencies, modes, langs, pointers := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	stakes, sent, coefs, wins := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	nominal, placed, sentCurrencies, providers := make([]bool, n), make([]time.Time, n), make([]string, n), make([]string, n)
	bonusStakes, contributions, bonuses := make([]int64, n), make([]int64, n), make([]pgtype.UUID, n)
	for i, c := range r.coupons {
		ids[i], players[i] = postgres.UUID(c.ID), postgres.UUID(c.Player)
		currencies[i], modes[i], langs[i], pointers[i] = string(c.Currency), c.RateMode, c.Lang, joinPointers(c.Selections)
		stakes[i], sent[i], coefs[i], wins[i] = int64(c.Stake), int64(c.sent), int64(c.Coef), int64(c.PossibleWin)
		nominal[i], placed[i], sentCurrencies[i] = c.nominal, c.PlacedAt, string(c.sentCurrency)
		bonusStakes[i], contributions[i] = int64(c.bonusStake), int64(c.contribution)
		bonuses[i], providers[i] = postgres.NullUUID(c.bonusID), c.Provider
	}
	batch.Queue(insertCoupons, ids, players, currencies, stakes, sent, nominal, modes, langs, pointers, coefs, wins, placed,
		bonusStakes, postgres.Array(bonuses), contributions, sentCurrencies, providers)
}

func joinPointers(selections []Selection) string {
	text := ""
	for i, selection := range selections {
		if i > 0 {
			text += "\n"
		}
		text += selection.Pointer
	}
	return text
}

// answerRows gathers coupons that moved on, and the selections of those accepted.
type answerRows struct {
	coupons []*Coupon
	at      map[uuid.UUID]int // where a coupon stands among them
	kept    []keptRow
	ended   []pgtype.UUID // those that were unconfirmed and are not any more
}

func openAnswerRows() wallet.RowSet { return &answerRows{at: make(map[uuid.UUID]int)} }

// add has a coupon written as it is now: the last of a batch's words on it.
func (r *answerRows) add(c *Coupon) {
	copied := *c
	if at, known := r.at[c.ID]; known {
		r.coupons[at] = &copied
		return
	}
	r.at[c.ID] = len(r.coupons)
	r.coupons = append(r.coupons, &copied)
}

// keep has an answer written down that could not be taken.
func (r *answerRows) keep(c *Coupon, kept *keptAnswer, now time.Time) {
	if kept == nil {
		return
	}
	row := keptRow{coupon: c.ID, keptAnswer: kept, at: now}
	if kept.code != "" && c.Status == Unconfirmed {
		row.askAt = now
	}
	r.kept = append(r.kept, row)
}

// names reports whether an answer of this batch named a bet code for a coupon.
func (r *answerRows) names(id uuid.UUID) bool {
	return slices.ContainsFunc(r.kept, func(k keptRow) bool { return k.coupon == id && k.code != "" })
}

// keepLate keeps what the placement's own answer names of a coupon that went on without it.
func (r *answerRows) keepLate(c *Coupon, said outcome, first bool, now time.Time) {
	kept := said.kept
	if said.status == Accepted {
		kept = keep(said.answer.BetCode, 0, "it came when the coupon was "+string(c.Status), said.answer.Raw)
	}
	if first && kept != nil && kept.code != "" && kept.code != c.BetCode {
		r.keep(c, kept, now)
	}
}

// Index: coupons_pkey; the rows are locked.
const updateAnswered = `
	UPDATE coupons c
	   SET status = u.status, bet_code = u.bet_code, coef = u.coef, possible_win = u.possible_win,
	       error_code = u.error_code, error_message = u.error_message, answered_status = u.answered_status,
	       open_since = CASE WHEN u.status = 'unconfirmed' THEN c.open_since END
	  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[])
	       u (id, status, bet_code, coef, possible_win, error_code, error_message, answered_status)
	 WHERE c.id = u.id`

const insertSelections = `
	INSERT INTO selections (coupon_id, position, pointer, match_id, teams, tournament, bet_name, coef, live, event_date)
	SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
	                     $8::bigint[], $9::boolean[], $10::timestamptz[])`

// Queue implements wallet.RowSet.
func (r *answerRows) Queue(batch *pgx.Batch) {
	for _, row := range r.kept {
		row.queue(batch)
	}
	if len(r.ended) > 0 {
		batch.Queue(endAsking, r.ended)
	}
	n := len(r.coupons)
	if n == 0 {
		return
	}
	ids := make([]uuid.UUID, n)
	statuses, codes, errorCodes := make([]string, n), make([]*string, n), make([]*string, n)
	messages, answeredStatuses := make([]*string, n), make([]*string, n)
	coefs, wins := make([]int64, n), make([]int64, n)
	for i, c := range r.coupons {
		ids[i], statuses[i] = c.ID, string(c.Status)
		codes[i], errorCodes[i], messages[i] = orNull(c.BetCode), orNull(c.ErrorCode), orNull(c.ErrorMessage)
		answeredStatuses[i] = orNull(string(c.answeredStatus))
		coefs[i], wins[i] = int64(c.Coef), int64(c.PossibleWin)
	}
	postgres.QueueExactly(batch, n, "coupons", updateAnswered, postgres.UUIDs(ids), statuses, codes, coefs, wins, errorCodes, messages, answeredStatuses)
	r.queueSelections(batch)
	queueDifferences(batch, r.coupons)
}

func (r *answerRows) queueSelections(batch *pgx.Batch) {
	var coupons []pgtype.UUID
	var positions []int16
	var pointers, matches, teams, tournaments, names []string
	var coefs []int64
	var live []bool
	var dates []*time.Time
	for _, c := range r.coupons {
		if c.Status != Accepted {
			continue
		}
		for i, s := range c.Selections {
			coupons, positions = append(coupons, postgres.UUID(c.ID)), append(positions, int16(i))
			pointers, matches, teams = append(pointers, s.Pointer), append(matches, s.MatchID), append(teams, s.Teams)
			tournaments, names = append(tournaments, s.Tournament), append(names, s.BetName)
			coefs, live = append(coefs, int64(s.Coef)), append(live, s.Live)
			dates = append(dates, postgres.NullTime(s.EventDate))
		}
	}
	if len(coupons) > 0 {
		batch.Queue(insertSelections, coupons, positions, pointers, matches, teams, tournaments, names, coefs, live, dates)
	}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

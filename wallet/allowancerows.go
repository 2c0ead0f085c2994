package wallet

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/lookup"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// What seldom changes is read again when its revision is another than the process has met. Index:
// allowances_pkey, bonuses_pkey.
const readRest = `
	SELECT a.player_id, a.limits, a.waiting, a.zone, a.rolling, a.excluded_until, a.cooling_until, a.earlier, a.since, a.bonus_id,
	       coalesce(b.reopened, 0)
	  FROM allowances a LEFT JOIN bonuses b ON b.id = a.bonus_id
	 WHERE a.player_id = ANY ($1)`

// What is granted does not change while a bonus is active: it is read once a process. Index: bonuses_pkey.
const readGranted = `SELECT ` + bonusColumns + ` FROM bonuses b WHERE b.id = ANY ($1)`

// Asked for only when a new quarter has begun since a player's last write. Index: usage_quarters_pkey.
const readUsage = `SELECT player_id, quarter, deposited, lost, staked FROM usage_quarters WHERE player_id = ANY ($1) AND quarter >= $2`

const bonusColumns = `b.id, b.player_id, b.campaign, b.status, b.currency, b.granted, b.required, b.wagered, b.released, b.converted,
	       b.reopened, b.terms, b.operator, b.granted_at, b.expires_at, b.ended_at`

// Index: bonuses_ended.
const readEndedBonuses = `SELECT ` + bonusColumns + ` FROM bonuses b WHERE b.player_id = ANY ($1) AND b.status <> 'active'`

// bonusRow scans the columns of a bonus.
type bonusRow struct {
	id, player                                      uuid.UUID
	campaign, status, currency, operator            string
	granted, required, wagered, released, converted money.Amount
	reopened                                        int
	terms                                           []byte
	grantedAt, expiresAt, endedAt                   pgtype.Timestamptz
}

func (r *bonusRow) targets() []any {
	return []any{
		&r.id, &r.player, &r.campaign, &r.status, &r.currency, &r.granted, &r.required, &r.wagered, &r.released, &r.converted,
		&r.reopened, &r.terms, &r.operator, &r.grantedAt, &r.expiresAt, &r.endedAt,
	}
}

func (r *bonusRow) bonus() (*Bonus, error) {
	terms, err := ParseTerms(r.terms)
	if err != nil {
		return nil, err
	}
	return &Bonus{
		ID: r.id, Player: r.player, Campaign: r.campaign, Status: BonusStatus(r.status), Currency: money.Currency(r.currency),
		Granted: r.granted, Required: r.required, Wagered: r.wagered, Released: r.released, Converted: r.converted,
		Reopened: r.reopened, Terms: terms, Operator: r.operator, GrantedAt: postgres.Time(r.grantedAt), ExpiresAt: postgres.Time(r.expiresAt), EndedAt: postgres.Time(r.endedAt),
	}, nil
}

// waitingRules is how changes that wait are kept.
type waitingRules struct {
	Raises   []waitingRaise `json:"raises,omitempty"`
	Calendar *Calendar      `json:"calendar,omitempty"`
	From     time.Time      `json:"from,omitzero"`
}

type waitingRaise struct {
	Measure Measure       `json:"measure"`
	Period  Period        `json:"period"`
	To      *money.Amount `json:"to"` // ten-thousandths; null: no limit
	From    time.Time     `json:"from"`
}

// counting is an allowance as a purse's tally has it; the rest is filled in by the memory.
func counting(player uuid.UUID, t ledger.Tally) *allowance {
	return &allowance{
		player: player, revision: t.Revision, quarter: t.Quarter, current: Usage{t.Deposited, t.Lost, t.Staked}, wagered: t.Wagered,
		bonuses: make(map[uuid.UUID]*Bonus),
	}
}

// tally is what is written with the purse. What seldom changes has changed where renewed says so.
func (a *allowance) tally(renewed bool) ledger.Tally {
	t := ledger.Tally{
		Revision: a.revision, Quarter: a.quarter, Deposited: a.current[Deposits], Lost: a.current[Losses], Staked: a.current[Wagers], Wagered: a.wagered,
	}
	if renewed {
		t.Revision++
	}
	return t
}

// rest is what seldom changes of an allowance.
type rest struct {
	revision int32
	rules    Rules
	earlier  [periods]Usage
	since    time.Time
	bonusID  uuid.NullUUID
	reopened int // of that bonus: what is remembered of it is from before
}

func scanRest(row pgx.CollectableRow, allowances map[uuid.UUID]*allowance) error {
	var player uuid.UUID
	var r rest
	var limits []pgtype.Int8
	var waitingText []byte
	var excluded, cooling pgtype.Timestamptz
	var earlier []int64
	err := row.Scan(&player, &limits, &waitingText, &r.rules.Calendar.Zone, &r.rules.Calendar.Rolling, &excluded, &cooling, &earlier, &r.since, &r.bonusID,
		&r.reopened)
	if err != nil {
		return err
	}
	if len(limits) != cells || len(earlier) != cells {
		return fmt.Errorf("the allowance of player %s has the wrong shape", player)
	}
	r.rules.ExcludedUntil, r.rules.CoolingUntil, r.since = postgres.Time(excluded), postgres.Time(cooling), r.since.UTC()
	for m := range measures {
		for p := range periods {
			limit := limits[int(m)*int(periods)+int(p)]
			r.rules.Limits[m][p] = Cap{Amount: money.Amount(limit.Int64), Set: limit.Valid}
			r.earlier[p][m] = money.Amount(earlier[int(p)*int(measures)+int(m)])
		}
	}
	if err := r.rules.readWaiting(waitingText); err != nil {
		return fmt.Errorf("the allowance of player %s: %w", player, err)
	}
	allowances[player].take(r)
	return nil
}

func (a *allowance) take(r rest) {
	a.rules, a.earlier, a.since, a.bonusID, a.reopened = r.rules, r.earlier, r.since, r.bonusID, r.reopened
}

// memory is what a process remembers of players whose rows it has met: what seldom changes of their
// allowances, by its revision, and their active bonuses as they were granted.
type memory struct {
	rests   lookup.Bounded[uuid.UUID, rest]
	granted lookup.Bounded[uuid.UUID, Bonus]
}

// mostRemembered bounds both parts.
const mostRemembered = 100_000

func newMemory() *memory {
	m := &memory{}
	m.rests.Most, m.granted.Most = mostRemembered, mostRemembered
	return m
}

// complete fills in the allowances of which the tallies have been loaded. What is not remembered is read.
func (m *memory) complete(ctx context.Context, tx postgres.Querier, allowances map[uuid.UUID]*allowance) error {
	var unknown, bonuses []uuid.UUID
	for player, a := range allowances {
		if known, ok := m.rests.Get(player); ok && known.revision == a.revision {
			a.take(known)
		} else {
			unknown = append(unknown, player)
		}
	}
	if len(unknown) > 0 {
		if err := m.readRests(ctx, tx, unknown, allowances); err != nil {
			return fmt.Errorf("read allowances: %w", err)
		}
	}
	for _, a := range allowances {
		if !a.bonusID.Valid {
			continue
		}
		if bonus, ok := m.granted.Get(a.bonusID.UUID); ok {
			bonus.Reopened = a.reopened
			a.active, a.bonuses[bonus.ID] = &bonus, &bonus
		} else {
			bonuses = append(bonuses, a.bonusID.UUID)
		}
	}
	if len(bonuses) > 0 {
		if err := m.readGranted(ctx, tx, bonuses, allowances); err != nil {
			return fmt.Errorf("read bonuses: %w", err)
		}
	}
	return nil
}

func (m *memory) readRests(ctx context.Context, tx postgres.Querier, players []uuid.UUID, allowances map[uuid.UUID]*allowance) error {
	rows, err := tx.Query(ctx, readRest, postgres.UUIDs(players))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scanRest(rows, allowances); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, player := range players {
		a := allowances[player]
		m.rests.Put(player, rest{revision: a.revision, rules: a.rules, earlier: a.earlier, since: a.since, bonusID: a.bonusID, reopened: a.reopened})
	}
	return nil
}

func (m *memory) readGranted(ctx context.Context, tx postgres.Querier, ids []uuid.UUID, allowances map[uuid.UUID]*allowance) error {
	rows, err := tx.Query(ctx, readGranted, postgres.UUIDs(ids))
	if err != nil {
		return err
	}
	bonuses, err := pgx.CollectRows(rows, scanBonus)
	if err != nil {
		return err
	}
	for _, bonus := range bonuses {
		m.granted.Put(bonus.ID, *bonus)
		a := allowances[bonus.Player]
		a.active, a.bonuses[bonus.ID] = bonus, bonus
	}
	return nil
}

func scanBonus(row pgx.CollectableRow) (*Bonus, error) {
	var b bonusRow
	if err := row.Scan(b.targets()...); err != nil {
		return nil, err
	}
	return b.bonus()
}

// turnAll brings loaded allowances to now. What they used before is read for those that have not been
// looked at in this quarter of an hour.
func turnAll(ctx context.Context, tx postgres.Querier, allowances map[uuid.UUID]*allowance, now time.Time) error {
	var old []uuid.UUID
	for _, a := range allowances {
		if a.quarter.Before(Quarter(now)) {
			old = append(old, a.player)
		}
	}
	kept := make(map[uuid.UUID][]pastUsage, len(old))
	if len(old) > 0 {
		rows, err := tx.Query(ctx, readUsage, postgres.UUIDs(old), Quarter(now).Add(-keptUsage))
		if err != nil {
			return fmt.Errorf("read usage: %w", err)
		}
		var player uuid.UUID
		var past pastUsage
		_, err = pgx.ForEachRow(rows, []any{&player, &past.quarter, &past.Usage[Deposits], &past.Usage[Losses], &past.Usage[Wagers]}, func() error {
			past.quarter = past.quarter.UTC()
			kept[player] = append(kept[player], past)
			return nil
		})
		if err != nil {
			return fmt.Errorf("read usage: %w", err)
		}
	}
	for _, a := range allowances {
		a.turn(now, kept[a.player])
	}
	return nil
}

func (r *Rules) readWaiting(text []byte) error {
	if text == nil {
		return nil
	}
	var w waitingRules
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	for _, raise := range w.Raises {
		to := Cap{}
		if raise.To != nil {
			to = Cap{Amount: *raise.To, Set: true}
		}
		r.Raises = append(r.Raises, Raise{Measure: raise.Measure, Period: raise.Period, To: to, From: raise.From})
	}
	if w.Calendar != nil {
		r.Next, r.NextFrom = *w.Calendar, w.From
	}
	return nil
}

// writeWaiting is nil where nothing waits.
func (r *Rules) writeWaiting() []byte {
	if len(r.Raises) == 0 && r.NextFrom.IsZero() {
		return nil
	}
	var w waitingRules
	for _, raise := range r.Raises {
		one := waitingRaise{Measure: raise.Measure, Period: raise.Period, From: raise.From}
		if raise.To.Set {
			one.To = &raise.To.Amount
		}
		w.Raises = append(w.Raises, one)
	}
	if !r.NextFrom.IsZero() {
		w.Calendar, w.From = &r.Next, r.NextFrom
	}
	text, _ := json.Marshal(w) // numbers and times: nothing to refuse
	return text
}

// queueEnded asks for the bonuses that have ended of players who may see a result of an earlier stake.
func (b *Batch) queueEnded(statements *pgx.Batch, answered []uuid.UUID) {
	b.ended = nil
	if len(answered) == 0 {
		return
	}
	statements.Queue(readEndedBonuses, postgres.UUIDs(answered)).Query(func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			bonus, err := scanBonus(rows)
			if err != nil {
				return err
			}
			b.ended = append(b.ended, bonus)
		}
		return rows.Err()
	})
}

// Index: allowances_pkey; the player is locked.
const updateWindows = `
	UPDATE allowances a
	   SET bonus_id = u.bonus_id, earlier = array[u.e0, u.e1, u.e2, u.e3, u.e4, u.e5, u.e6, u.e7, u.e8]
	  FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
	              $9::bigint[], $10::bigint[], $11::bigint[])
	       u (player_id, bonus_id, e0, e1, e2, e3, e4, e5, e6, e7, e8)
	 WHERE a.player_id = u.player_id`

// Index: usage_quarters_pkey.
const addUsage = `
	INSERT INTO usage_quarters AS q (player_id, quarter, deposited, lost, staked)
	SELECT player_id, quarter, sum(deposited), sum(lost), sum(staked)
	  FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[]) u (player_id, quarter, deposited, lost, staked)
	 GROUP BY player_id, quarter ORDER BY player_id, quarter
	    ON CONFLICT (player_id, quarter) DO UPDATE
	   SET deposited = q.deposited + excluded.deposited, lost = q.lost + excluded.lost, staked = q.staked + excluded.staked`

const insertAllowance = `
	INSERT INTO allowances (player_id, limits, waiting, zone, rolling, excluded_until, cooling_until, since, bonus_id, earlier)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '{0,0,0,0,0,0,0,0,0}')`

const updateRules = `
	UPDATE allowances SET limits = $2, waiting = $3, zone = $4, rolling = $5, excluded_until = $6, cooling_until = $7 WHERE player_id = $1`

// sumUsage is what the ledger says that a player has used: deposits, losses and wagers, by the quarter
// of an hour when they count.
var sumUsage = `
	SELECT player_id, date_bin('15 minutes', effective_at, 'epoch') AS quarter,
	       coalesce(sum(amount) FILTER (WHERE kind IN (` + deposits + `)), 0) AS deposited,
	       coalesce(-sum(amount - coalesce(bonus_amount, 0)) FILTER (WHERE kind NOT IN (` + deposits + `)), 0) AS lost,
	       coalesce(sum(staked) FILTER (WHERE kind NOT IN (` + deposits + `)), 0) AS staked
	  FROM transactions x
	 WHERE effective_at IS NOT NULL`

// A new allowance finds what was used before in the ledger, this batch's own included. What counts at
// a time was written then or later. Index: transactions_player.
var fillUsage = `
	INSERT INTO usage_quarters (player_id, quarter, deposited, lost, staked)
	` + sumUsage + ` AND player_id = $1 AND id >= $2 AND effective_at >= $3
	 GROUP BY player_id, quarter`

// countTallies has what counts written with the purses: before the ledger's own statements.
func (b *Batch) countTallies() {
	for player, a := range b.allowances {
		switch {
		case a.begins():
			// Nothing is summed up yet: the next look finds everything in the quarters.
			b.Purse(player).Count(ledger.Tally{Revision: 1, Quarter: time.Unix(0, 0).UTC(), Wagered: a.wagered})
		case !a.fresh && a.counted:
			b.Purse(player).Count(a.tally(a.turned))
		}
	}
}

// begins reports whether the batch makes the allowance's row.
func (a *allowance) begins() bool {
	return a.fresh && (a.reworded || len(a.bonuses) > 0)
}

// queueAllowanceRows writes what seldom changes of allowances, usage of the past, and bonuses.
func (b *Batch) queueAllowanceRows(statements *pgx.Batch) {
	var turned []*allowance
	for _, a := range b.allowances {
		if !a.fresh && a.counted && a.turned {
			turned = append(turned, a)
		}
	}
	bonuses := slices.Collect(maps.Values(b.changedBonuses))
	queueBonuses(statements, bonuses)
	queueWindows(statements, turned)
	for _, a := range b.allowances {
		r := &a.rules
		switch {
		case a.begins():
			statements.Queue(insertAllowance, a.player, r.caps(), r.writeWaiting(), r.Calendar.Zone, r.Calendar.Rolling, postgres.NullTime(r.ExcludedUntil), postgres.NullTime(r.CoolingUntil),
				a.since, a.activeID())
			statements.Queue(fillUsage, a.player, postgres.IDAt(a.since), a.since)
		case a.reworded && !a.fresh:
			postgres.QueueExactly(statements, 1, "rules", updateRules, a.player, r.caps(), r.writeWaiting(), r.Calendar.Zone, r.Calendar.Rolling,
				postgres.NullTime(r.ExcludedUntil), postgres.NullTime(r.CoolingUntil))
		}
	}
}

func (r *Rules) caps() []pgtype.Int8 {
	caps := make([]pgtype.Int8, 0, cells)
	for m := range measures {
		for p := range periods {
			limit := r.Limits[m][p]
			caps = append(caps, pgtype.Int8{Int64: int64(limit.Amount), Valid: limit.Set})
		}
	}
	return caps
}

func queueWindows(statements *pgx.Batch, turned []*allowance) {
	n := len(turned)
	if n == 0 {
		return
	}
	slices.SortFunc(turned, func(x, y *allowance) int { return slices.Compare(x.player[:], y.player[:]) })
	players, bonuses := make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	var earlier [cells][]int64
	var pastPlayers []pgtype.UUID
	var pastQuarters []time.Time
	var past [measures][]int64
	for i, a := range turned {
		players[i], bonuses[i] = postgres.UUID(a.player), a.activeID()
		for m := range measures {
			for p := range periods {
				at := int(p)*int(measures) + int(m)
				earlier[at] = append(earlier[at], int64(a.earlier[p][m]))
			}
		}
		for _, u := range a.past {
			pastPlayers, pastQuarters = append(pastPlayers, postgres.UUID(a.player)), append(pastQuarters, u.quarter)
			for m := range measures {
				past[m] = append(past[m], int64(u.Usage[m]))
			}
		}
	}
	postgres.QueueExactly(statements, n, "allowances", updateWindows, postgres.Array(players), postgres.Array(bonuses),
		earlier[0], earlier[1], earlier[2], earlier[3], earlier[4], earlier[5], earlier[6], earlier[7], earlier[8])
	if len(pastPlayers) > 0 {
		statements.Queue(addUsage, postgres.Array(pastPlayers), pastQuarters, past[Deposits], past[Losses], past[Wagers])
	}
}

const writeBonus = `
	INSERT INTO bonuses (id, player_id, campaign, status, currency, granted, required, wagered, released, converted, terms, operator, granted_at, expires_at, ended_at,
	       reopened)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
	    ON CONFLICT (id) DO UPDATE
	   SET status = excluded.status, wagered = excluded.wagered, released = excluded.released, converted = excluded.converted, ended_at = excluded.ended_at,
	       reopened = excluded.reopened`

// queueBonuses writes bonuses that began, ended or were corrected: few of a batch's works do that.
// Those that end are written before those that begin, for a player has one active.
func queueBonuses(statements *pgx.Batch, bonuses []*Bonus) {
	slices.SortFunc(bonuses, func(x, y *Bonus) int {
		if ended := x.Status != BonusActive; ended != (y.Status != BonusActive) {
			if ended {
				return -1
			}
			return 1
		}
		return slices.Compare(x.ID[:], y.ID[:])
	})
	for _, bonus := range bonuses {
		terms, _ := json.Marshal(bonus.Terms) // numbers: nothing to refuse
		statements.Queue(writeBonus, bonus.ID, bonus.Player, bonus.Campaign, string(bonus.Status), string(bonus.Currency), int64(bonus.Granted),
			int64(bonus.Required), int64(bonus.Wagered), int64(bonus.Released), int64(bonus.Converted), terms, bonus.Operator, bonus.GrantedAt,
			postgres.NullTime(bonus.ExpiresAt), postgres.NullTime(bonus.EndedAt), bonus.Reopened)
	}
}

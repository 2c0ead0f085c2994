package wallet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/money"
)

// Index: allowances_pkey.
const readAllowances = `
	SELECT player_id, revision, quarter, deposited, lost, staked, bonus_id, wagered FROM allowances WHERE player_id = ANY ($1)`

// What seldom changes is read again when its revision is another than the process has met. Index:
// allowances_pkey.
const readRest = `
	SELECT player_id, limits, waiting, zone, rolling, excluded_until, cooling_until, earlier, since FROM allowances WHERE player_id = ANY ($1)`

// What is granted does not change while a bonus is active: it is read once a process. Index: bonuses_pkey.
const readGranted = `SELECT ` + bonusColumns + ` FROM bonuses b WHERE b.id = ANY ($1)`

// Asked for only when a new quarter has begun since a player's last write. Index: usage_quarters_pkey.
const readUsage = `SELECT player_id, quarter, deposited, lost, staked FROM usage_quarters WHERE player_id = ANY ($1) AND quarter >= $2`

const bonusColumns = `b.id, b.player_id, b.campaign, b.status, b.currency, b.granted, b.required, b.wagered, b.released, b.converted,
	       b.terms, b.operator, b.granted_at, b.expires_at, b.ended_at`

// Index: bonuses_ended.
const readEndedBonuses = `SELECT ` + bonusColumns + ` FROM bonuses b WHERE b.player_id = ANY ($1) AND b.status <> 'active'`

// bonusRow scans the columns of a bonus.
type bonusRow struct {
	id, player                                      uuid.UUID
	campaign, status, currency, operator            string
	granted, required, wagered, released, converted money.Amount
	terms                                           []byte
	grantedAt, expiresAt, endedAt                   pgtype.Timestamptz
}

func (r *bonusRow) targets() []any {
	return []any{
		&r.id, &r.player, &r.campaign, &r.status, &r.currency, &r.granted, &r.required, &r.wagered, &r.released, &r.converted,
		&r.terms, &r.operator, &r.grantedAt, &r.expiresAt, &r.endedAt,
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
		Terms: terms, Operator: r.operator, GrantedAt: utc(r.grantedAt), ExpiresAt: utc(r.expiresAt), EndedAt: utc(r.endedAt),
	}, nil
}

// utc is the time, zero where there is none.
func utc(at pgtype.Timestamptz) time.Time {
	if !at.Valid {
		return time.Time{}
	}
	return at.Time.UTC()
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

func scanAllowance(row pgx.CollectableRow) (*allowance, error) {
	a := &allowance{bonuses: make(map[uuid.UUID]*Bonus)}
	err := row.Scan(&a.player, &a.revision, &a.quarter, &a.current[Deposits], &a.current[Losses], &a.current[Wagers], &a.bonusID, &a.wagered)
	a.quarter = a.quarter.UTC()
	return a, err
}

// rest is what seldom changes of an allowance.
type rest struct {
	revision int32
	rules    Rules
	earlier  [periods]Usage
	since    time.Time
}

func scanRest(row pgx.CollectableRow, allowances map[uuid.UUID]*allowance) error {
	var player uuid.UUID
	var r rest
	var limits []pgtype.Int8
	var waitingText []byte
	var excluded, cooling pgtype.Timestamptz
	var earlier []int64
	err := row.Scan(&player, &limits, &waitingText, &r.rules.Calendar.Zone, &r.rules.Calendar.Rolling, &excluded, &cooling, &earlier, &r.since)
	if err != nil {
		return err
	}
	if len(limits) != cells || len(earlier) != cells {
		return fmt.Errorf("the allowance of player %s has the wrong shape", player)
	}
	r.rules.ExcludedUntil, r.rules.CoolingUntil, r.since = utc(excluded), utc(cooling), r.since.UTC()
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

func (a *allowance) take(r rest) { a.rules, a.earlier, a.since = r.rules, r.earlier, r.since }

// memory is what a process remembers of players whose rows it has met: what seldom changes of their
// allowances, by its revision, and their active bonuses as they were granted.
type memory struct {
	mu      sync.RWMutex
	rests   map[uuid.UUID]rest
	granted map[uuid.UUID]Bonus
}

// mostRemembered bounds both parts; beyond it all of one is forgotten and read anew.
const mostRemembered = 100_000

// complete fills in the allowances of which the counts have been loaded. What is not remembered is read.
func (m *memory) complete(ctx context.Context, tx postgres.Querier, allowances map[uuid.UUID]*allowance) error {
	var unknown, bonuses []uuid.UUID
	m.mu.RLock()
	for player, a := range allowances {
		if known, ok := m.rests[player]; ok && known.revision == a.revision {
			a.take(known)
		} else {
			unknown = append(unknown, player)
		}
		if !a.bonusID.Valid {
			continue
		}
		if bonus, ok := m.granted[a.bonusID.UUID]; ok {
			a.active, a.bonuses[bonus.ID] = &bonus, &bonus
		} else {
			bonuses = append(bonuses, a.bonusID.UUID)
		}
	}
	m.mu.RUnlock()
	if len(unknown) > 0 {
		if err := m.readRests(ctx, tx, unknown, allowances); err != nil {
			return fmt.Errorf("read allowances: %w", err)
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
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rests == nil || len(m.rests) >= mostRemembered {
		m.rests = make(map[uuid.UUID]rest)
	}
	for _, player := range players {
		a := allowances[player]
		m.rests[player] = rest{revision: a.revision, rules: a.rules, earlier: a.earlier, since: a.since}
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
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.granted == nil || len(m.granted) >= mostRemembered {
		m.granted = make(map[uuid.UUID]Bonus)
	}
	for _, bonus := range bonuses {
		m.granted[bonus.ID] = *bonus
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

// queueAllowances asks for the allowances of players; turnAll brings them to the present. Of players
// who may see a result of an earlier stake the bonuses that have ended are read too.
func (b *Batch) queueAllowances(statements *pgx.Batch, players, answered []uuid.UUID) {
	b.allowances = make(map[uuid.UUID]*allowance)
	if len(players) == 0 {
		return
	}
	statements.Queue(readAllowances, postgres.UUIDs(players)).Query(func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			a, err := scanAllowance(rows)
			if err != nil {
				return err
			}
			b.allowances[a.player] = a
		}
		return rows.Err()
	})
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
			if a := b.allowances[bonus.Player]; a != nil {
				a.bonuses[bonus.ID] = bonus
			}
		}
		return rows.Err()
	})
}

// Within a quarter of an hour only this changes. Index: allowances_pkey; the player is locked.
const updateCurrent = `
	UPDATE allowances a
	   SET deposited = u.deposited, lost = u.lost, staked = u.staked, wagered = u.wagered
	  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) u (player_id, deposited, lost, staked, wagered)
	 WHERE a.player_id = u.player_id`

// Index: allowances_pkey; the player is locked.
const updateCounts = `
	UPDATE allowances a
	   SET revision = a.revision + 1, quarter = u.quarter, deposited = u.deposited, lost = u.lost, staked = u.staked,
	       wagered = u.wagered, bonus_id = u.bonus_id,
	       earlier = array[u.e0, u.e1, u.e2, u.e3, u.e4, u.e5, u.e6, u.e7, u.e8]
	  FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
	              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::uuid[])
	       u (player_id, quarter, deposited, lost, staked, wagered, e0, e1, e2, e3, e4, e5, e6, e7, e8, bonus_id)
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
	INSERT INTO allowances (player_id, limits, waiting, zone, rolling, excluded_until, cooling_until, since, wagered, bonus_id,
	       revision, quarter, deposited, lost, staked, earlier)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, '1970-01-01 00:00:00Z', 0, 0, 0, '{0,0,0,0,0,0,0,0,0}')`

const updateRules = `
	UPDATE allowances SET revision = revision + 1, limits = $2, waiting = $3, zone = $4, rolling = $5, excluded_until = $6, cooling_until = $7 WHERE player_id = $1`

// sumUsage is what the ledger says that a player has used: deposits, losses and wagers, by the quarter
// of an hour when they count.
const sumUsage = `
	SELECT player_id, date_bin('15 minutes', effective_at, 'epoch') AS quarter,
	       coalesce(sum(amount) FILTER (WHERE kind = 'deposit'), 0) AS deposited,
	       coalesce(-sum(amount - coalesce(bonus_amount, 0)) FILTER (WHERE kind <> 'deposit'), 0) AS lost,
	       coalesce(sum(staked) FILTER (WHERE kind <> 'deposit'), 0) AS staked
	  FROM transactions x
	 WHERE effective_at IS NOT NULL`

// A new allowance finds what was used before in the ledger, this batch's own included. What counts at
// a time was written then or later. Index: transactions_player.
const fillUsage = `
	INSERT INTO usage_quarters (player_id, quarter, deposited, lost, staked)
	` + sumUsage + ` AND player_id = $1 AND id >= $2 AND effective_at >= $3
	 GROUP BY player_id, quarter`

// queueAllowanceRows writes what the batch has changed of allowances and bonuses.
func (b *Batch) queueAllowanceRows(statements *pgx.Batch) {
	var counted, turned, fresh, reworded []*allowance
	var bonuses []*Bonus
	for _, a := range b.allowances {
		switch {
		case a.fresh && (a.reworded || a.active != nil || len(a.bonuses) > 0):
			fresh = append(fresh, a)
		case a.turned || len(a.past) > 0 && a.counted:
			turned = append(turned, a)
		case a.counted:
			counted = append(counted, a)
		}
		if a.reworded && !a.fresh {
			reworded = append(reworded, a)
		}
	}
	for _, bonus := range b.changedBonuses {
		bonuses = append(bonuses, bonus)
	}
	b.queueBonuses(statements, bonuses)
	queueCurrent(statements, counted)
	queueCounts(statements, turned)
	for _, a := range reworded {
		r := &a.rules
		postgres.QueueExactly(statements, 1, "rules", updateRules, a.player, r.caps(), r.writeWaiting(), r.Calendar.Zone, r.Calendar.Rolling, nullTime(r.ExcludedUntil), nullTime(r.CoolingUntil))
	}
	for _, a := range fresh {
		r := &a.rules
		statements.Queue(insertAllowance, a.player, r.caps(), r.writeWaiting(), r.Calendar.Zone, r.Calendar.Rolling, nullTime(r.ExcludedUntil), nullTime(r.CoolingUntil),
			a.since, int64(a.wagered), a.activeID())
		statements.Queue(fillUsage, a.player, postgres.IDAt(a.since), a.since)
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

func queueCurrent(statements *pgx.Batch, counted []*allowance) {
	n := len(counted)
	if n == 0 {
		return
	}
	players, progress := make([]pgtype.UUID, n), make([]int64, n)
	var current [measures][]int64
	for m := range measures {
		current[m] = make([]int64, n)
	}
	for i, a := range counted {
		players[i], progress[i] = postgres.UUID(a.player), int64(a.wagered)
		for m := range measures {
			current[m][i] = int64(a.current[m])
		}
	}
	postgres.QueueExactly(statements, n, "allowances", updateCurrent, postgres.Array(players), current[Deposits], current[Losses], current[Wagers], progress)
}

func queueCounts(statements *pgx.Batch, counted []*allowance) {
	n := len(counted)
	if n == 0 {
		return
	}
	bonuses := make([]pgtype.UUID, n)
	players, quarters, progress := make([]pgtype.UUID, n), make([]time.Time, n), make([]int64, n)
	var current [measures][]int64
	var earlier [cells][]int64
	var pastPlayers []pgtype.UUID
	var pastQuarters []time.Time
	var past [measures][]int64
	for i, a := range counted {
		players[i], quarters[i], progress[i] = postgres.UUID(a.player), a.quarter, int64(a.wagered)
		bonuses[i] = a.activeID()
		for m := range measures {
			current[m] = append(current[m], int64(a.current[m]))
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
	postgres.QueueExactly(statements, n, "allowances", updateCounts, postgres.Array(players), quarters, current[Deposits], current[Losses], current[Wagers], progress,
		earlier[0], earlier[1], earlier[2], earlier[3], earlier[4], earlier[5], earlier[6], earlier[7], earlier[8],
		postgres.Array(bonuses))
	if len(pastPlayers) > 0 {
		statements.Queue(addUsage, postgres.Array(pastPlayers), pastQuarters, past[Deposits], past[Losses], past[Wagers])
	}
}

const writeBonus = `
	INSERT INTO bonuses (id, player_id, campaign, status, currency, granted, required, wagered, released, converted, terms, operator, granted_at, expires_at, ended_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
	    ON CONFLICT (id) DO UPDATE
	   SET status = excluded.status, wagered = excluded.wagered, released = excluded.released, converted = excluded.converted, ended_at = excluded.ended_at`

// queueBonuses writes bonuses that began, ended or were corrected: few of a batch's works do that.
// Those that end are written before those that begin, for a player has one active.
func (b *Batch) queueBonuses(statements *pgx.Batch, bonuses []*Bonus) {
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
			nullTime(bonus.ExpiresAt), nullTime(bonus.EndedAt))
	}
}

func nullTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

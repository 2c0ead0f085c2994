package wallet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// RulesView is a player's rules with what has been used of them.
type RulesView struct {
	Rules
	Used [measures][periods]money.Amount
	// BarredUntil is when self-exclusion and cooling-off are both over; zero: the player may play.
	BarredUntil time.Time
}

// Rulebook keeps the limits that players set themselves. It is safe for concurrent use.
type Rulebook struct {
	books *Books
	// raiseAfter is how long a player waits for what makes the rules easier.
	raiseAfter time.Duration
	now        func() time.Time
}

// RaiseAfter is the waiting time of a rulebook that is given none.
const RaiseAfter = 24 * time.Hour

// NewRulebook returns the rules kept in the books' database.
func NewRulebook(books *Books, raiseAfter time.Duration, now func() time.Time) *Rulebook {
	if raiseAfter <= 0 {
		raiseAfter = RaiseAfter
	}
	return &Rulebook{books: books, raiseAfter: raiseAfter, now: now}
}

// Index: accounts_player.
const readTally = `
	SELECT tally_revision, tally_quarter, tally_deposited, tally_lost, tally_staked, tally_wagered
	  FROM accounts WHERE player_id = $1 AND kind = 'cash' AND tally_revision IS NOT NULL`

// Read returns a player's rules as of now, and what has been used of them; none where the player has
// set none.
func (r *Rulebook) Read(ctx context.Context, player uuid.UUID) (RulesView, error) {
	now := r.now()
	view := RulesView{Rules: Rules{Calendar: firstCalendar}}
	// Both reads see one moment.
	err := postgres.Snapshot(ctx, r.books.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		var t ledger.Tally
		err := tx.QueryRow(ctx, readTally, player).Scan(&t.Revision, &t.Quarter, &t.Deposited, &t.Lost, &t.Staked, &t.Wagered)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		t.Quarter = t.Quarter.UTC()
		a := counting(player, t)
		if err == nil {
			err = newMemory().complete(ctx, tx, map[uuid.UUID]*allowance{player: a})
		}
		if err == nil {
			err = turnAll(ctx, tx, map[uuid.UUID]*allowance{player: a}, now)
		}
		if err == nil {
			view = a.view(now)
		}
		return err
	})
	if err != nil {
		return RulesView{}, fmt.Errorf("read rules: %w", err)
	}
	return view, nil
}

func (a *allowance) view(now time.Time) RulesView {
	view := RulesView{Rules: a.rules, BarredUntil: a.rules.barred(now)}
	for m := range measures {
		for p := range periods {
			view.Used[m][p] = a.used(m, p)
		}
	}
	return view
}

// Change makes a player's rules what is wished: what is stricter holds from this commit on, what is
// easier after the waiting time. Who asked for it is written into the activity log. ErrUnknownPlayer,
// ErrZone, ErrShorter.
func (r *Rulebook) Change(ctx context.Context, player uuid.UUID, wish Wish, by, comment string) (RulesView, error) {
	now := r.now()
	err := r.books.Run(ctx, func(ctx context.Context, batch *Batch) error {
		if err := batch.Lock(ctx, now, []uuid.UUID{player}, nil); err != nil {
			return err
		}
		if batch.Purse(player) == nil {
			return ErrUnknownPlayer
		}
		return batch.reword(player, wish, now, r.raiseAfter, by, comment)
	})
	if err != nil {
		return RulesView{}, fmt.Errorf("change rules: %w", err)
	}
	return r.Read(ctx, player)
}

func (b *Batch) reword(player uuid.UUID, wish Wish, now time.Time, raiseAfter time.Duration, by, comment string) error {
	a := b.allowances[player]
	if a == nil {
		a = newAllowance(player, now)
		b.allowances[player] = a
	}
	b.save(a)
	a.rules.at(Quarter(now))
	before := a.rules.Calendar
	if err := a.rules.take(wish, now, raiseAfter); err != nil {
		return err
	}
	a.reworded, a.counted, a.turned = true, true, true // with what turning to this quarter has moved
	if a.rules.Calendar != before {
		a.recount()
	}
	b.tell(event{at: now, name: EventLimitsChanged, player: player, operator: by, comment: comment, detail: a.rules.detail()}, false)
	return nil
}

// recount has the windows summed up anew with the next look: they begin at other times now.
func (a *allowance) recount() {
	if a.current != (Usage{}) {
		a.past = append(a.past, pastUsage{a.quarter, a.current})
	}
	a.quarter, a.current, a.earlier, a.counted, a.turned = time.Unix(0, 0).UTC(), Usage{}, [periods]Usage{}, true, true
}

// detail tells the rules in the activity log.
func (r *Rules) detail() map[string]string {
	detail := map[string]string{"zone": r.Calendar.Zone, "rolling": strconv.FormatBool(r.Calendar.Rolling)}
	for m := range measures {
		for p := range periods {
			if limit := r.Limits[m][p]; limit.Set {
				detail[m.String()+"_"+p.String()] = limit.Amount.String()
			}
		}
	}
	for _, raise := range r.Raises {
		to := "none"
		if raise.To.Set {
			to = raise.To.Amount.String()
		}
		detail[raise.Measure.String()+"_"+raise.Period.String()+"_later"] = to + " from " + raise.From.UTC().Format(time.RFC3339)
	}
	for name, until := range map[string]time.Time{"excluded_until": r.ExcludedUntil, "cooling_off_until": r.CoolingUntil} {
		if !until.IsZero() {
			detail[name] = until.UTC().Format(time.RFC3339)
		}
	}
	return detail
}

// Index: allowances_pkey.
const readBarred = `SELECT greatest(excluded_until, cooling_until) FROM allowances WHERE player_id = $1`

// Barred says until when a player is self-excluded or cooling off; zero: not.
func (r *Rulebook) Barred(ctx context.Context, player uuid.UUID) (time.Time, error) {
	var until pgtype.Timestamptz
	err := r.books.db.Pool.QueryRow(ctx, readBarred, player).Scan(&until)
	if err != nil && !postgres.NotFound(err) {
		return time.Time{}, fmt.Errorf("read exclusions: %w", err)
	}
	if !until.Valid || !until.Time.After(r.now()) {
		return time.Time{}, nil
	}
	return until.Time.UTC(), nil
}

// PlayerChecks are the audit's rules about pockets, bonuses and limits.
var PlayerChecks = []ledger.Check{
	{Name: "a bonus pocket without an active bonus is empty", SQL: `
	SELECT a.player_id::text, format('bonus pocket %s', a.balance)
	  FROM accounts a
	 WHERE a.kind = 'bonus' AND a.balance <> 0
	   AND NOT EXISTS (SELECT FROM bonuses b WHERE b.player_id = a.player_id AND b.status = 'active')`},
	{Name: "an allowance names the active bonus", SQL: `
	SELECT coalesce(a.player_id, b.player_id)::text, format('named %s, active %s', a.bonus_id, b.id)
	  FROM (SELECT player_id, bonus_id FROM allowances WHERE bonus_id IS NOT NULL) a
	  FULL JOIN (SELECT player_id, id FROM bonuses WHERE status = 'active') b USING (player_id)
	 WHERE a.bonus_id IS DISTINCT FROM b.id`},
	{Name: "a player is counted who has an allowance, and no other", SQL: `
	SELECT coalesce(a.player_id, c.player_id)::text, format('revision %s', c.tally_revision)
	  FROM allowances a
	  FULL JOIN (SELECT player_id, tally_revision FROM accounts WHERE tally_revision IS NOT NULL) c USING (player_id)
	 WHERE a.player_id IS NULL OR c.player_id IS NULL`},
	{Name: "a bonus is wagered by what its transactions count", SQL: `
	SELECT b.id::text, format('%s, wagered %s, counted %s', b.status, w.wagered, coalesce(t.counted, 0))
	  FROM bonuses b
	  LEFT JOIN accounts a ON a.player_id = b.player_id AND a.kind = 'cash'
	 CROSS JOIN LATERAL (SELECT CASE WHEN b.status = 'active' THEN a.tally_wagered ELSE b.wagered END AS wagered) w
	  LEFT JOIN (SELECT bonus_id, sum(contribution) AS counted FROM transactions WHERE bonus_id IS NOT NULL GROUP BY bonus_id) t ON t.bonus_id = b.id
	 WHERE w.wagered IS DISTINCT FROM coalesce(t.counted, 0)`},
	{Name: "a completed bonus was wagered, and what it left became cash as its terms say", SQL: `
	WITH moved AS (
	    SELECT x.bonus_id,
	           sum(x.amount - coalesce(x.bonus_amount, 0)) FILTER (WHERE x.source = 'bonus') AS cash
	      FROM transactions x WHERE x.bonus_id IS NOT NULL GROUP BY x.bonus_id
	)
	SELECT b.id::text, format('%s: wagered %s of %s, released %s, converted %s, cash got %s', b.status, b.wagered, b.required, b.released, b.converted, coalesce(m.cash, 0))
	  FROM bonuses b LEFT JOIN moved m ON m.bonus_id = b.id
	 WHERE coalesce(m.cash, 0) <> b.converted
	    OR b.status <> 'completed' AND b.converted <> 0
	    OR b.status = 'completed' AND b.wagered + b.forgiven < b.required
	    OR b.forgiven < 0 OR b.forgiven > 0 AND b.reopened = 0 AND b.wagered + b.forgiven > b.required
	    OR b.status = 'completed'
	       AND b.converted <> least(greatest(b.released, 0), coalesce((b.terms ->> 'max_conversion')::bigint, greatest(b.released, 0)))`},
	{Name: "a bonus has paid no more than it was given and has won", SQL: `
	SELECT b.id::text, format('%s: its pocket %s, its transactions %s', b.status, coalesce(a.balance, 0), coalesce(t.total, 0))
	  FROM bonuses b
	  LEFT JOIN accounts a ON a.player_id = b.player_id AND a.kind = 'bonus' AND b.status = 'active'
	  LEFT JOIN (SELECT bonus_id, sum(coalesce(bonus_amount, 0)) AS total FROM transactions WHERE bonus_id IS NOT NULL GROUP BY bonus_id) t ON t.bonus_id = b.id
	 WHERE coalesce(a.balance, 0) <> coalesce(t.total, 0)`},
	{Name: "what has been used of limits is what the ledger says, quarter by quarter", SQL: `
	WITH kept AS (
	    SELECT player_id, quarter, sum(deposited) AS deposited, sum(lost) AS lost, sum(staked) AS staked
	      FROM (SELECT player_id, quarter, deposited, lost, staked FROM usage_quarters
	            UNION ALL
	            SELECT player_id, tally_quarter, tally_deposited, tally_lost, tally_staked FROM accounts WHERE tally_revision IS NOT NULL) u
	     GROUP BY player_id, quarter
	), told AS (` + sumUsage + ` AND player_id IN (SELECT player_id FROM allowances) GROUP BY player_id, quarter)
	SELECT a.player_id::text, format('%s: kept %s/%s/%s, the ledger has %s/%s/%s', coalesce(k.quarter, t.quarter), k.deposited, k.lost, k.staked, t.deposited, t.lost, t.staked)
	  FROM kept k FULL JOIN told t USING (player_id, quarter)
	  JOIN allowances a ON a.player_id = coalesce(k.player_id, t.player_id)
	 WHERE coalesce(k.quarter, t.quarter) >= greatest(a.since, (SELECT max(tally_quarter) FROM accounts) - interval '31 days', ` + usageLooked + `)
	   AND (coalesce(k.deposited, 0), coalesce(k.lost, 0), coalesce(k.staked, 0))
	       IS DISTINCT FROM (coalesce(t.deposited, 0), coalesce(t.lost, 0), coalesce(t.staked, 0))`},
	{Name: "a coupon's stake and its contribution are what its transactions say", SQL: `
	SELECT c.id::text, format('bonus part %s, its stake %s; contributed %s, counted %s', c.bonus_stake, -coalesce(s.bonus_amount, 0), c.contributed, coalesce(t.counted, 0))
	  FROM coupons c
	  JOIN transactions s ON s.source = 'coupon' AND s.external_id = c.id::text || ':stake'
	  LEFT JOIN (SELECT coupon_id, sum(contribution) AS counted FROM transactions WHERE coupon_id IS NOT NULL GROUP BY coupon_id) t ON t.coupon_id = c.id
	 WHERE c.bonus_stake <> -coalesce(s.bonus_amount, 0) OR c.contributed <> coalesce(t.counted, 0)`},
}

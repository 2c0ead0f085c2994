package wallet

import (
	"time"

	"github.com/google/uuid"

	"evens/money"
)

// plain is a player's money as a child would keep it: two numbers, and a list of everything that
// counted, which is walked through whenever somebody asks.
type plain struct {
	first       bool // bonus before cash
	cash, bonus money.Amount
	counted     []plainCount
	active      *plainBonus
	bonuses     map[uuid.UUID]*plainBonus

	limits   [3][3]*money.Amount
	later    [3][3]*plainRaise
	zone     time.Duration // ahead of UTC
	rolling  bool
	next     *plainCalendar
	excluded time.Time
	cooling  time.Time
}

type plainCount struct {
	at    time.Time
	usage Usage
}

type plainRaise struct {
	to   *money.Amount
	from time.Time
}

type plainCalendar struct {
	zone    time.Duration
	rolling bool
	from    time.Time
}

type plainBonus struct {
	id                                     uuid.UUID
	status                                 BonusStatus
	required, wagered, released, converted money.Amount
	terms                                  *Terms
	expires                                time.Time
}

// clone keeps the model as it is: what was counted is only ever added to.
func (m *plain) clone() *plain {
	copied := *m
	copied.bonuses = make(map[uuid.UUID]*plainBonus, len(m.bonuses))
	for id, b := range m.bonuses {
		bonus := *b
		copied.bonuses[id] = &bonus
	}
	if m.active != nil {
		copied.active = copied.bonuses[m.active.id]
	}
	for i := range m.later {
		for j, raise := range m.later[i] {
			if raise != nil {
				waits := *raise
				copied.later[i][j] = &waits
			}
		}
	}
	return &copied
}

func newPlain() *plain { return &plain{bonuses: make(map[uuid.UUID]*plainBonus)} }

func (b *plainBonus) over(now time.Time) bool { return !b.expires.IsZero() && !now.Before(b.expires) }

// offsets of the zones that the test uses; none has summer time.
var offsets = map[string]time.Duration{"UTC": 0, "Asia/Kathmandu": 5*time.Hour + 45*time.Minute, "America/Noronha": -2 * time.Hour}

// now takes over what has waited.
func (m *plain) now(now time.Time) {
	whole := now.Truncate(15 * time.Minute)
	for i := range m.later {
		for j, raise := range m.later[i] {
			if raise != nil && !raise.from.After(whole) {
				m.limits[i][j], m.later[i][j] = raise.to, nil
			}
		}
	}
	if m.next != nil && !m.next.from.After(whole) {
		m.zone, m.rolling, m.next = m.next.zone, m.next.rolling, nil
	}
}

// begin is when a window that is open now began.
func (m *plain) begin(p Period, now time.Time) time.Time {
	whole := now.Truncate(15 * time.Minute)
	if m.rolling {
		return whole.Add(-[]time.Duration{24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}[p])
	}
	day := whole.Add(m.zone).Truncate(24 * time.Hour)
	switch p {
	case Weekly:
		for day.Weekday() != time.Monday {
			day = day.Add(-24 * time.Hour)
		}
	case Monthly:
		for day.Day() != 1 {
			day = day.Add(-24 * time.Hour)
		}
	}
	return day.Add(-m.zone)
}

func (m *plain) used(measure Measure, p Period, now time.Time) money.Amount {
	m.now(now)
	var sum money.Amount
	for _, c := range m.counted {
		if !c.at.Before(m.begin(p, now)) {
			sum += c.usage[measure]
		}
	}
	return sum
}

func (m *plain) count(at time.Time, usage Usage) {
	m.counted = append(m.counted, plainCount{at.Truncate(15 * time.Minute), usage})
}

func (m *plain) barred(now time.Time) bool { return m.excluded.After(now) || m.cooling.After(now) }

func (m *plain) over(measure Measure, more money.Amount, now time.Time) (left money.Amount, over bool) {
	m.now(now)
	for p := range periods {
		limit := m.limits[measure][p]
		if limit == nil || m.used(measure, p, now)+more <= *limit {
			continue
		}
		if rest := *limit - m.used(measure, p, now); !over || rest < left {
			left, over = rest, true
		}
	}
	return left, over
}

func (m *plain) mayDeposit(amount money.Amount, now time.Time) string {
	if m.barred(now) {
		return ErrExcluded.Error()
	}
	if _, over := m.over(Deposits, amount, now); over {
		return Deposits.String()
	}
	return ""
}

// stake is how a stake is paid, or why not.
func (m *plain) stake(w Wager, now time.Time) (Paid, string) {
	m.lapse(now)
	if m.barred(now) {
		return Paid{}, ErrExcluded.Error()
	}
	var paid Paid
	spare, tooLarge, smaller := money.Amount(0), false, money.Amount(0)
	if m.active != nil {
		rate := Rate(0)
		switch t := m.active.terms; {
		case w.Sports && w.Coef >= t.MinCoef:
			rate = t.Sports
		case w.Sports:
		default:
			var listed bool
			if rate, listed = t.Games[w.Category]; !listed {
				rate = t.Other
			}
		}
		if rate > 0 && m.bonus > 0 {
			smaller = m.bonus
		}
		if t := m.active.terms; t.MaxStake > 0 && w.Stake > t.MaxStake {
			rate, tooLarge = 0, true
		}
		// Half up, in whole ten-thousandths.
		paid.Contribution = (w.Stake*money.Amount(rate)*2 + 10_000) / 20_000
		if rate > 0 && m.bonus > 0 {
			spare = m.bonus
		}
	}
	if tooLarge && m.cash >= 0 && m.cash < w.Stake && m.cash+smaller >= w.Stake {
		return Paid{}, ErrBonusStake.Error()
	}
	if m.cash < 0 || m.cash+spare < w.Stake {
		return Paid{}, ErrInsufficientFunds.Error()
	}
	if m.first {
		paid.Bonus = min(spare, w.Stake)
	} else {
		paid.Bonus = max(0, w.Stake-m.cash)
	}
	paid.Cash = w.Stake - paid.Bonus
	wagerLeft, wager := m.over(Wagers, w.Stake, now)
	lossLeft, loss := m.over(Losses, paid.Cash, now)
	switch {
	case wager && (!loss || wagerLeft <= lossLeft):
		return Paid{}, Wagers.String()
	case loss:
		return Paid{}, Losses.String()
	}
	return paid, ""
}

// move is anything that games and coupons do to the pockets: for a bonus, at a time when it counts.
func (m *plain) move(now, counts time.Time, bonus uuid.UUID, change Split, staked, contribution money.Amount) {
	m.lapse(now)
	m.cash += change.Cash
	m.bonus += change.Bonus
	m.count(counts, Usage{Losses: -change.Cash, Wagers: staked})
	of := m.bonuses[bonus]
	if of == nil {
		m.complete()
		return
	}
	of.wagered += contribution
	if of == m.active {
		m.complete()
		return
	}
	// The pocket is another bonus's, or nobody's: what came goes on.
	m.bonus -= change.Bonus
	if of.status == BonusCompleted {
		of.released += change.Bonus
		m.convert(of)
	}
	if of.status == BonusCompleted && of.wagered < of.required {
		m.reopen(of, now)
	}
}

// reopen is what becomes of a completed bonus that is no longer wagered.
func (m *plain) reopen(b *plainBonus, now time.Time) {
	m.cash -= b.converted
	left := b.released
	b.released, b.converted = 0, 0
	if m.active != nil {
		b.status = BonusForfeited
		return
	}
	b.status, m.active = BonusActive, b
	m.bonus += left
	m.lapse(now)
}

// convert makes of a completed bonus what its terms let become cash.
func (m *plain) convert(b *plainBonus) {
	shall := max(0, b.released)
	if most := b.terms.MaxConversion; most > 0 && shall > most {
		shall = most
	}
	m.cash += shall - b.converted
	b.converted = shall
}

func (m *plain) complete() {
	if m.active != nil && m.active.wagered >= m.active.required && m.bonus >= 0 {
		m.end(BonusCompleted)
	}
}

func (m *plain) lapse(now time.Time) {
	if m.active != nil && m.active.over(now) {
		m.end(BonusExpired)
	}
}

func (m *plain) end(status BonusStatus) {
	b := m.active
	if b == nil {
		return
	}
	b.status, m.active = status, nil
	if status == BonusCompleted {
		b.released = m.bonus
		m.convert(b)
	}
	m.bonus = 0
}

// wish changes one limit, and perhaps the calendar or an exclusion.
func (m *plain) wish(wish Wish, measure Measure, period Period, wished Cap, now time.Time) string {
	m.now(now)
	for _, bar := range []struct {
		until *time.Time
		held  *time.Time
	}{{wish.ExcludedUntil, &m.excluded}, {wish.CoolingUntil, &m.cooling}} {
		if bar.until == nil {
			continue
		}
		if bar.held.After(now) && bar.until.Before(*bar.held) {
			return ErrShorter.Error()
		}
		*bar.held = *bar.until
	}
	if wish.Zone != nil {
		m.reckon(Calendar{Zone: *wish.Zone, Rolling: *wish.Rolling}, now)
	}
	var to *money.Amount
	if wished.Set {
		to = &wished.Amount
	}
	held, waits := m.limits[measure][period], m.later[measure][period]
	switch {
	case held == nil || to != nil && *to <= *held:
		m.limits[measure][period], m.later[measure][period] = to, nil
	case waits != nil && (waits.to == nil || to != nil && *to <= *waits.to):
		waits.to = to
	default:
		m.later[measure][period] = &plainRaise{to, now.Add(24 * time.Hour)}
	}
	return ""
}

// reckon changes the calendar: at once where no limit could be eased by it.
func (m *plain) reckon(to Calendar, now time.Time) {
	zone, any := offsets[to.Zone], false
	for i := range m.limits {
		for j := range m.limits[i] {
			any = any || m.limits[i][j] != nil
		}
	}
	switch {
	case zone == m.zone && to.Rolling == m.rolling:
		m.next = nil
	case !any:
		m.zone, m.rolling, m.next = zone, to.Rolling, nil
	case m.next == nil || m.next.zone != zone || m.next.rolling != to.Rolling:
		m.next = &plainCalendar{zone, to.Rolling, now.Add(24 * time.Hour).Truncate(15 * time.Minute).Add(15 * time.Minute)}
	}
}

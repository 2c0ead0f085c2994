package wallet

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"evens/money"
)

// Measure is what a limit counts.
type Measure int

// The measures. Deposits are gross; losses are stakes less winnings, in cash; wagers are stakes from
// both pockets.
const (
	Deposits Measure = iota
	Losses
	Wagers
	measures
)

func (m Measure) String() string { return [...]string{"deposit", "loss", "wager"}[m] }

// Period is over how long a limit counts.
type Period int

// The periods.
const (
	Daily Period = iota
	Weekly
	Monthly
	periods
)

// Measures and Periods list what limits there are, in their order.
func Measures() []Measure { return []Measure{Deposits, Losses, Wagers} }

// Periods lists the periods, shortest first.
func Periods() []Period { return []Period{Daily, Weekly, Monthly} }

func (p Period) String() string { return [...]string{"daily", "weekly", "monthly"}[p] }

// cells is how many limits there are.
const cells = int(measures) * int(periods)

// Cap is the most of something; nothing is capped where Set is false.
type Cap struct {
	Amount money.Amount
	Set    bool
}

// stricter reports whether c lets no more pass than other does.
func (c Cap) stricter(other Cap) bool {
	return !other.Set || c.Set && c.Amount <= other.Amount
}

// Limits are a player's caps by measure and period.
type Limits [measures][periods]Cap

// Any reports whether there is a cap at all.
func (l Limits) Any() bool { return l != Limits{} }

// Raise is a cap that was asked to be higher, or taken away, and holds from From on.
type Raise struct {
	Measure Measure
	Period  Period
	To      Cap
	From    time.Time
}

// Calendar says where a player's days begin, or that the last 24 hours, 7 and 30 days count instead.
type Calendar struct {
	Zone    string // IANA
	Rolling bool
}

// Rules are what a player, or the law, has set for the player's own play.
type Rules struct {
	Limits
	Raises   []Raise
	Calendar Calendar
	// Next is the calendar that holds from NextFrom on; NextFrom zero: no other.
	Next     Calendar
	NextFrom time.Time
	// ExcludedUntil and CoolingUntil bar stakes and deposits before that time.
	ExcludedUntil time.Time
	CoolingUntil  time.Time
}

// Refusals of the rules.
var (
	// ErrLimitExceeded says that a limit would be exceeded; a *LimitError tells which.
	ErrLimitExceeded = errors.New("a limit of the player would be exceeded")
	// ErrBonusStake says that only the bonus would cover a stake, which is larger than its terms let one be.
	ErrBonusStake = fmt.Errorf("%w: the stake is larger than the bonus lets one be", ErrLimitExceeded)
	// ErrExcluded says that the player is self-excluded or cooling off.
	ErrExcluded = fmt.Errorf("%w: self-excluded or cooling off", ErrPlayerBlocked)
	// ErrZone says that a time zone is not known.
	ErrZone = errors.New("not an IANA time zone")
	// ErrShorter says that an exclusion or a cooling-off cannot be made shorter.
	ErrShorter = errors.New("cannot be made shorter")
)

// LimitError is the limit in the way, with its figures.
type LimitError struct {
	Measure Measure
	Period  Period
	Limit   money.Amount
	Used    money.Amount
	Asked   money.Amount
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the %s %s limit is %s: %s is used, %s more is asked for", e.Period, e.Measure, e.Limit, e.Used, e.Asked)
}

// Is makes it an ErrLimitExceeded.
func (e *LimitError) Is(target error) bool { return target == ErrLimitExceeded }

// starts says from when the day, the week and the month of a time count. Where quarters count, a
// rolling window begins with the quarter that it began in.
func (c Calendar) starts(at time.Time) [periods]time.Time {
	if c.Rolling {
		const day = 24 * time.Hour
		return [periods]time.Time{at.Add(-day), at.Add(-7 * day), at.Add(-30 * day)}
	}
	location, err := locate(c.Zone)
	if err != nil {
		location = time.UTC
	}
	local := at.In(location)
	year, month, day := local.Date()
	sinceMonday := (int(local.Weekday()) + 6) % 7
	return [periods]time.Time{
		dayBegins(year, month, day, location), dayBegins(year, month, day-sinceMonday, location), dayBegins(year, month, 1, location),
	}
}

// at takes over what has been waiting for now.
func (r *Rules) at(now time.Time) {
	var waiting []Raise
	for _, raise := range r.Raises {
		if raise.From.After(now) {
			waiting = append(waiting, raise)
			continue
		}
		r.Limits[raise.Measure][raise.Period] = raise.To
	}
	r.Raises = waiting
	if !r.NextFrom.IsZero() && !r.NextFrom.After(now) {
		r.Calendar, r.Next, r.NextFrom = r.Next, Calendar{}, time.Time{}
	}
}

// barred says until when the player may not stake or deposit; zero: may.
func (r *Rules) barred(now time.Time) time.Time {
	until := r.ExcludedUntil
	if r.CoolingUntil.After(until) {
		until = r.CoolingUntil
	}
	if until.After(now) {
		return until
	}
	return time.Time{}
}

// Wish is how a player's rules shall be. What is nil stays; a cap that is not Set takes a limit away.
type Wish struct {
	Caps          [measures][periods]*Cap
	Zone          *string
	Rolling       *bool
	ExcludedUntil *time.Time
	CoolingUntil  *time.Time
}

// take makes the rules what is wished: what is stricter holds at once, what makes it easier after
// delay. An exclusion is never made shorter.
func (r *Rules) take(wish Wish, now time.Time, delay time.Duration) error {
	for _, bar := range []struct {
		wished *time.Time
		held   *time.Time
	}{{wish.ExcludedUntil, &r.ExcludedUntil}, {wish.CoolingUntil, &r.CoolingUntil}} {
		if bar.wished == nil {
			continue
		}
		if bar.held.After(now) && bar.wished.Before(*bar.held) {
			return ErrShorter
		}
		*bar.held = *bar.wished
	}
	// Before the caps: where there was none, the calendar could ease nothing.
	if err := r.move(wish, now, delay); err != nil {
		return err
	}
	from := now.Add(delay)
	var raises []Raise
	for m := range measures {
		for p := range periods {
			held, wished, waits := &r.Limits[m][p], wish.Caps[m][p], r.waiting(m, p)
			switch {
			case wished == nil && waits != nil:
				raises = append(raises, *waits)
			case wished == nil:
			case wished.stricter(*held):
				*held = *wished
			case waits != nil && wished.stricter(waits.To): // asked again: it does not wait anew
				raises = append(raises, Raise{Measure: m, Period: p, To: *wished, From: waits.From})
			default:
				raises = append(raises, Raise{Measure: m, Period: p, To: *wished, From: from})
			}
		}
	}
	r.Raises = raises
	return nil
}

// waiting returns the raise of a cap that waits, or nil.
func (r *Rules) waiting(m Measure, p Period) *Raise {
	for i := range r.Raises {
		if r.Raises[i].Measure == m && r.Raises[i].Period == p {
			return &r.Raises[i]
		}
	}
	return nil
}

// move changes the calendar: at once where there is no limit it could ease.
func (r *Rules) move(wish Wish, now time.Time, delay time.Duration) error {
	if wish.Zone == nil && wish.Rolling == nil {
		return nil
	}
	to := r.Calendar
	if wish.Zone != nil {
		to.Zone = cmp.Or(*wish.Zone, firstCalendar.Zone)
	}
	if wish.Rolling != nil {
		to.Rolling = *wish.Rolling
	}
	if _, err := locate(to.Zone); err != nil {
		return err
	}
	switch {
	case to == r.Calendar:
		r.Next, r.NextFrom = Calendar{}, time.Time{}
	case !r.Limits.Any():
		r.Calendar, r.Next, r.NextFrom = to, Calendar{}, time.Time{}
	case to != r.Next || r.NextFrom.IsZero():
		// Sums are kept by the quarter: a calendar changes with one.
		r.Next, r.NextFrom = to, Quarter(now.Add(delay)).Add(quarter)
	}
	return nil
}

package betsim

import (
	"cmp"
	"time"
)

// Config says how the simulated BeT behaves. The zero value is a BeT without faults that
// answers at once and knows the user "demo" with the password "demo".
//
// The faults are chances in per mille of placements. A placement meets at most one of them;
// should they add up to more than 1000, the ones listed first win.
type Config struct {
	// Seed makes a run repeatable. Two servers with one seed give the same bet codes, so what
	// outlives a process (a demo's database) wants a new seed for each.
	Seed uint64

	// Login and Password are those of the only user; "" means "demo".
	Login, Password string
	// OneSession has each login end the sessions before it.
	OneSession bool
	// EndWords are how requests on a session that has ended are answered, by turns; none means in
	// the documented words.
	EndWords []Words
	// ClearCookies has each login clear older cookies of the session's name elsewhere.
	ClearCookies bool
	// SessionTTL ends a session by time; 0 means never.
	SessionTTL time.Duration
	// SessionPlacements ends a session after so many placements; 0 means never.
	SessionPlacements int

	// AnswerDelay is how long every placement takes.
	AnswerDelay time.Duration

	// LoseRequest cuts the connection before the coupon is placed.
	LoseRequest int
	// LoseAnswer cuts the connection when the coupon is placed.
	LoseAnswer int
	// ServerError answers HTTP 500; every second such coupon is placed all the same.
	ServerError int
	// Nonsense answers HTTP 200 with a page; every second such coupon is placed all the same.
	Nonsense int
	// Slow places the coupon and answers SlowFor later.
	Slow int
	// SlowFor is 0 for 10 s.
	SlowFor time.Duration
	// Reject refuses with one of BeT's reasons.
	Reject int
	// CoefChange moves a coefficient: refused under rate_mode reject, else taken as changed.
	CoefChange int

	// Misquote has the answer to a placement name twice the stake that was sent, and a selection more.
	Misquote bool

	// Terse has /loadbars/ answer with heads as they are pushed, without the coupons' terms.
	Terse bool
	// Misspell spoils a character of the answer that says nothing about the coupon: in a team's
	// name, in junk before it, in its Content-Length.
	Misspell int
	// Contradict answers with a bet code and an error, another status, another code or HTTP 500;
	// every second such coupon is placed.
	Contradict int
	// Noise writes coefficients as 1.8500000000000003, every fourth time as "1,85".
	Noise int
	// Reorder lists the selections backwards, one of them under an id of BeT's own.
	Reorder int
	// LongCode gives a bet code of 70 characters.
	LongCode int
	// ZeroCode writes betCode 0 into refusals.
	ZeroCode bool

	// Forget keeps no coupons, for benches: no results, no reads, no growing memory.
	Forget bool

	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.Login = cmp.Or(c.Login, "demo")
	c.Password = cmp.Or(c.Password, "demo")
	c.SlowFor = cmp.Or(c.SlowFor, 10*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Bench is a BeT for benchmarks: it answers after 5 ms, without faults and without a memory.
func Bench(login, password string) Config {
	return Config{Login: login, Password: password, AnswerDelay: 5 * time.Millisecond, Forget: true}
}

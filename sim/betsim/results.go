package betsim

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Mix weighs the ways a coupon ends against each other.
type Mix struct{ Won, Lost, Refunded int }

// defaultMix is about what a bookmaker sees.
var defaultMix = Mix{Won: 40, Lost: 54, Refunded: 6}

// ResultOptions say which results to make. Chances are in per mille of coupons.
type ResultOptions struct {
	// Mix of the ends; the zero Mix means 40 won, 54 lost, 6 refunded.
	Mix Mix
	// Limit is how many coupons at most; 0 means all.
	Limit int
	// Only picks coupons; nil means any. It must not call the server.
	Only func(Coupon) bool
	// Revise takes coupons that have a result and gives them another one, decided later, in
	// place of coupons that are open.
	Revise bool

	// Duplicates come twice, the same in every figure.
	Duplicates int
	// Reversals are followed by another result, decided 1 to 60 seconds later.
	Reversals int
	// SameSecond is the part of reversals and revisions that carry the DateRecive of what they
	// replace: they hold because they come last.
	SameSecond int
	// Bare is the part of full refunds that come without AmountOut.
	Bare int
	// Disorder shuffles the heads. Those of a coupon with one DateRecive keep their order, since
	// nothing else tells which one holds.
	Disorder bool

	// At is when the results are decided, give or take a minute; the zero time means now.
	At time.Time
}

// Results decides coupons and returns the heads to push, which may be more than the coupons.
// What was decided last is what Last and /loadbars/ tell from then on.
func (s *Server) Results(opts ResultOptions) []Head {
	if opts.Mix == (Mix{}) {
		opts.Mix = defaultMix
	}
	if opts.At.IsZero() {
		opts.At = s.cfg.Now()
	}
	chance := dice(s.cfg.Seed, streamResult, s.rounds.Add(1))

	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	var heads []Head
	taken := 0
	for _, c := range s.book.list {
		if opts.Limit > 0 && taken == opts.Limit {
			break
		}
		if c.settled != opts.Revise || (opts.Only != nil && !opts.Only(c.public())) {
			continue
		}
		taken++
		heads = append(heads, c.decide(opts, chance)...)
	}
	if opts.Disorder {
		shuffle(heads, chance)
	}
	return heads
}

// decide ends one coupon and returns its heads in the order they hold.
func (c *coupon) decide(opts ResultOptions, chance *rand.Rand) []Head {
	var heads []Head
	date := opts.At.Unix() + int64(chance.IntN(60))
	push := func(h Head) {
		h.DateRecive = date
		c.last, c.settled = h, true
		heads = append(heads, h)
		if perMille(chance, opts.Duplicates) {
			heads = append(heads, h)
		}
	}
	later := func(than int64) int64 {
		if perMille(chance, opts.SameSecond) {
			return than
		}
		return max(than, date) + 1 + int64(chance.IntN(60))
	}
	if c.settled {
		date = later(c.last.DateRecive)
		push(c.other(opts, chance))
		return heads
	}
	push(c.end(opts, chance))
	if perMille(chance, opts.Reversals) {
		date = later(date)
		push(c.other(opts, chance))
	}
	return heads
}

// end draws a result from the mix.
func (c *coupon) end(opts ResultOptions, chance *rand.Rand) Head {
	h := Head{
		ID: c.id(), BarCode: c.code, RemoteHost: c.remoteHost,
		Status: statusWon, AmountOut: formatDecimal(c.win, amountDigits),
	}
	switch n := chance.IntN(opts.Mix.Won + opts.Mix.Lost + opts.Mix.Refunded); {
	case n < opts.Mix.Won:
	case n < opts.Mix.Won+opts.Mix.Lost:
		h.Status = statusLost
		if len(c.selections) > 1 && chance.IntN(10) == 0 {
			h.ExtStatus = 1 // one match voided, another one lost
		}
	default:
		h.ExtStatus = 1
		amount := c.refund(chance)
		h.AmountOut = formatDecimal(amount, amountDigits)
		if amount == c.stake && perMille(chance, opts.Bare) {
			h.AmountOut = ""
		}
	}
	return h
}

// other draws a result that says something else than the last one. A mix that knows only that
// one end is turned round: won becomes lost, anything else won.
func (c *coupon) other(opts ResultOptions, chance *rand.Rand) Head {
	last := c.last
	for range 8 {
		h := c.end(opts, chance)
		if h.Status != last.Status || h.ExtStatus != last.ExtStatus || h.AmountOut != last.AmountOut {
			return h
		}
	}
	if last.Status == statusWon && last.ExtStatus == 0 {
		opts.Mix = Mix{Lost: 1}
	} else {
		opts.Mix = Mix{Won: 1}
	}
	return c.end(opts, chance)
}

// refund is what a coupon with voided matches pays: each of those counts as coefficient 1. A
// single gets its stake back; of an express mostly one match is voided, sometimes all.
func (c *coupon) refund(chance *rand.Rand) int64 {
	n := len(c.selections)
	voided := 1
	switch {
	case n == 1 || chance.IntN(10) == 0:
		return c.stake
	case n > 2 && chance.IntN(4) == 0:
		voided = 2
	}
	var rest []int64
	for _, i := range chance.Perm(n)[voided:] {
		rest = append(rest, c.selections[i].accepted)
	}
	coef, _ := combine(rest)           // fits: the product with all of them did
	amount, _ := payout(c.stake, coef) // likewise
	// Rounding a product of fewer can end up a hundredth above the whole coupon's.
	return min(amount, c.win)
}

// shuffle mixes the heads, and then puts those that share coupon and date back in order.
func shuffle(heads []Head, chance *rand.Rand) {
	type same struct {
		code string
		date int64
	}
	ordered := make(map[same][]Head, len(heads))
	for _, h := range heads {
		key := same{h.BarCode, h.DateRecive}
		ordered[key] = append(ordered[key], h)
	}
	chance.Shuffle(len(heads), func(i, j int) { heads[i], heads[j] = heads[j], heads[i] })
	for i, h := range heads {
		key := same{h.BarCode, h.DateRecive}
		heads[i] = ordered[key][0]
		ordered[key] = slices.Delete(ordered[key], 0, 1)
	}
}

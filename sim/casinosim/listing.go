package casinosim

import "time"

// Listing is how a platform shows what was played.
type Listing struct {
	// Late rows are listed that long after they were played.
	Late time.Duration
	// Lag is how many rows a page repeats of the one before it: the list moved while it was read. At most
	// one page is served so, or it would never end.
	Lag int
	// Broken rows, by id, are shown with an amount that is none.
	Broken map[string]bool
}

// Show has a platform list its rows so from now on.
func Show(p Platform, l Listing) {
	b := p.book()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listing, b.lagged = l, false
}

// Words are the statuses that platforms' lists have, by platform: those of their documents, and one
// that none of them has. A bet that stands has the first.
var Words = map[string][]string{
	"tg":    {"2", "9"},
	"betao": {"ok", "failed", "rolled back", "pending", "on hold"},
	"naga": {
		"RESOLVED", "PENDING", "CANCELED", "PENDING_CANCELED", "OPERATOR_UNKNOWN_ERROR", "PLACEBET_OPERATOR_ERROR",
		"PAYOUT_OPERATOR_ERROR", "PAYOUT_CHECK_FAIL", "UNDER_REVIEW",
	},
}

// Mark has a platform list a row with a status in its own words.
func Mark(p Platform, id, word string) {
	b := p.book()
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, has := b.at[id]; has {
		b.rows[i].word = word
	}
}

// Listed is one row of a platform's own memory.
type Listed struct {
	ID, Player, Round string
	Stake, Pay        int64 // in cents
}

// shown is the status of a row in the platform's words; own translates what the book calls it.
func (r row) shown(own map[string]string) string {
	if r.word != "" {
		return r.word
	}
	return own[r.status]
}

// sum is an amount as it is listed.
func (r row) sum(amount int64) string {
	if r.broken {
		return "1.2.3"
	}
	return cents(amount)
}

// Enter has a platform remember a spin that nobody played through it: its bet and, where the platform
// lists wins apart, its win. open says that it is not over.
func Enter(p Platform, who Player, spin Spin, at time.Time, open bool) {
	_, apart := p.Settle(who, spin)
	status := "ok"
	if open {
		status = "open"
	}
	p.book().put(row{id: spin.Bet, kind: kindOf(!apart), player: who, spin: spin, status: status, at: at})
	if p.Name() == "betao" && !open {
		p.book().put(row{id: spin.Win, kind: "win", player: who, spin: spin, status: "ok", at: at})
	}
}

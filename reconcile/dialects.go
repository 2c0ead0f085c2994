package reconcile

import (
	"evens/casino"
	"evens/casino/betao"
	"evens/casino/betron"
	"evens/casino/naga"
	"evens/casino/tg"
)

// dialect is what of a platform's dialect healing must know.
type dialect struct {
	// win is a win under the dialect's own key; false where a list does not tell enough to make it.
	win func(id, round string) (casino.Win, bool)
	// closes says that the platform tells when a round is over.
	closes bool
}

var dialects = map[string]dialect{
	betao.Provider:  {win: betao.Win},
	betron.Provider: {win: betron.Win},
	naga.Provider:   {win: naga.Win, closes: true},
	tg.Provider:     {win: tg.Win, closes: true},
}

// winOf is a win as the provider's dialect names it.
func winOf(provider, id, round string) (casino.Win, bool) {
	d, known := dialects[provider]
	if !known {
		return casino.Win{}, false
	}
	return d.win(id, round)
}

package tg

import "evens/casino"

// event is the one place that says under which key an event of theirs is kept: a bet and its win are
// one, under betId.
func event(betID, round string) casino.Call {
	return casino.Call{Provider: Provider, ID: betID, Round: casino.Round{ID: round}}
}

// Win reports false: a win without its bet is no event of theirs.
func Win(string, string) (casino.Win, bool) { return casino.Win{}, false }

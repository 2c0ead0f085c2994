package betao

import "evens/casino"

// event is the one place that says under which key an event of theirs is kept, and of which round it
// is: their ids are unique among debits and credits together.
func event(id, round string) casino.Call {
	return casino.Call{Provider: Provider, ID: id, Round: casino.Round{ID: round}}
}

// Win is a credit as a list of theirs tells of it; ok is false where it does not tell the round, by
// which a win is split between the pockets.
func Win(id, round string) (win casino.Win, ok bool) {
	call := event(id, round)
	call.List = true
	return casino.Win{Call: call}, id != "" && round != ""
}

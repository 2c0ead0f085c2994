package betao

import "evens/casino"

// Kind is Betao.
var Kind = casino.Kind{Name: Provider, Listed: Win}

// Win is a credit as a list of theirs tells of it; ok is false where it does not tell the round, by
// which a win is split between the pockets.
func Win(id, round string) (win casino.Win, ok bool) {
	win = Dialect.Win(casino.Event{ID: id, Round: round})
	win.List = true
	return win, id != "" && round != ""
}

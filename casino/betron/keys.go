package betron

import "evens/casino"

// Kind is BetronTech.
var Kind = casino.Kind{Name: Provider, Listed: Win}

// Win is a win as a list of theirs tells of it: under the key, and with the content, that their call
// has. It names neither bet nor round, as their calls do not.
func Win(id, _ string) (win casino.Win, ok bool) {
	win = Dialect.Win(casino.Event{ID: id})
	win.List = true
	return win, id != ""
}

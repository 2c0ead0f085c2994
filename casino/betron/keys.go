package betron

import "evens/casino"

// spaceOf is the one place that says under which key an event of theirs is kept: a win may have the
// id of its bet, a refund has it.
func spaceOf(method string) string {
	if method == methodWin {
		return "win"
	}
	return ""
}

// Win is a win as a list of theirs tells of it: under the key, and with the content, that their call
// has. It names neither bet nor round, as their calls do not.
func Win(id, _ string) (casino.Win, bool) {
	return casino.Win{Call: casino.Call{Provider: Provider, Space: spaceOf(methodWin), ID: id, List: true}}, id != ""
}

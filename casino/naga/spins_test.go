package naga

import (
	"strings"
	"testing"
)

// A free spin wins whose parent was cancelled before: the win stands, for Naga was told so, and a person sees it.
func TestAFreeSpinOfACancelledParentIsSeen(t *testing.T) {
	t.Parallel()
	p := open(t, "100")
	const spin = `"parentBetId":"spin","betType":"WIN_FREESPIN","isLastFreeSpins":false,`
	for _, call := range []struct{ route, data string }{
		{"place-bet", p.bet("spin", "t0", "10", `"parentBetId":"spin","betType":"NORMAL",`)}, {"cancel-bet", `{"betId":"spin"}`},
		{"place-bet", p.bet("free", "t1", "0", spin)}, {"payout", p.bet("free", "p1", "30", spin)},
	} {
		if answer := p.call(call.route, call.data); answer.Status != 200 {
			t.Fatalf("%s: %s", call.route, answer.Body)
		}
	}
	if open := strings.Join(p.hall.OpenBreaks(t, Provider), ", "); !strings.HasPrefix(open, "status ") {
		t.Errorf("breaks: %q", open)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// later are the attempts that gateClosed has made.
func (x *target) later() (all []attempt) {
	all = append(all, x.openDoorsOfOthers()...)
	naga := x.door("Naga")
	bet := strings.Replace(naga.body, "ID", uuid.NewString(), 1)
	packed, header := naga.packs(bet)
	for _, route := range []string{"payout", "cancel-bet", "balance", "authorize", "bet-status"} {
		all = append(all, x.over("outsider", "Naga: a signed bet sent to "+route, request{
			method: "POST", url: x.url + "/casino/naga/" + route, body: packed, header: header,
		}))
	}
	large := fmt.Sprintf(`{"player_id":%q,"stake":"1.00","currency":"USD","selections":[%s0]}`, x.who.ID, strings.Repeat("0,", 520_000))
	all = append(all, x.over("player", "half a million selections", request{method: "POST", url: x.url + "/v1/coupons", body: large, header: bearerOf(x.token)},
		func(status int, text string) bool {
			return status != http.StatusRequestEntityTooLarge || len(text) > 16<<10
		}))
	many := fmt.Sprintf(`{"player_id":%q,"stake":"1.00","currency":"USD","selections":[%s0]}`, x.who.ID, strings.Repeat("0,", 5_000))
	all = append(all, x.over("player", "errors without end", request{method: "POST", url: x.url + "/v1/coupons", body: many, header: bearerOf(x.token)},
		func(status int, text string) bool {
			var problem struct{ Errors []any }
			return !refusedHTTP(status) || json.Unmarshal([]byte(text), &problem) != nil || len(problem.Errors) > 20
		}))
	return append(all, attempt{"player", "more than the rate", func(t *testing.T) string {
		begin := time.Now()
		for time.Since(begin) < 20*time.Second {
			if status, _ := x.ask(t, request{method: "POST", url: x.url + "/v1/coupons", body: "{}", header: bearerOf(x.token)}); status == http.StatusTooManyRequests {
				return ""
			}
		}
		return "20 s of placements as fast as they go were all answered"
	}})
}

// openDoorsOfOthers are starts of the program that would let anyone in: it refuses, and names the setting.
func (x *target) openDoorsOfOthers() (all []attempt) {
	everywhere := "EVENS_LISTEN=0.0.0.0:0"
	betron := []string{"EVENS_BET_URL=", "EVENS_BETRON_URL=" + nowhere, "EVENS_BETRON_AGENT_CODE=a", "EVENS_BETRON_AGENT_TOKEN=t", "EVENS_BETRON_SECRET_KEY=s"}
	for _, start := range []struct {
		what, names string
		environ     []string
	}{
		{"BeT's results open to all", "EVENS_BET_RESULT_SECRET", []string{everywhere}},
		{"BeT's results behind a word", "EVENS_BET_RESULT_SECRET", []string{everywhere, "EVENS_BET_RESULT_SECRET=bet"}},
		{"BetronTech open to all", "EVENS_BETRON_PATH_SECRET", append(betron, everywhere)},
	} {
		all = append(all, attempt{"colleague", start.what, func(*testing.T) string {
			cmd := x.shell("api")
			cmd.Env = append(append(cmd.Env, "EVENS_OPS_LISTEN=127.0.0.1:0"), start.environ...)
			timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
			defer timer.Stop()
			output, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(output), start.names) {
				return fmt.Sprintf("it ended with %v: %s", err, output)
			}
			return ""
		}})
	}
	return all
}

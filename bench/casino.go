package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"evens/sim/casinosim"
)

// Casino measures one dialect's bets and wins over HTTP, signed or encrypted as the platform does.
type Casino struct {
	Wire        casinosim.Wire
	N           int // calls
	Connections int
	BaseURL     string
	Players     []casinosim.Player
	// Run tells this measurement's ids from those of others.
	Run      string
	Progress func(turns int)
}

var errRefused = errors.New("a call was refused")

// Measure plays N calls and returns the report.
func (c Casino) Measure(ctx context.Context, name string, baseline Baseline) (*Report, error) {
	turns := c.turns()
	resetPeak()
	before := measure()
	started := time.Now()
	latencies, err := play(ctx, strings.TrimPrefix(c.BaseURL, "http://"), c.Connections, turns, c.Progress)
	if err != nil {
		return nil, err
	}
	took := time.Since(started)
	report := &Report{Name: name, N: len(latencies)}
	report.finish(took, latencies, measure().since(before), baseline)
	return report, nil
}

// turns are spins of 0.10, each with its win of 0.10: nobody runs out of money.
func (c Casino) turns() []turn {
	var turns []turn
	check := func(status int, body []byte) error {
		answer, err := c.Wire.Read(status, body)
		if err == nil && answer.Verdict != casinosim.Done {
			err = errRefused
		}
		return err
	}
	for calls := 0; calls < c.N; {
		i := len(turns)
		player := c.Players[i*7919%len(c.Players)]
		id := fmt.Sprintf("%s-%d", c.Run, i)
		spin := casinosim.Spin{Bet: "b-" + id, Win: "w-" + id, Round: "r-" + id, Game: "bench", Stake: 10, Pay: 10}
		t := turn{check: check, requests: []request{c.request(c.Wire.Bet(player, spin))}}
		if settle, apart := c.Wire.Settle(player, spin); apart {
			t.requests = append(t.requests, c.request(settle))
		}
		calls += len(t.requests)
		turns = append(turns, t)
	}
	return turns
}

func (c Casino) request(call casinosim.Call) request {
	header := make(http.Header, len(call.Header))
	for name, values := range call.Header {
		header[name] = values
	}
	return newRequest(strings.TrimPrefix(c.BaseURL, "http://"), "/casino/"+c.Wire.Name()+call.Path, header, call.Body)
}

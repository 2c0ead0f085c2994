package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"evens/internal/rate"
	"evens/internal/source"
)

// Rates bound how often /v1 is called. The zero Rule of each is no bound.
type Rates struct {
	Limiter *rate.Limiter // nil: nothing is bounded

	Source rate.Rule // of an address, or an IPv6 /64, whoever it is
	Key    rate.Rule // of an API key
	Player rate.Rule // of all tokens of a player together

	PlaceKey    rate.Rule // placements, which ask the bookmaker, with an API key
	PlacePlayer rate.Rule // and with a player's tokens
}

// places marks, in an operation's metadata, calls that ask the bookmaker.
const places = "places"

// takeSource counts a call of an address, before anybody has looked at its bearer.
func (r *Rates) takeSource(req *http.Request) *Problem {
	if r.Limiter == nil {
		return nil
	}
	return tooMany("this address", r.Limiter.Take(req.Context(), "source:"+source.Network(source.Of(req)).String(), r.Source))
}

// takeCaller counts a call of a bearer; placements have a bound of their own, which is asked first.
func (r *Rates) takeCaller(ctx context.Context, c *caller, placement bool) *Problem {
	if r.Limiter == nil {
		return nil
	}
	all, placing := r.Key, r.PlaceKey
	if c.player.Valid {
		all, placing = r.Player, r.PlacePlayer
	}
	if placement {
		if refused := tooMany("placements with this bearer", r.Limiter.Take(ctx, "place:"+c.holder(), placing)); refused != nil {
			return refused
		}
	}
	return tooMany("this bearer", r.Limiter.Take(ctx, c.holder(), all))
}

func tooMany(what string, wait time.Duration) *Problem {
	if wait <= 0 {
		return nil
	}
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return newProblem(CodeTooManyRequests, fmt.Sprintf("too many calls: %s", what)).with("Retry-After", seconds)
}

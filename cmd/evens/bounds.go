package main

import (
	"errors"
	"strconv"
	"strings"

	"evens/api"
	"evens/casino"
	"evens/internal/rate"
)

// noBound is beyond what anybody can call: the demo and the benchmarks count as everybody does, and are
// never told to wait.
const noBound = "1000000/1000000"

func (c *Config) unbounded() {
	c.RateSource, c.RateKey, c.RatePlayer, c.RatePlaceKey, c.RatePlacePlayer = noBound, noBound, noBound, noBound, noBound
	c.Connections, c.ConnectionsPerSource = 0, 0
}

// parseBounds reads how often /v1 may be called, by the settings' names.
func (c *Config) parseBounds(problem casino.Problem) map[string]rate.Rule {
	bounds := make(map[string]rate.Rule)
	for name, text := range map[string]string{
		"EVENS_RATE_SOURCE": c.RateSource, "EVENS_RATE_KEY": c.RateKey, "EVENS_RATE_PLAYER": c.RatePlayer,
		"EVENS_RATE_PLACE_KEY": c.RatePlaceKey, "EVENS_RATE_PLACE_PLAYER": c.RatePlacePlayer,
	} {
		rule, err := parseRule(text)
		if err != nil {
			problem(name, err)
		}
		bounds[name] = rule
	}
	if min(c.Streams, c.StreamsPerKey, c.StreamsPerPlayer) < 0 {
		problem("EVENS_STREAMS", errors.New("EVENS_STREAMS_PER_KEY and EVENS_STREAMS_PER_PLAYER must not be below zero"))
	}
	return bounds
}

var errRule = errors.New("is calls a second, such as 50, or with how many at once behind it, 50/300; 0 for no bound")

// parseRule reads a rate: 50/300 is 50 a second, 300 at once after a pause; 50 alone twice as many.
func parseRule(text string) (rate.Rule, error) {
	if text == "" {
		return rate.Rule{}, nil
	}
	each, atOnce, both := strings.Cut(strings.TrimSpace(text), "/")
	perSecond, err := strconv.Atoi(each)
	burst := 2 * perSecond
	if err == nil && both {
		burst, err = strconv.Atoi(atOnce)
	}
	if err != nil || perSecond < 0 || burst < perSecond {
		return rate.Rule{}, errRule
	}
	return rate.Rule{PerSecond: perSecond, Burst: burst}, nil
}

func (s *system) rates() api.Rates {
	bounds := s.settings.bounds
	return api.Rates{
		Limiter: rate.New(s.redis, s.now, s.log),
		Source:  bounds["EVENS_RATE_SOURCE"], Key: bounds["EVENS_RATE_KEY"], Player: bounds["EVENS_RATE_PLAYER"],
		PlaceKey: bounds["EVENS_RATE_PLACE_KEY"], PlacePlayer: bounds["EVENS_RATE_PLACE_PLAYER"],
	}
}

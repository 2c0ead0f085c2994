package betsim

import "math/rand/v2"

// fate is what a placement meets.
type fate int

const (
	fine fate = iota
	loseRequest
	loseAnswer
	serverError
	nonsense
	slow
	reject
	coefChange
	misspelt
	contradictory
	noisy
	reordered
	overlong
)

// fate draws one for a placement.
func (c Config) fate(chance *rand.Rand) fate {
	drawn := chance.IntN(1000)
	for _, option := range []struct {
		fate     fate
		perMille int
	}{
		{loseRequest, c.LoseRequest},
		{loseAnswer, c.LoseAnswer},
		{serverError, c.ServerError},
		{nonsense, c.Nonsense},
		{slow, c.Slow},
		{reject, c.Reject},
		{coefChange, c.CoefChange},
		{misspelt, c.Misspell},
		{contradictory, c.Contradict},
		{noisy, c.Noise},
		{reordered, c.Reorder},
		{overlong, c.LongCode},
	} {
		if drawn < option.perMille {
			return option.fate
		}
		drawn -= option.perMille
	}
	return fine
}

package api

import (
	"cmp"
	"sync"
)

// StreamBounds are how many event streams there may be at once. Zero values stand for the defaults.
type StreamBounds struct {
	Total     int // of the process; 4000
	PerPlayer int // with tokens of one player; 16
	PerKey    int // 1000
}

func (b StreamBounds) orDefault() StreamBounds {
	return StreamBounds{Total: cmp.Or(b.Total, 4000), PerPlayer: cmp.Or(b.PerPlayer, 16), PerKey: cmp.Or(b.PerKey, 1000)}
}

// seats counts open event streams. It is safe for concurrent use.
type seats struct {
	bounds StreamBounds

	mu    sync.Mutex
	taken int
	by    map[string]int
}

func newSeats(bounds StreamBounds) *seats {
	return &seats{bounds: bounds.orDefault(), by: make(map[string]int)}
}

// take takes a caller's seat, which leave gives back.
func (s *seats) take(who *caller) (leave func(), err error) {
	holder, most := who.holder(), s.bounds.PerKey
	if who.player.Valid {
		most = s.bounds.PerPlayer
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.by[holder] >= most:
		return nil, newProblem(CodeTooManyRequests, "too many event streams are open with this bearer").with("Retry-After", "5")
	case s.taken >= s.bounds.Total:
		return nil, newProblem(CodeTooManyRequests, "too many event streams are open").with("Retry-After", "5")
	}
	s.by[holder]++
	s.taken++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.by[holder]--; s.by[holder] == 0 {
			delete(s.by, holder)
		}
	}), nil
}

// holder names whom a bearer's bounds are counted for: all tokens of a player together, each key apart.
func (c *caller) holder() string {
	if c.player.Valid {
		return "player:" + c.player.UUID.String()
	}
	return "key:" + c.key.ID.String()
}

package callbacks

import (
	"net/netip"
	"sync"
	"time"

	"evens/internal/source"
)

// sources counts what comes from each network, a minute at a time. What it holds is bounded: beyond
// mostSources networks the others share one count. It is safe for concurrent use.
type sources struct {
	now func() time.Time

	mu     sync.Mutex
	minute time.Time
	counts map[netip.Prefix]int
}

const (
	mostSources = 4096
	// eachMinute is how many records that prove nothing are kept of one source, and how many refusals are
	// worth a line in the log.
	eachMinute = 60
)

// few reports whether this is among the first of its source in this minute.
func (s *sources) few(address string) bool {
	parsed, _ := netip.ParseAddr(address) // the zero address stands for all that are not known
	network := source.Network(parsed)
	s.mu.Lock()
	defer s.mu.Unlock()
	if minute := s.now().Truncate(time.Minute); !minute.Equal(s.minute) {
		s.minute, s.counts = minute, make(map[netip.Prefix]int)
	}
	if _, known := s.counts[network]; !known && len(s.counts) >= mostSources {
		network = netip.Prefix{}
	}
	s.counts[network]++
	return s.counts[network] <= eachMinute
}

package wallet

import (
	"fmt"
	"sync"
	"time"

	"evens/internal/zone"
)

var zones sync.Map // name → *time.Location

// locate returns a time zone by its IANA name, or ErrZone.
func locate(name string) (*time.Location, error) {
	if found, ok := zones.Load(name); ok {
		return found.(*time.Location), nil
	}
	found, err := zone.Load(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrZone, err)
	}
	zones.Store(name, found)
	return found, nil
}

// farthestEast is more than the clock of any zone is ahead of UTC.
const farthestEast = 15 * time.Hour

// dayBegins is the first moment of a local day: where clocks go forward at midnight that is an hour past
// it, where they go back over midnight it is the first of the two.
func dayBegins(year int, month time.Month, day int, location *time.Location) time.Time {
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	from := midnight.Add(-farthestEast) // of an earlier day everywhere
	for {
		local := from.In(location)
		_, ahead := local.Zone()
		_, until := local.ZoneBounds()
		begins := midnight.Add(-time.Duration(ahead) * time.Second)
		if begins.Before(from) { // the clock was put past midnight just then
			begins = from
		}
		if until.IsZero() || begins.Before(until) {
			return begins
		}
		from = until.UTC()
	}
}

package wallet

import (
	"errors"
	"testing"
	"time"
)

// A day begins with its first moment, also where there is no midnight, or two.
func TestDaysBeginWithTheirFirstMoment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, at, day, week, month string }{
		// Clocks go from 24:00 to 01:00.
		{"America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z", "2026-08-31T04:00:00Z", "2026-09-01T04:00:00Z"},
		{"America/Santiago", "2026-09-06T03:50:00Z", "2026-09-05T04:00:00Z", "2026-08-31T04:00:00Z", "2026-09-01T04:00:00Z"},
		{"Atlantic/Azores", "2026-03-29T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-23T01:00:00Z", "2026-03-01T01:00:00Z"},
		{"America/Havana", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-02T05:00:00Z", "2026-03-01T05:00:00Z"},
		{"Africa/Cairo", "2026-04-24T12:00:00Z", "2026-04-23T22:00:00Z", "2026-04-19T22:00:00Z", "2026-03-31T22:00:00Z"},
		{"Asia/Beirut", "2026-03-29T12:00:00Z", "2026-03-28T22:00:00Z", "2026-03-22T22:00:00Z", "2026-02-28T22:00:00Z"},
		// Midnight comes twice.
		{"America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-10-26T04:00:00Z", "2026-11-01T04:00:00Z"},
		{"America/Havana", "2026-11-01T04:30:00Z", "2026-11-01T04:00:00Z", "2026-10-26T04:00:00Z", "2026-11-01T04:00:00Z"},
		{"Atlantic/Azores", "2026-10-25T12:00:00Z", "2026-10-25T00:00:00Z", "2026-10-19T00:00:00Z", "2026-10-01T00:00:00Z"},
		// 23:00 comes twice.
		{"America/Santiago", "2026-04-05T12:00:00Z", "2026-04-05T04:00:00Z", "2026-03-30T03:00:00Z", "2026-04-01T03:00:00Z"},
		// A day that the island did not have.
		{"Pacific/Apia", "2011-12-31T08:00:00Z", "2011-12-30T10:00:00Z", "2011-12-26T10:00:00Z", "2011-12-01T10:00:00Z"},
		// Where nothing is unusual.
		{"UTC", "2026-06-03T12:00:00Z", "2026-06-03T00:00:00Z", "2026-06-01T00:00:00Z", "2026-06-01T00:00:00Z"},
		{"Asia/Kathmandu", "2026-06-03T18:20:00Z", "2026-06-03T18:15:00Z", "2026-05-31T18:15:00Z", "2026-05-31T18:15:00Z"},
		{"Pacific/Kiritimati", "2026-06-03T09:00:00Z", "2026-06-02T10:00:00Z", "2026-05-31T10:00:00Z", "2026-05-31T10:00:00Z"},
		{"Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-22T23:00:00Z", "2026-02-28T23:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		starts := Calendar{Zone: c.zone}.starts(at)
		for p, want := range []string{c.day, c.week, c.month} {
			if got := starts[p].Format(time.RFC3339); got != want {
				t.Errorf("%s at %s: the %s window begins at %s, want %s", c.zone, c.at, Period(p), got, want)
			}
		}
	}
}

// Only what is a zone on every machine is one.
func TestZonesAreIANAs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"posix/Asia/Dubai", "right/UTC", "localtime", "Local", "posixrules", "", "../UTC", "asia/dubai", "Factory"} {
		if _, err := locate(name); !errors.Is(err, ErrZone) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"UTC", "Asia/Dubai", "America/Argentina/Buenos_Aires", "Etc/GMT+3"} {
		if _, err := locate(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

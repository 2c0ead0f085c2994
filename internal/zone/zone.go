// Package zone loads time zones by their IANA names, the same in every process: the database is in
// the program, for machines that have none.
package zone

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // for machines without the files
)

// ErrUnknown says that a name is none of the IANA time zone database.
var ErrUnknown = errors.New("no IANA time zone")

var plain = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// Load returns the zone of an IANA name such as "Europe/Berlin" or "UTC", or ErrUnknown. Names that only
// a machine's own files have (localtime, Local, posix/…, right/…) are unknown: another machine reads
// something else under them, or nothing.
func Load(name string) (*time.Location, error) {
	if name == "Local" || name == "Factory" || !plain.MatchString(name) || strings.HasPrefix(name, "SystemV/") {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, shorten(name))
	}
	found, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, shorten(name))
	}
	return found, nil
}

func shorten(name string) string {
	if len(name) > 60 {
		return name[:60] + "…"
	}
	return name
}

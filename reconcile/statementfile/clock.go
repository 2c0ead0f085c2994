package statementfile

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"evens/internal/zone"
)

// The words of a mapping's time that are no layout.
const (
	unixSeconds = "unix"
	unixMillis  = "unix_ms"
	spreadsheet = "spreadsheet" // days since 30 December 1899
)

// moment reads the times of one file.
type moment struct {
	layout string
	zone   *time.Location // where the text and its line name none
	day    bool           // the layout has no clock
}

// earliest is before any line that is about a player of ours: what is older is a time misread.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func newMoment(m Mapping) (moment, error) {
	at := moment{layout: m.Time, zone: time.UTC}
	if m.Zone != "" {
		var err error
		if at.zone, err = zone.Load(m.Zone); err != nil {
			return at, err
		}
	}
	if at.layout == "" {
		at.layout = time.RFC3339
	}
	at.day = at.words() && !clocked(at.layout)
	return at, nil
}

// words reports whether times are written by a layout.
func (m moment) words() bool {
	return m.layout != unixSeconds && m.layout != unixMillis && m.layout != spreadsheet
}

// read returns an instant. in is the zone that the line names, or nil.
func (m moment) read(text string, in *time.Location) (at time.Time, day bool, err error) {
	if in == nil {
		in = m.zone
	}
	day = m.day
	switch m.layout {
	case unixSeconds, unixMillis:
		at, err = unix(text, m.layout == unixMillis)
	case spreadsheet:
		at, day, err = serial(text, in)
	default:
		if at, err = time.ParseInLocation(m.layout, text, in); err != nil {
			err = fmt.Errorf("%q is no time of the form %s", shorten(text), m.layout)
		}
	}
	if err == nil && (at.Before(earliest) || at.Year() > 9999) {
		err = fmt.Errorf("%q is the year %d", shorten(text), at.Year())
	}
	return at.UTC(), day, err
}

func unix(text string, millis bool) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > 1<<53 || n < 0 {
		return time.Time{}, fmt.Errorf("%q is no number of seconds or milliseconds since 1970", shorten(text))
	}
	if millis {
		return time.UnixMilli(n), nil
	}
	return time.Unix(n, 0), nil
}

// serial reads a spreadsheet's number of a day, and of the part of it that is over.
func serial(text string, in *time.Location) (at time.Time, day bool, err error) {
	sum := new(big.Rat)
	for part := range strings.FieldsSeq(text) {
		number, ok := new(big.Rat).SetString(part)
		if !ok || len(part) > 24 || strings.ContainsAny(part, "/_xXpP") {
			return at, false, fmt.Errorf("%q is no spreadsheet's number of a day", shorten(text))
		}
		sum.Add(sum, number)
	}
	const millisOfDay = 24 * 60 * 60 * 1000
	sum.Mul(sum, new(big.Rat).SetInt64(millisOfDay)).Add(sum, big.NewRat(1, 2))
	millis := new(big.Int).Div(sum.Num(), sum.Denom()) // rounded: the fraction is a float's
	if !millis.IsInt64() || millis.Sign() < 0 || millis.Int64() > 3_000_000*millisOfDay {
		return at, false, fmt.Errorf("%q is no spreadsheet's number of a day", shorten(text))
	}
	days, rest := int(millis.Int64()/millisOfDay), millis.Int64()%millisOfDay
	clock := time.Duration(rest) * time.Millisecond
	at = time.Date(1899, time.December, 30+days, int(clock.Hours()), int(clock.Minutes())%60, int(clock.Seconds())%60,
		int(clock%time.Second), in)
	return at, rest == 0, nil
}

// checkLayout refuses a layout that cannot tell one day from another, or a clock that cannot be told.
func checkLayout(m Mapping) error {
	switch strings.ToLower(m.Time) {
	case unixSeconds, unixMillis, spreadsheet, "":
		return nil
	}
	const year, month, dayOfMonth = 2031, time.November, 23
	probe := time.Date(year, month, dayOfMonth, 17, 48, 39, 0, time.FixedZone("XQZ", 3*60*60+30*60))
	text := probe.Format(m.Time)
	if strings.Contains(text, "XQZ") {
		return errors.New("abbreviations of zones mean several things: use an offset, zone or columns: zone")
	}
	again, err := time.ParseInLocation(m.Time, text, probe.Location())
	switch {
	case err != nil:
		return errors.New("is no layout in Go's notation (2006-01-02 15:04:05)")
	case again.Year() != year || again.Month() != month || again.Day() != dayOfMonth:
		return errors.New("tells no year, month and day (2006, 01, 02 in Go's notation)")
	case clocked(m.Time) && (again.Hour() != 17 || again.Minute() != 48):
		return errors.New("tells no hour of 24 and minute (15:04, or 03:04 PM, in Go's notation)")
	}
	if _, clock := m.Columns["time"]; clock && !clocked(m.Time) {
		return errors.New("has no clock, although a column has the time")
	}
	return nil
}

// clocked reports whether a layout has an hour.
func clocked(layout string) bool {
	morning := time.Date(2031, time.November, 23, 1, 0, 0, 0, time.UTC)
	return morning.Format(layout) != morning.Add(10*time.Hour).Format(layout)
}

var offsetForm = regexp.MustCompile(`^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?$`)

// namedZone reads the zone that a line names: an IANA name, Z, or an offset.
func namedZone(text string) (*time.Location, error) {
	if text == "Z" || text == "z" {
		return time.UTC, nil
	}
	if parts := offsetForm.FindStringSubmatch(strings.ReplaceAll(text, "\u2212", "-")); parts != nil {
		hours, _ := strconv.Atoi(parts[1] + parts[2]) // digits only
		minutes, _ := strconv.Atoi(parts[1] + "0" + parts[3])
		if hours < -12 || hours > 14 || minutes < -59 || minutes > 59 {
			return nil, fmt.Errorf("%q is no offset", shorten(text))
		}
		return time.FixedZone(text, hours*60*60+minutes*60), nil
	}
	found, err := zone.Load(text)
	if err != nil {
		return nil, fmt.Errorf("%q is neither an IANA time zone nor an offset", shorten(text))
	}
	return found, nil
}

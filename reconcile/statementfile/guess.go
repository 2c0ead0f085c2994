package statementfile

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// layouts of time that files have, those without doubt first.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05.000-07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02", "2006/01/02 15:04:05", "2006/01/02", "02.01.2006 15:04:05", "02.01.2006 15:04", "02.01.2006", "02-Jan-06 15:04:05",
	"02-Jan-2006 15:04:05", "02 Jan 2006 15:04:05", "02 Jan 2006", "Jan 2, 2006", "02/01/2006 15:04:05", "02/01/2006 15:04", "02/01/2006",
	"01/02/2006 15:04:05", "01/02/2006 15:04", "01/02/2006", "01/02/2006 03:04:05 PM", "02-01-2006 15:04:05", "02-01-2006",
}

var clockForm = regexp.MustCompile(`^\d{2}:\d{2}(:\d{2})?$`)

// findTimes finds the column with the date, the clock beside it, and the zone.
func (p *proposal) findTimes() {
	best, score, found := -1, 0, []string(nil)
	for index, name := range p.header {
		fitting := timeLayouts(p.values(index))
		if points := named("at", name) + 1; len(fitting) > 0 && points > score {
			best, score, found = index, points, fitting
		}
	}
	if best < 0 {
		p.ask("columns: at, time: which column has the time, and how is it written? One of %s", strings.Join(p.header, ", "))
		return
	}
	p.take("at", best)
	layout := found[0]
	if len(found) > 1 {
		p.ask("time: the dates could be %s; %s is taken", strings.Join(found, " or "), layout)
	}
	if !slices.Contains([]string{unixSeconds, unixMillis, spreadsheet}, layout) {
		layout = p.findClock(layout)
		p.findZone(layout)
	}
	if layout != time.RFC3339 {
		p.mapping.Time = layout
	}
}

// findClock finds a clock in a column of its own.
func (p *proposal) findClock(layout string) string {
	if clocked(layout) {
		return layout
	}
	for index := range p.header {
		values := p.values(index)
		if p.taken(index) || len(values) == 0 || slices.ContainsFunc(values, func(value string) bool { return !clockForm.MatchString(value) }) {
			continue
		}
		p.take("time", index)
		if len(values[0]) == len("15:04") {
			return layout + " 15:04"
		}
		return layout + " 15:04:05"
	}
	return layout
}

func (p *proposal) findZone(layout string) {
	if strings.Contains(layout, "-07") || strings.Contains(layout, "Z07") {
		return
	}
	for index, name := range p.header {
		values := p.values(index)
		if named("zone", name) == 0 || len(values) == 0 || p.taken(index) {
			continue
		}
		for _, value := range sortedWords(values) {
			if _, err := namedZone(value); err != nil {
				p.ask("zone: the column %q says %q, which is neither an IANA zone nor an offset. Which zone is meant?", name, value)
				return
			}
		}
		p.take("zone", index)
		return
	}
	p.mapping.Zone = "UTC"
	p.ask("zone: nothing says which time zone the times are in; UTC is taken")
}

// timeLayouts are the layouts that every value fits, the likeliest first.
func timeLayouts(values []string) []string {
	if len(values) == 0 {
		return nil
	}
	var found []string
	for _, layout := range slices.Concat(layouts, []string{unixMillis, unixSeconds}) {
		at := moment{layout: layout, zone: time.UTC}
		if !slices.ContainsFunc(values, func(value string) bool { return !likely(at, value) }) {
			found = append(found, layout)
		}
	}
	return found
}

// likely reports whether a value is a time of this century in a layout.
func likely(at moment, value string) bool {
	read, _, err := at.read(value, nil)
	return err == nil && read.Year() >= 2000 && read.Year() < 2100
}

var (
	numberForm  = regexp.MustCompile(`^[-+(]?\d[\d.,'\x{00a0}\x{202f} ]*\)?-?$`)
	groupedForm = regexp.MustCompile(`^[-+(]?\d{1,3}([.,'])\d{3}\)?-?$`)
)

// findAmounts finds the amounts, in one column or two, and how they are written.
func (p *proposal) findAmounts() {
	debit, credit := p.amountColumn("debit"), p.amountColumn("credit")
	var values []string
	switch amount := p.amountColumn("amount"); {
	case debit >= 0 && credit >= 0:
		p.take("debit", debit)
		p.take("credit", credit)
		values = slices.Concat(p.values(debit), p.values(credit))
	case amount >= 0:
		p.take("amount", amount)
		values = p.values(amount)
	default:
		p.ask("columns: amount: which column has it? One of %s", strings.Join(p.header, ", "))
		return
	}
	p.findMarks(slices.DeleteFunc(values, nothing))
}

func (p *proposal) amountColumn(role string) int {
	best, score := -1, 0
	for index, name := range p.header {
		values := slices.DeleteFunc(p.values(index), nothing)
		if p.taken(index) || len(values) == 0 || slices.ContainsFunc(values, func(value string) bool { return !numberForm.MatchString(value) }) {
			continue
		}
		if points := named(role, name); points > score {
			best, score = index, points
		}
	}
	return best
}

// findMarks finds the decimal character, and the one between thousands.
func (p *proposal) findMarks(values []string) {
	decimal, thousands, doubtful := "", "", ""
	for _, value := range values {
		number, _ := unsigned(value)
		last := strings.LastIndexAny(number, ".,")
		if last < 0 {
			continue
		}
		mark, before := number[last:last+1], number[:last]
		if groupedForm.MatchString(number) {
			doubtful = number
			continue
		}
		if strings.Contains(before, mark) { // 1,234,567
			thousands = mark
			continue
		}
		decimal = mark
		if i := strings.IndexAny(before, ".,'\u00a0\u202f "); i >= 0 {
			thousands = string([]rune(before[i:])[0])
		}
	}
	switch {
	case doubtful != "" && decimal == "" && thousands == "":
		p.ask("decimal, thousands: is %s a thousand, or a decimal number?", doubtful)
	case doubtful != "" && thousands == "" && !strings.Contains(doubtful, decimal):
		thousands = string([]rune(doubtful)[strings.IndexAny(doubtful, ".,'")])
	}
	if decimal == "" && thousands == "." {
		decimal = ","
	}
	if decimal != "." || thousands != "" {
		p.mapping.Decimal, p.mapping.Thousands = decimal, thousands
	}
	if p.mapping.Decimal == "." {
		p.mapping.Decimal = ""
	}
	if !slices.ContainsFunc(values, func(value string) bool { return strings.ContainsAny(value, ".,") }) {
		p.ask("unit: no amount has decimals. Are they whole units (major), or cents (minor)?")
	}
}

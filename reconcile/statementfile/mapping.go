package statementfile

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"evens/internal/zone"
	"evens/money"
)

// Mapping says how a file is read. The zero value: our own columns, comma, point, UTF-8, RFC 3339.
type Mapping struct {
	// Columns names the file's column for each of ours. Those that are left out have our names.
	Columns map[string]Column `yaml:"columns,omitempty"`
	// Type, Status and Currency hold for every line.
	Type     Type   `yaml:"type,omitempty"`
	Status   Status `yaml:"status,omitempty"`
	Currency string `yaml:"currency,omitempty"`
	// Types and Statuses translate the file's words, in any case.
	Types    map[string]Type   `yaml:"types,omitempty"`
	Statuses map[string]Status `yaml:"statuses,omitempty"`
	// Sign, debit_negative or debit_positive: the type follows from the amount's sign.
	Sign string `yaml:"sign,omitempty"`
	// Decimal and Thousands are one character each; without Thousands a grouped amount is refused.
	Decimal   string `yaml:"decimal,omitempty"`
	Thousands string `yaml:"thousands,omitempty"`
	// Unit is major (1.50) or minor (150).
	Unit string `yaml:"unit,omitempty"`
	// Time is a layout in Go's notation, or unix, unix_ms or spreadsheet; RFC 3339 by default.
	Time string `yaml:"time,omitempty"`
	// Zone is an IANA name.
	Zone string `yaml:"zone,omitempty"`
	// Separator is one character, a comma by default.
	Separator string `yaml:"separator,omitempty"`
	// Encoding is an IANA charset name.
	Encoding string `yaml:"encoding,omitempty"`
	// Skip is how many lines stand above the header.
	Skip int `yaml:"skip,omitempty"`
	// Sheet of a spreadsheet, the first by default.
	Sheet string `yaml:"sheet,omitempty"`
}

// Columns are those of a file without a mapping.
var Columns = []string{"transaction_id", "type", "player_id", "amount", "currency", "status", "at", "round_id"}

// moreColumns may be mapped too.
var moreColumns = []string{"reference", "debit", "credit", "time", "zone"}

// The words of Sign and Unit.
const (
	debitNegative = "debit_negative"
	debitPositive = "debit_positive"
	unitMajor     = "major"
	unitMinor     = "minor"
)

var (
	fixedTypes    = []Type{Debit, Credit, Rollback, Coupon}
	mappedTypes   = []Type{Debit, Credit, Rollback, Coupon, ignore}
	signedTypes   = []Type{Rollback, ignore}
	fixedStatuses = []Status{OK, Failed, Pending, Open, Won, Lost, Refunded}
	allStatuses   = append(slices.Clone(fixedStatuses), Status(ignore))
)

// ReadMapping reads a mapping, and refuses what it does not know by its key and value.
func ReadMapping(r io.Reader) (Mapping, error) {
	var m Mapping
	decoder := yaml.NewDecoder(r)
	decoder.KnownFields(true)
	if err := decoder.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return m, fmt.Errorf("mapping: %w", err)
	}
	if err := m.check(); err != nil {
		return m, fmt.Errorf("mapping: %w", err)
	}
	return m, nil
}

// check folds the mapping's words and names every key that is wrong.
func (m *Mapping) check() error {
	var errs []error
	wrong := func(key string, value any, reason string) {
		errs = append(errs, fmt.Errorf("%s: %q: %s", key, fmt.Sprint(value), reason))
	}
	for _, ours := range slices.Sorted(maps.Keys(m.Columns)) {
		if !slices.Contains(Columns, ours) && !slices.Contains(moreColumns, ours) {
			wrong("columns", ours, "no such column, only "+strings.Join(slices.Concat(Columns, moreColumns), ", "))
		}
		if _, _, err := m.Columns[ours].number(); err != nil {
			errs = append(errs, fmt.Errorf("columns: %s: %w", ours, err))
		}
		if m.Columns[ours].Name == "" {
			wrong("columns: "+ours, "", "names no column")
		}
	}
	_, debit := m.Columns["debit"]
	_, credit := m.Columns["credit"]
	_, amount := m.Columns["amount"]
	switch {
	case debit != credit:
		wrong("columns", "debit, credit", "are two columns, or none")
	case debit && amount:
		wrong("columns", "amount", "does not go with debit and credit")
	case debit && m.Sign != "":
		wrong("sign", m.Sign, "does not go with debit and credit")
	case m.signed() && m.Type != "":
		wrong("type", m.Type, "follows from the sign, or from debit and credit")
	}
	m.Sign, m.Unit = strings.ToLower(m.Sign), strings.ToLower(m.Unit)
	if m.Sign != "" && m.Sign != debitNegative && m.Sign != debitPositive {
		wrong("sign", m.Sign, "is debit_negative or debit_positive")
	}
	if m.Unit != "" && m.Unit != unitMajor && m.Unit != unitMinor {
		wrong("unit", m.Unit, "is major or minor")
	}
	m.checkWords(wrong)
	m.checkShape(wrong)
	return errors.Join(errs...)
}

// signed reports whether the type follows from amounts.
func (m *Mapping) signed() bool {
	_, debit := m.Columns["debit"]
	return m.Sign != "" || debit
}

func (m *Mapping) checkWords(wrong func(key string, value any, reason string)) {
	if m.Type = Type(fold(string(m.Type))); m.Type != "" && !slices.Contains(fixedTypes, m.Type) {
		wrong("type", m.Type, "is one of "+list(fixedTypes))
	}
	if m.Status = Status(fold(string(m.Status))); m.Status != "" && !slices.Contains(fixedStatuses, m.Status) {
		wrong("status", m.Status, "is one of "+list(fixedStatuses))
	}
	types := mappedTypes
	if m.signed() {
		types = signedTypes
	}
	m.Types = folded(m.Types, "types", types, wrong)
	m.Statuses = folded(m.Statuses, "statuses", allStatuses, wrong)
	if m.Currency != "" {
		m.Currency = strings.ToUpper(strings.TrimSpace(m.Currency))
		if _, err := money.ParseCurrency(m.Currency); err != nil {
			wrong("currency", m.Currency, "is no ISO 4217 code")
		}
	}
}

// folded is a table of words whose case does not matter.
func folded[T ~string](words map[string]T, key string, known []T, wrong func(string, any, string)) map[string]T {
	out := make(map[string]T, len(words))
	for _, word := range slices.Sorted(maps.Keys(words)) {
		ours, folds := T(fold(string(words[word]))), fold(word)
		if !slices.Contains(known, ours) {
			wrong(key+": "+word, words[word], "is one of "+list(known))
		}
		if before, twice := out[folds]; twice && before != ours {
			wrong(key+": "+word, words[word], fmt.Sprintf("stands there in other letters too, as %q", before))
		}
		out[folds] = ours
	}
	return out
}

func list[T ~string](words []T) string {
	text := make([]string, len(words))
	for i, word := range words {
		text[i] = string(word)
	}
	return strings.Join(text, ", ")
}

// fold makes words equal that differ in case or outer blanks only.
func fold(word string) string { return strings.ToLower(strings.TrimFunc(word, blank)) }

func (m *Mapping) checkShape(wrong func(key string, value any, reason string)) {
	for key, text := range map[string]string{"separator": m.Separator, "decimal": m.Decimal, "thousands": m.Thousands} {
		if text != "" && utf8.RuneCountInString(text) != 1 {
			wrong(key, text, "is one character")
		}
	}
	if m.Decimal != "" && m.Decimal == m.Thousands {
		wrong("thousands", m.Thousands, "is the decimal character too")
	}
	if m.Thousands != "" && m.Decimal == "" && m.Thousands == "." {
		wrong("thousands", m.Thousands, "is the decimal character too: say decimal")
	}
	if strings.ContainsAny(m.Separator, "\"\r\n") || strings.ContainsAny(m.Decimal+m.Thousands, "0123456789+-()") {
		wrong("separator, decimal, thousands", m.Separator+m.Decimal+m.Thousands, "cannot be one of these")
	}
	if m.Skip < 0 || m.Skip > mostSkipped {
		wrong("skip", m.Skip, fmt.Sprintf("is 0 to %d", mostSkipped))
	}
	if m.Zone != "" {
		if _, err := zone.Load(m.Zone); err != nil {
			wrong("zone", m.Zone, "is no IANA time zone")
		}
	}
	if _, err := charset(m.Encoding); err != nil {
		wrong("encoding", m.Encoding, err.Error())
	}
	if err := checkLayout(*m); err != nil {
		wrong("time", m.Time, err.Error())
	}
}

const mostSkipped = 1000

// charset finds an encoding by its IANA name; nil for none said.
func charset(name string) (encoding.Encoding, error) {
	if name == "" {
		return nil, nil
	}
	found, err := ianaindex.IANA.Encoding(name)
	if err != nil || found == nil {
		return nil, errors.New("is no IANA charset that is known here")
	}
	return found, nil
}

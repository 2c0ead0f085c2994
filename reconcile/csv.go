package reconcile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"evens/money"
)

// Mapping says how a provider's file is read. The zero value: our own columns, see Columns.
type Mapping struct {
	// Columns names the file's column for each of ours. Those that are left out have our names.
	Columns map[string]string `yaml:"columns"`
	// Types and Statuses translate the file's words.
	Types    map[string]Type   `yaml:"types"`
	Statuses map[string]Status `yaml:"statuses"`
	// Type and Status hold for every line, where the file has no such column; so does Currency.
	Type     Type   `yaml:"type"`
	Status   Status `yaml:"status"`
	Currency string `yaml:"currency"`
	// Time is the layout of "at" in Go's notation, RFC 3339 by default; Zone its time zone.
	Time string `yaml:"time"`
	Zone string `yaml:"zone"`
	// Separator is a comma by default, Decimal a point.
	Separator string `yaml:"separator"`
	Decimal   string `yaml:"decimal"`
}

// Columns are those of a file without a mapping.
var Columns = []string{"transaction_id", "type", "player_id", "amount", "currency", "status", "at", "round_id"}

// optional columns may be missing from a file.
var optional = map[string]bool{"round_id": true, "player_id": true}

// ReadMapping reads a mapping, and refuses what it does not know.
func ReadMapping(r io.Reader) (Mapping, error) {
	var m Mapping
	decoder := yaml.NewDecoder(r)
	decoder.KnownFields(true)
	if err := decoder.Decode(&m); err != nil {
		return m, fmt.Errorf("mapping: %w", err)
	}
	for ours := range m.Columns {
		known := false
		for _, name := range Columns {
			known = known || name == ours
		}
		if !known {
			return m, fmt.Errorf("mapping: columns: there is no column %q, only %s", ours, strings.Join(Columns, ", "))
		}
	}
	if len(m.Separator) > 1 || len(m.Decimal) > 1 {
		return m, errors.New("mapping: separator and decimal are one character each")
	}
	if _, err := time.LoadLocation(m.Zone); err != nil {
		return m, fmt.Errorf("mapping: zone: %w", err)
	}
	return m, nil
}

// LineError says which line of a file is wrong, and why. The first line is 1.
type LineError struct {
	Line int
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the reason.
func (e *LineError) Unwrap() error { return e.Err }

// fileReader reads a provider's file line by line: memory does not grow with it.
type fileReader struct {
	csv     *csv.Reader
	mapping Mapping
	zone    *time.Location
	at      map[string]int // our columns
	width   int
	line    int
}

// longestField bounds what a quote that is never closed may swallow.
const longestField = 64 << 10

func newFileReader(r io.Reader, m Mapping) (*fileReader, error) {
	buffered := bufio.NewReaderSize(r, 256<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = buffered.Discard(3) // was peeked at
	}
	f := &fileReader{csv: csv.NewReader(&bounded{r: buffered}), mapping: m, at: make(map[string]int)}
	f.csv.ReuseRecord = true
	f.csv.FieldsPerRecord = -1
	if m.Separator != "" {
		f.csv.Comma = rune(m.Separator[0])
	}
	var err error
	if f.zone, err = time.LoadLocation(m.Zone); err != nil {
		return nil, fmt.Errorf("mapping: zone: %w", err)
	}
	header, err := f.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, &LineError{1, errors.New("the file is empty")}
	}
	if err != nil {
		return nil, &LineError{1, cause(err)}
	}
	f.line, f.width = 1, len(header)
	return f, f.header(header)
}

// header finds our columns among the file's.
func (f *fileReader) header(names []string) error {
	theirs := make(map[string]int, len(names))
	for i, name := range names {
		theirs[strings.TrimSpace(name)] = i
	}
	fixed := map[string]bool{"type": f.mapping.Type != "", "status": f.mapping.Status != "", "currency": f.mapping.Currency != ""}
	for _, name := range Columns {
		column := name
		if mapped := f.mapping.Columns[name]; mapped != "" {
			column = mapped
		}
		i, has := theirs[column]
		if !has {
			if fixed[name] || optional[name] && f.mapping.Columns[name] == "" {
				continue
			}
			return &LineError{1, fmt.Errorf("there is no column %q", column)}
		}
		f.at[name] = i
	}
	return nil
}

// next reads a line, or io.EOF.
func (f *fileReader) next() (Line, error) {
	record, err := f.csv.Read()
	if errors.Is(err, io.EOF) {
		return Line{}, io.EOF
	}
	f.line++
	if err != nil {
		return Line{}, &LineError{f.line, cause(err)}
	}
	f.line, _ = f.csv.FieldPos(0)
	if len(record) != f.width {
		return Line{}, &LineError{f.line, fmt.Errorf("%d columns, the first line has %d", len(record), f.width)}
	}
	line, err := f.read(record)
	if err == nil {
		err = line.check()
	}
	if err != nil {
		return Line{}, &LineError{f.line, err}
	}
	return line, nil
}

// cause is a CSV error without its own line number.
func cause(err error) error {
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return parse.Err
	}
	return err
}

func (f *fileReader) read(record []string) (Line, error) {
	value := func(name string) string {
		if i, has := f.at[name]; has {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	for _, field := range record {
		if !utf8.ValidString(field) {
			return Line{}, errors.New("characters that are not UTF-8")
		}
	}
	line := Line{TransactionID: value("transaction_id"), Player: value("player_id"), Round: value("round_id"), Currency: f.mapping.Currency}
	var err error
	if line.Type, err = translate(value("type"), f.mapping.Type, f.mapping.Types, types, "type"); err != nil {
		return line, err
	}
	if line.Status, err = translate(value("status"), f.mapping.Status, f.mapping.Statuses, statuses, "status"); err != nil {
		return line, err
	}
	line.Word = value("status")
	switch {
	case line.Type == Coupon && line.Status == Pending:
		line.Status = Open
	case line.Type != Coupon && line.Status == Open:
		return line, fmt.Errorf("status %q does not go with type %q", line.Status, line.Type)
	}
	if text := value("currency"); text != "" {
		line.Currency = strings.ToUpper(text)
	}
	if _, err := money.ParseCurrency(line.Currency); err != nil {
		return line, fmt.Errorf("currency: %w", err)
	}
	text := value("amount")
	if f.mapping.Decimal != "" {
		text = strings.Replace(text, f.mapping.Decimal, ".", 1)
	}
	if line.NoAmount = line.Type == Coupon && text == ""; !line.NoAmount {
		if line.Amount, err = money.Parse(text); err != nil {
			return line, fmt.Errorf("amount: %w", err)
		}
	}
	if line.Type == Coupon && value("at") == "" {
		line.Undated, line.At = true, noTime
		return line, nil
	}
	layout := f.mapping.Time
	if layout == "" {
		layout = time.RFC3339
	}
	if line.At, err = time.ParseInLocation(layout, value("at"), f.zone); err != nil {
		return line, fmt.Errorf("at: %q is no time of the form %s", value("at"), layout)
	}
	line.At = line.At.UTC()
	return line, nil
}

// translate turns a file's word into ours: by the mapping, or one that is usual.
func translate[T ~string](word string, fixed T, mapped, usual map[string]T, field string) (T, error) {
	if fixed != "" {
		return fixed, nil
	}
	if ours, has := mapped[word]; has {
		return ours, nil
	}
	if ours, has := usual[strings.ToLower(word)]; has {
		return ours, nil
	}
	return "", fmt.Errorf("%s: %q is not known", field, word)
}

// bounded ends a file whose line never does.
type bounded struct {
	r    *bufio.Reader
	line int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	for _, c := range p[:n] {
		b.line++
		if c == '\n' {
			b.line = 0
		}
		if b.line > longestField {
			return 0, fmt.Errorf("a line of more than %d bytes", longestField)
		}
	}
	return n, err
}

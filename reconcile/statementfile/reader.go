package statementfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"evens/money"
)

// Reader reads a statement file line by line.
type Reader struct {
	table    table
	mapping  Mapping
	provider string
	amounts  amounts
	moment   moment
	columns  map[string]place // ours
	width    int
	lines    int
	ignored  int64
}

// place is where one of our columns stands, and what the file calls it.
type place struct {
	index  int
	column Column
	name   string
}

// NewReader finds a file's header. provider says whose words the file's are where the mapping does not know
// them. The caller closes the reader.
func NewReader(r io.Reader, m Mapping, provider string) (*Reader, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("mapping: %w", err)
	}
	if slices.Contains([]string{unixSeconds, unixMillis, spreadsheet}, strings.ToLower(m.Time)) {
		m.Time = strings.ToLower(m.Time)
	}
	f := &Reader{
		mapping: m, provider: provider, columns: make(map[string]place),
		amounts: amounts{decimal: m.Decimal, thousands: m.Thousands, minor: m.Unit == unitMinor},
	}
	var err error
	if f.moment, err = newMoment(m); err != nil {
		return nil, fmt.Errorf("mapping: zone: %w", err)
	}
	if f.table, err = openTable(r, m); err != nil {
		if _, ok := errors.AsType[*LineError](err); !ok {
			err = &LineError{1, err}
		}
		return nil, err
	}
	header, err := f.table.next()
	if errors.Is(err, io.EOF) {
		err = &LineError{m.Skip + 1, errors.New("there is no header")}
	}
	if err == nil {
		f.width = len(header.fields)
		if err = f.header(header.fields); err != nil {
			err = &LineError{header.number, err}
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close ends the reading.
func (f *Reader) Close() error { return f.table.close() }

// Ignored is how many lines the mapping has left out so far.
func (f *Reader) Ignored() int64 { return f.ignored }

// Next reads the next line that counts, or io.EOF. A file without any line is an error.
func (f *Reader) Next() (Line, error) {
	for {
		record, err := f.table.next()
		if errors.Is(err, io.EOF) && f.lines == 0 {
			return Line{}, &LineError{f.mapping.Skip + 1, errors.New("there is a header and not one line below it")}
		}
		if err != nil {
			return Line{}, err
		}
		if record.sheet && empty(record.fields) {
			continue // a spreadsheet's rows below its last one
		}
		f.lines++
		line, err := f.read(record)
		if err != nil {
			return Line{}, &LineError{record.number, err}
		}
		if line.Type == ignore {
			f.ignored++
			continue
		}
		line.Number = record.number
		return line, nil
	}
}

func empty(fields []string) bool {
	return !slices.ContainsFunc(fields, func(field string) bool { return strings.TrimFunc(field, blank) != "" })
}

// read makes a line of a record.
func (f *Reader) read(record row) (Line, error) {
	if !record.sheet && len(record.fields) != f.width {
		return Line{}, fmt.Errorf("%d columns, the header has %d", len(record.fields), f.width)
	}
	for i, field := range record.fields {
		if err := checkText(field); err != nil {
			return Line{}, fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	kind, err := f.kind(record)
	if err != nil || kind == ignore {
		return Line{Type: kind}, err
	}
	line := Line{Type: kind, Currency: f.mapping.Currency}
	if line.Status, err = f.status(record, kind == Coupon); err != nil {
		return line, err
	}
	if line.Status == Status(ignore) {
		return Line{Type: ignore}, nil
	}
	if err := f.readIDs(record, &line); err != nil {
		return line, err
	}
	if text, err := f.value(record, "currency"); err != nil {
		return line, err
	} else if text != "" {
		line.Currency = strings.ToUpper(text)
	}
	currency, err := money.ParseCurrency(line.Currency)
	if err != nil {
		return line, f.wrong("currency", err)
	}
	if err := f.readAmount(record, currency, &line); err != nil {
		return line, err
	}
	if line.Undated, err = f.leavesOut(record, line.Type, "at"); err != nil || line.Undated {
		return line, errors.Join(err, line.check())
	}
	if line.At, line.Day, err = f.at(record); err != nil {
		return line, err
	}
	return line, line.check()
}

// check refuses a status that does not go with the type.
func (l Line) check() error {
	if l.Type == Coupon != slices.Contains([]Status{Open, Won, Lost, Refunded}, l.Status) {
		return fmt.Errorf("status %q does not go with type %q", l.Status, l.Type)
	}
	return nil
}

func (f *Reader) readIDs(record row, line *Line) error {
	for _, id := range []struct {
		column string
		target *string
	}{
		{"transaction_id", &line.TransactionID}, {"reference", &line.Reference}, {"player_id", &line.Player}, {"round_id", &line.Round},
	} {
		text, err := f.value(record, id.column)
		if err != nil {
			return err
		}
		if id.column != "transaction_id" && (text == "" || placeholder(text)) {
			continue
		}
		err = checkID(text)
		if err == nil && record.sheet {
			err = f.checkCell(record, id.column, text)
		}
		if err != nil {
			return f.wrong(id.column, err)
		}
		*id.target = text
	}
	return nil
}

// checkCell refuses an id whose cell is a number of more digits than a spreadsheet keeps.
func (f *Reader) checkCell(record row, name, text string) error {
	const kept = 15
	if len(text) <= kept || !digits(text) || strings.Trim(text[kept:], "0") != "" {
		return nil
	}
	sheet, ok := f.table.(*sheetTable)
	if !ok || !sheet.number(f.columns[name].index, record.number) {
		return nil
	}
	return fmt.Errorf("%q is a number of more than %d digits, which a spreadsheet has rounded", text, kept)
}

// kind is what a line says happened. Where amounts say it, a word can only say that it is ignored, or a
// rollback.
func (f *Reader) kind(record row) (Type, error) {
	if f.mapping.Type != "" {
		return f.mapping.Type, nil
	}
	word, err := f.value(record, "type")
	if err != nil {
		return "", err
	}
	kind, known := f.mapping.Types[fold(word)]
	switch {
	case known:
		return kind, nil
	case f.mapping.signed():
		return "", nil // its amount tells
	}
	if kind, known = typeWords(f.provider)[fold(word)]; !known {
		return "", f.wrong("type", fmt.Errorf("%q is not known: a mapping's types says what it is", shorten(word)))
	}
	return kind, nil
}

func (f *Reader) status(record row, coupon bool) (Status, error) {
	if f.mapping.Status != "" {
		return f.mapping.Status, nil
	}
	word, err := f.value(record, "status")
	if err != nil {
		return "", err
	}
	if status, known := f.mapping.Statuses[fold(word)]; known {
		return status, nil
	}
	status, known := statusWords(coupon)[fold(word)]
	if !known {
		return "", f.wrong("status", fmt.Errorf("%q is not known: a mapping's statuses says what it is", shorten(word)))
	}
	return status, nil
}

// leavesOut reports whether a coupon's line has nothing in a column, which is neither zero nor a time.
func (f *Reader) leavesOut(record row, kind Type, column string) (bool, error) {
	if kind != Coupon {
		return false, nil
	}
	text, err := f.value(record, column)
	return text == "", err
}

// readAmount reads the amount, and what its sign or its column says of the type.
func (f *Reader) readAmount(record row, currency money.Currency, line *Line) error {
	if _, two := f.columns["debit"]; two {
		return f.readDebitOrCredit(record, currency, line)
	}
	var err error
	if line.NoAmount, err = f.leavesOut(record, line.Type, "amount"); err != nil || line.NoAmount {
		return err
	}
	amount, negative, err := f.amount(record, "amount", currency)
	if err != nil {
		return err
	}
	line.Amount = amount
	switch {
	case f.mapping.Sign == "" && negative:
		return f.wrong("amount", errors.New("is below zero: a mapping's sign says what that means"))
	case f.mapping.Sign == "" || line.Type != "":
		return nil
	case amount == 0:
		return f.wrong("amount", errors.New("is nothing, so that no sign says what it is"))
	case negative == (f.mapping.Sign == debitNegative):
		line.Type = Debit
	default:
		line.Type = Credit
	}
	return nil
}

func (f *Reader) readDebitOrCredit(record row, currency money.Currency, line *Line) error {
	filled := 0
	for _, name := range []string{"debit", "credit"} {
		text, err := f.value(record, name)
		if err != nil {
			return err
		}
		if nothing(text) {
			continue
		}
		amount, negative, err := f.amount(record, name, currency)
		if err == nil && negative {
			err = f.wrong(name, errors.New("is below zero in a column of its own"))
		}
		if err != nil {
			return err
		}
		if amount == 0 {
			continue
		}
		filled++
		line.Amount = amount
		if line.Type != Rollback {
			line.Type = Type(name)
		}
	}
	if filled != 1 {
		return fmt.Errorf("columns %q and %q: one of them has an amount, here %d have",
			f.columns["debit"].name, f.columns["credit"].name, filled)
	}
	return nil
}

// amount reads a column's amount. A spreadsheet's own numbers have a point, whatever they are shown with;
// its texts are read as the mapping says.
func (f *Reader) amount(record row, name string, currency money.Currency) (money.Amount, bool, error) {
	text, err := f.value(record, name)
	if err != nil {
		return 0, false, err
	}
	amount, negative, err := f.amounts.read(text, currency)
	if sheet, ok := f.table.(*sheetTable); ok {
		number, numeric := f.spreadsheetNumber(text, currency)
		if numeric && (err != nil || number != amount) && sheet.number(f.columns[name].index, record.number) {
			return number, strings.HasPrefix(text, "-"), nil
		}
	}
	if err != nil {
		return 0, false, f.wrong(name, err)
	}
	return amount, negative, nil
}

// spreadsheetNumber reads a cell's number as it is stored: with a point, maybe an exponent, and the noise
// of a float in its last digits.
func (f *Reader) spreadsheetNumber(text string, currency money.Currency) (money.Amount, bool) {
	magnitude, _ := strings.CutPrefix(text, "-")
	amount, err := money.Number(magnitude).Amount()
	if err == nil && f.amounts.minor {
		if amount%money.Scale != 0 {
			return 0, false
		}
		amount, err = amount.MulDiv(int64(currency.MinorUnit()), money.Scale, 1)
	}
	return amount, err == nil
}

// at reads a line's time: its date and its clock, in the zone that it names.
func (f *Reader) at(record row) (time.Time, bool, error) {
	var in *time.Location
	if _, named := f.columns["zone"]; named {
		text, err := f.value(record, "zone")
		if err == nil {
			if in, err = namedZone(text); err != nil {
				err = f.wrong("zone", err)
			}
		}
		if err != nil {
			return time.Time{}, false, err
		}
	}
	dates := record
	if record.sheet && f.moment.words() {
		dates.fields = record.shown
	}
	text, err := f.value(dates, "at")
	if err != nil {
		return time.Time{}, false, err
	}
	if _, apart := f.columns["time"]; apart {
		clock, err := f.value(dates, "time")
		if err != nil {
			return time.Time{}, false, err
		}
		text += " " + clock
	}
	at, day, err := f.moment.read(text, in)
	if err != nil {
		err = f.wrong("at", err)
	}
	return at, day, err
}

// value is a column's text; "" where the file has no such column.
func (f *Reader) value(record row, name string) (string, error) {
	found, has := f.columns[name]
	if !has || found.index >= len(record.fields) && record.sheet {
		return "", nil
	}
	text, err := found.column.value(record.fields[found.index])
	if err != nil {
		return "", f.wrong(name, err)
	}
	return text, nil
}

// wrong names the file's own column.
func (f *Reader) wrong(name string, err error) error {
	if found, has := f.columns[name]; has && found.name != name {
		return fmt.Errorf("column %q (%s): %w", found.name, name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

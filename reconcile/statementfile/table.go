package statementfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// row is one line of a table. In a spreadsheet a cell has a value and how it is shown.
type row struct {
	number int // as an editor counts it, from 1
	fields []string
	shown  []string // a spreadsheet's
	sheet  bool     // it is one
}

// table is a file's rows, the first of them the header.
type table interface {
	// next returns a row, valid until the next call, or io.EOF.
	next() (row, error)
	close() error
}

// openTable unpacks a file and passes over what stands above its header.
func openTable(r io.Reader, m Mapping) (table, error) {
	file, err := unpack(r)
	if err != nil {
		return nil, err
	}
	if file.sheet != nil {
		sheet, err := openSheet(file, m)
		if err != nil {
			return nil, errors.Join(err, file.close())
		}
		return sheet, nil
	}
	text, err := decode(file.text, m.Encoding)
	if err != nil {
		return nil, errors.Join(err, file.close())
	}
	lines := bufio.NewReaderSize(&newlines{r: text}, readAhead)
	for skipped := range m.Skip {
		if _, err := lines.ReadSlice('\n'); err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, errors.Join(fmt.Errorf("the file ends in line %d, above the header", skipped+1), file.close())
		}
	}
	t := &csvTable{csv: csv.NewReader(lines), skipped: m.Skip, file: file}
	t.csv.ReuseRecord, t.csv.FieldsPerRecord = true, -1
	if m.Separator != "" {
		t.csv.Comma, _ = utf8.DecodeRuneInString(m.Separator)
	}
	return t, nil
}

type csvTable struct {
	csv     *csv.Reader
	skipped int
	file    packed
}

func (t *csvTable) close() error { return t.file.close() }

func (t *csvTable) next() (row, error) {
	record, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return row{}, io.EOF
	}
	if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
		return row{}, &LineError{t.skipped + wrong.StartLine, wrong.Err}
	}
	if err != nil {
		line, _ := t.csv.FieldPos(0)
		return row{}, &LineError{max(t.skipped+line, 1), err}
	}
	line, _ := t.csv.FieldPos(0)
	return row{number: t.skipped + line, fields: record}, nil
}

// sheetTable reads a spreadsheet twice at once: what its cells hold, and how they are shown.
type sheetTable struct {
	book          *excelize.File
	name          string
	values, shown *excelize.Rows
	line          int
	file          packed
}

func openSheet(file packed, m Mapping) (table, error) {
	book, err := excelize.OpenReader(file.sheet, excelize.Options{UnzipSizeLimit: 4 * largestArchive, UnzipXMLSizeLimit: 16 << 20})
	if err != nil {
		return nil, fmt.Errorf("read the spreadsheet: %w", err)
	}
	sheets := book.GetSheetList()
	name := m.Sheet
	if name == "" && len(sheets) > 0 {
		name = sheets[0]
	}
	t := &sheetTable{book: book, name: name, file: file}
	if t.values, err = book.Rows(name); err == nil {
		t.shown, err = book.Rows(name)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("there is no sheet %q, only %s", m.Sheet, strings.Join(sheets, ", ")), book.Close())
	}
	for range m.Skip {
		if _, err := t.next(); err != nil {
			return nil, errors.Join(errors.New("the sheet ends above the header"), book.Close())
		}
	}
	return t, nil
}

func (t *sheetTable) close() error {
	return errors.Join(t.values.Close(), t.shown.Close(), t.book.Close(), t.file.close())
}

func (t *sheetTable) next() (row, error) {
	if !t.values.Next() || !t.shown.Next() {
		if err := t.values.Error(); err != nil {
			return row{}, &LineError{t.line + 1, err}
		}
		return row{}, io.EOF
	}
	t.line++
	values, err := t.values.Columns(excelize.Options{RawCellValue: true})
	if err != nil {
		return row{}, &LineError{t.line, err}
	}
	shown, err := t.shown.Columns()
	if err != nil {
		return row{}, &LineError{t.line, err}
	}
	return row{number: t.line, fields: values, shown: shown, sheet: true}, nil
}

// number reports whether a cell holds a number and no text. It reads the whole sheet: ask seldom.
func (t *sheetTable) number(column, line int) bool {
	cell, err := excelize.CoordinatesToCellName(column+1, line)
	if err != nil {
		return false
	}
	kind, err := t.book.GetCellType(t.name, cell)
	return err == nil && (kind == excelize.CellTypeNumber || kind == excelize.CellTypeUnset)
}

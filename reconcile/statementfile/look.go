package statementfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"evens/money"
)

// look finds a file's encoding, separator and header, and takes a sample of its rows.
func (p *proposal) look(r io.Reader) error {
	file, err := unpack(r)
	if err != nil {
		return err
	}
	defer file.close() //nolint:errcheck // it was only read
	if file.sheet != nil {
		return p.lookAtSheet(file)
	}
	text, err := decode(file.text, "")
	if err != nil {
		return err
	}
	if text == file.text { // neither UTF-16 nor a mark
		if text, err = p.guessCharset(text); err != nil {
			return err
		}
	}
	lines, err := firstLines(text)
	if err != nil {
		return err
	}
	separator, skip, width := layoutOf(lines)
	if width < 3 {
		return errors.New("no separator makes a table of this file")
	}
	if separator != "," {
		p.mapping.Separator = separator
	}
	p.mapping.Skip = skip
	records := splitLines(lines[skip:], separator)
	p.keep(records)
	if len(p.rows) == 0 {
		return errors.New("there is no line below the header")
	}
	return nil
}

func (p *proposal) lookAtSheet(file packed) error {
	opened, err := openSheet(file, Mapping{})
	if err != nil {
		return err
	}
	sheet, ok := opened.(*sheetTable)
	if !ok {
		return errors.New("no sheet")
	}
	defer sheet.book.Close()
	var records [][]string
	for len(records) < sampled {
		record, err := sheet.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		records = append(records, slices.Clone(record.fields))
	}
	widest := 0
	for i, fields := range records {
		if len(fields) > widest {
			widest, p.mapping.Skip = len(fields), i
		}
	}
	if widest < 3 {
		return errors.New("the first sheet has no table")
	}
	p.keep(records[p.mapping.Skip:])
	return nil
}

// keep takes the header and the rows that are as wide.
func (p *proposal) keep(records [][]string) {
	for i, fields := range records {
		clean := make([]string, len(records[0]))
		for j := range min(len(fields), len(clean)) {
			clean[j] = strings.TrimFunc(fields[j], blank)
		}
		if i == 0 {
			p.header = clean
		} else if !empty(clean) {
			p.rows = append(p.rows, clean)
		}
	}
}

// guessCharset decides between UTF-8 and the old charsets by the bytes that a file has.
func (p *proposal) guessCharset(text *bufio.Reader) (*bufio.Reader, error) {
	head, err := text.Peek(readAhead)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	if len(head) > utf8.UTFMax && utf8.Valid(head[:len(head)-utf8.UTFMax]) || utf8.Valid(head) {
		return text, nil
	}
	p.mapping.Encoding = "windows-1252"
	high, turkish := 0, 0
	for _, c := range head {
		if c >= 0x80 {
			high++
		}
		if bytes.IndexByte([]byte{0xdd, 0xfd, 0xde, 0xfe, 0xd0, 0xf0}, c) >= 0 {
			turkish++
		}
	}
	switch {
	case high*3 > len(head):
		p.mapping.Encoding = "windows-1251"
	case turkish > 0:
		p.mapping.Encoding = "windows-1254"
	}
	p.ask("encoding: the file is not UTF-8; read as %s. Are names and headers right?", p.mapping.Encoding)
	return decode(text, p.mapping.Encoding)
}

func firstLines(text *bufio.Reader) ([]string, error) {
	scanner := bufio.NewScanner(&newlines{r: text})
	scanner.Buffer(nil, longestLine+1)
	var lines []string
	for len(lines) < sampled && scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return lines, scanner.Err()
}

// layoutOf finds the separator with which most lines are equally wide, and where the first such line is.
func layoutOf(lines []string) (separator string, skip, width int) {
	best := 0
	for _, candidate := range []string{",", ";", "\t", "|"} {
		counts := make(map[int]int)
		widths := make([]int, len(lines))
		for i, line := range lines {
			if fields := splitLines([]string{line}, candidate); len(fields) == 1 {
				widths[i] = len(fields[0])
				counts[widths[i]]++
			}
		}
		for wide, n := range counts {
			if wide > 1 && n*wide > best {
				best, separator, width = n*wide, candidate, wide
				skip = slices.Index(widths, wide)
			}
		}
	}
	return separator, skip, width
}

// splitLines reads the records of some lines; those that cannot be read are left out.
func splitLines(lines []string, separator string) [][]string {
	reader := csv.NewReader(strings.NewReader(strings.Join(lines, "\n")))
	reader.Comma, _ = utf8.DecodeRuneInString(separator)
	reader.FieldsPerRecord, reader.LazyQuotes = -1, true
	var records [][]string
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return records
		}
		if err == nil {
			records = append(records, record)
		}
	}
}

func isCurrency(text string) bool {
	_, err := money.ParseCurrency(strings.ToUpper(text))
	return err == nil
}

// names are what columns are called, best first. Letters are compared without their marks.
var names = map[string][]string{
	"transaction_id": {
		"transaction id", "merchant reference", "external reference", "reference metadata", "txn id", "order id", "invoice", "refer id",
		"dekont no", "reference", "referenz", "referencia", "ref", "belegnummer", "buchungsreferenz", "id",
	},
	"reference": {"reference txn id", "original transaction", "original reference", "original id", "parent id", "related"},
	"player_id": {
		"player id", "player metadata", "player", "shopper reference", "shopper", "customer", "user", "payer id", "from email address", "account holder",
		"kunde", "cliente", "musteri", "jogador",
	},
	"round_id": {"round id", "round"},
	"status":   {"status", "state", "durum", "estado", "zustand"},
	"type":     {"type", "record type", "kind", "operation", "historico", "buchungstext", "art", "tipo", "islem turu", "action"},
	"at":       {"at", "creation date", "created utc", "created", "timestamp", "date", "datum", "data lancamento", "data", "fecha", "islem tarihi", "tarih", "when", "epoch"},
	"time":     {"time", "uhrzeit", "hora", "saat"},
	"zone":     {"timezone", "time zone", "tz", "zeitzone"},
	"amount":   {"amount", "gross", "betrag", "valor", "tutar", "importe", "monto", "value", "sum", "summe", "umsatz"},
	"debit":    {"gross debit gc", "net debit amount", "debit", "debits", "borc", "soll", "debito", "paid out", "withdrawals", "cargo", "saida"},
	"credit":   {"gross credit gc", "net credit amount", "credit", "credits", "alacak", "haben", "credito", "paid in", "deposits", "abono", "entrada"},
}

// named is how well a column's name goes with a role: 0 not at all, more where it stands earlier in the list.
func named(role, name string) int {
	name = plainName(name)
	for i, known := range names[role] {
		if name == known {
			return 2*len(names[role]) - i
		}
	}
	for i, known := range names[role] {
		if len(known) > 3 && strings.Contains(" "+name+" ", " "+known+" ") {
			return len(names[role]) - i
		}
	}
	return 0
}

// plainName is a name in small letters without marks, words apart by one blank.
func plainName(name string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'ı':
			out.WriteRune('i')
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			out.WriteRune(r)
		default:
			out.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

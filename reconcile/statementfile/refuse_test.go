package statementfile_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"

	"evens/money"
	"evens/reconcile/statementfile"
)

const plainHeader = "transaction_id,type,player_id,amount,currency,status,at,round_id\n"

func plainLine(change func(fields []string)) string {
	fields := []string{"tx-1", "credit", "p-1", "10.00", "USD", "ok", "2026-11-24T10:15:30Z", "r-1"}
	change(fields)
	return plainHeader + strings.Join(fields, ",") + "\n"
}

func set(index int, value string) string {
	return plainLine(func(fields []string) { fields[index] = value })
}

// What a mapping says must be known: a word that it misspells would turn bets into nothing.
func TestMappingsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mapping, want string }{
		{`statuses: {Abgeschlossen: completed}`, `statuses: Abgeschlossen: "completed": is one of ok, failed`},
		{`types: {Einsatz: bet}`, `types: Einsatz: "bet": is one of debit, credit`},
		{`type: bet`, `type: "bet"`},
		{`status: fine`, `status: "fine"`},
		{`colums: {}`, `colums`},
		{`columns: {id: X}`, `columns: "id"`},
		{`columns: {at: "#0"}`, `#0`},
		{`columns: {transaction_id: {column: T, match: "REF"}}`, `no group`},
		{`columns: {transaction_id: {column: T, match: "("}}`, `match`},
		{`columns: {transaction_id: {colum: T}}`, `colum`},
		{`columns: {debit: D}`, `two columns`},
		{`columns: {debit: D, credit: C, amount: A}`, `does not go with`},
		{"columns: {debit: D, credit: C}\nsign: debit_negative", `sign`},
		{"sign: debit_negative\ntypes: {Kauf: debit}", `types: Kauf: "debit": is one of rollback, ignore`},
		{"sign: debit_negative\ntype: credit", `type: "credit"`},
		{`sign: negative`, `sign: "negative"`},
		{`unit: cents`, `unit: "cents"`},
		{`separator: ";;"`, `separator: ";;"`},
		{`decimal: ".,"`, `decimal`},
		{"decimal: ','\nthousands: ','", `thousands`},
		{`encoding: klingon`, `encoding: "klingon"`},
		{`skip: -1`, `skip`},
		{`zone: CEST`, `zone: "CEST"`},
		{`zone: localtime`, `zone: "localtime"`},
		{`time: "02.01. 15:04"`, `tells no year`},
		{`time: "2006-01-02 15:04 MST"`, `abbreviations`},
		{`time: "2006-01-02 03:04"`, `hour of 24`},
		{`time: "dd.mm.yyyy"`, `time`},
		{"columns: {at: D, time: T}\ntime: '2006-01-02'", `no clock`},
		{`currency: XYZ`, `currency: "XYZ"`},
		{"types: {Kauf: debit, KAUF: credit}", `other letters`},
	} {
		if _, err := statementfile.ReadMapping(strings.NewReader(c.mapping)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n\terror %v, want one with %q", c.mapping, err, c.want)
		}
	}
}

// What cannot be read for certain names its line, its column and its text.
func TestFilesNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, mapping, want string }{
		{"empty", "", "", "line 1: the file is empty"},
		{"a header alone", plainHeader, "", "not one line"},
		{"no column", "id,amount\n", "", `"transaction_id", only id, amount`},
		{"semicolons", strings.ReplaceAll(set(0, "x"), ",", ";"), "", `";" between columns`},
		{"text above the header", "Statement\n" + set(0, "x"), "", "skip"},
		{"a column twice", "amount,amount,type,status,currency,at,transaction_id\n", "", "stands there twice, as #1 and #2"},
		{"an amount in the wrong scale", set(3, "10.000"), "", `line 2: amount: "10.000" has more decimals than USD`},
		{"more decimals than the currency has", set(3, "10.005"), "", "more decimals"},
		{"a point under a decimal comma", set(3, "10.000"), `decimal: ","`, `"10.000" is no amount`},
		{"a grouped amount", plainLine(func(f []string) { f[3] = `"1,234.50"` }), "", `"1,234.50" is no amount`},
		{"groups of another size", plainLine(func(f []string) { f[3] = `"12,34"` }), `thousands: ","`, "thousands"},
		{"decimals of minor units", set(3, "9.50"), "unit: minor", "minor units"},
		{"below zero", set(3, "-10.00"), "", "below zero"},
		{"a rounded id", set(0, "1.23457E+15"), "", "spreadsheet"},
		{"no id", set(0, "NONREF"), "", "where there is no id"},
		{"a dash for an id", set(0, "-"), "", "where there is no id"},
		{"a hidden character", set(0, "tx\u200b1"), "", "does not show"},
		{"another's word", set(1, "deposit"), "", `type: "deposit" is not known`},
		{"an unknown status", set(5, "PAYOUT_CHECK_FAIL"), "", `status: "PAYOUT_CHECK_FAIL" is not known`},
		{"a coupon's status", set(5, "won"), "", `status: "won" is not known`},
		{"an unknown currency", set(4, "XXY"), "", "currency"},
		{"1970", set(6, "1970-01-01T00:00:00Z"), "", "1970"},
		{"seconds since 1970", set(6, "1795515330"), "", "no time of the form"},
		{"a zone's abbreviation", plainLine(func(f []string) { f[6] = "2026-11-24 10:15" }) + "",
			"columns: {zone: status}\nstatus: ok\ntime: '2006-01-02 15:04'", `"ok" is neither`},
		{"too few columns", plainHeader + "a,credit\n", "", "2 columns, the header has 8"},
		{"bytes of another charset", set(0, "caf\xe9"), "", "charset"},
		{"UTF-16 without a mark", "t\x00r\x00a\x00", "", "UTF-16"},
		{"both of debit and credit", "i,d,c,at\nx,1.00,2.00,2026-11-24\n",
			"columns: {transaction_id: i, debit: d, credit: c}\ncurrency: USD\nstatus: ok\ntime: '2006-01-02'", `columns "d" and "c"`},
		{"neither of them", "i,d,c,at\nx,,--,2026-11-24\n",
			"columns: {transaction_id: i, debit: d, credit: c}\ncurrency: USD\nstatus: ok\ntime: '2006-01-02'", "here 0 have"},
		{"a text that does not match", "i,amount,type,at\nhello,1.00,win,2026-11-24\n",
			"columns: {transaction_id: {column: i, match: 'REF (\\S+)'}}\ncurrency: USD\nstatus: ok\ntime: '2006-01-02'", `"hello" does not match`},
		{"the file's own column", "Betrag,transaction_id,type,at\nzehn,x,win,2026-11-24\n",
			"columns: {amount: Betrag}\ncurrency: USD\nstatus: ok\ntime: '2006-01-02'", `column "Betrag" (amount): "zehn"`},
		{"below several lines of one field", plainHeader + "\"tx\n-\n-1\",credit,p,1.00,USD,ok,2026-11-24T10:15:30Z,\n", "", "line 2"},
		{"a PDF", "%PDF-1.7 ...", "", "PDF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lines, _, err := read(t, strings.NewReader(c.file), c.mapping, "betao")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("read %v, error %v, want one with %q", lines, err, c.want)
			}
			if wrong, ok := errors.AsType[*statementfile.LineError](err); !ok || wrong.Line < 1 {
				t.Errorf("%v does not name its line", err)
			}
		})
	}
}

// What a file may look like when it is right.
func TestFilesThatAreRight(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 10, 15, 30, 0, time.UTC)
	for _, c := range []struct {
		name, file, mapping string
		want                statementfile.Line
	}{
		{"as we have it", set(0, "tx-1"), "", statementfile.Line{}},
		{"words in any case", plainLine(func(f []string) { f[1], f[5] = "CREDIT", "Ok" }), "", statementfile.Line{}},
		{"a fixed status in capitals", set(5, "whatever"), "status: OK", statementfile.Line{}},
		{"Windows' lines", strings.ReplaceAll(set(0, "tx-1"), "\n", "\r\n"), "", statementfile.Line{}},
		{"an old Macintosh's lines", strings.ReplaceAll(set(0, "tx-1"), "\n", "\r"), "", statementfile.Line{}},
		{"a mark", "\ufeff" + set(0, "tx-1"), "", statementfile.Line{}},
		{"without decimals", set(3, "10"), "", statementfile.Line{}},
		{"zeros that say nothing", set(3, "10.0000"), "", statementfile.Line{}},
		{"thousands", plainLine(func(f []string) { f[3] = `"12,34,567.50"` }), `thousands: ","`, statementfile.Line{Amount: money.MustParse("1234567.50")}},
		{"a decimal comma", plainLine(func(f []string) { f[3] = `"10,00"` }), `decimal: ","`, statementfile.Line{}},
		{"three decimals that a mapping answers for", set(3, "10.000"), `decimal: "."`, statementfile.Line{}},
		{"minor units", set(3, "1000"), "unit: minor", statementfile.Line{}},
		{"minor units of dinars", plainLine(func(f []string) { f[3], f[4] = "10000", "KWD" }), "unit: minor", statementfile.Line{Currency: "KWD"}},
		{"a column by its number", set(0, "tx-1"), `columns: {transaction_id: "#1", amount: "#4"}`, statementfile.Line{}},
		{"a pending line", set(5, "pending"), "", statementfile.Line{Status: statementfile.Pending}},
		{"an offset of its own", set(6, "2026-11-24T13:15:30+03:00"), "", statementfile.Line{}},
		{"seconds", set(6, "1795515330"), "time: unix", statementfile.Line{}},
		{"a day", set(6, "24.11.2026"), "time: 02.01.2006\nzone: Europe/Berlin",
			statementfile.Line{At: time.Date(2026, 11, 23, 23, 0, 0, 0, time.UTC), Day: true}},
		{"a spreadsheet's day", set(6, "46350.4274305556"), "time: spreadsheet", statementfile.Line{}},
		{"a zone in each line", plainLine(func(f []string) { f[6], f[7] = "2026-11-24 07:15:30", "America/Sao_Paulo" }),
			"columns: {zone: round_id}\ntime: '2006-01-02 15:04:05'", statementfile.Line{Round: "America/Sao_Paulo"}},
		{"an offset in each line", plainLine(func(f []string) { f[6], f[7] = "2026-11-24 13:45:30", "UTC+3:30" }),
			"columns: {zone: round_id}\ntime: '2006-01-02 15:04:05'", statementfile.Line{Round: "UTC+3:30"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := c.want
			fill(&want, statementfile.Line{
				Number: 2, TransactionID: "tx-1", Type: statementfile.Credit, Player: "p-1", Amount: money.MustParse("10.00"),
				Currency: "USD", Status: statementfile.OK, At: at, Round: "r-1",
			})
			lines, _, err := read(t, strings.NewReader(c.file), c.mapping, "betao")
			if err != nil || len(lines) != 1 || lines[0] != want {
				t.Fatalf("read %+v, %v, want %+v", lines, err, want)
			}
		})
	}
}

func fill(line *statementfile.Line, from statementfile.Line) {
	from.Day = line.Day
	for _, pair := range [][2]*string{{&line.Currency, &from.Currency}, {&line.Round, &from.Round}} {
		if *pair[0] != "" {
			*pair[1] = *pair[0]
		}
	}
	if line.Status != "" {
		from.Status = line.Status
	}
	if line.Amount != 0 {
		from.Amount = line.Amount
	}
	if !line.At.IsZero() {
		from.At = line.At
	}
	*line = from
}

// The same word is money out at a gateway, and a win at a game platform.
func TestWordsBelongToTheProvider(t *testing.T) {
	t.Parallel()
	for provider, want := range map[string]statementfile.Type{"cashier": statementfile.Debit, "betao": statementfile.Credit} {
		lines, _, err := read(t, strings.NewReader(set(1, "payout")), "", provider)
		if err != nil || lines[0].Type != want {
			t.Errorf("%s: %+v, %v, want a %s", provider, lines, err, want)
		}
	}
	if _, _, err := read(t, strings.NewReader(set(1, "coupon")), "", "betao"); err == nil {
		t.Error("a coupon in a game platform's file is taken")
	}
}

func TestPackedFiles(t *testing.T) {
	t.Parallel()
	plain := []byte(set(0, "tx-1"))
	var gz, zipped, two bytes.Buffer
	writer := gzip.NewWriter(&gz)
	_, _ = writer.Write(plain)
	_ = writer.Close()
	pack := func(out *bytes.Buffer, names ...string) {
		archive := zip.NewWriter(out)
		for _, name := range names {
			file, err := archive.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = file.Write(plain)
		}
		_ = archive.Close()
	}
	pack(&zipped, "november.csv", "__MACOSX/._november.csv")
	pack(&two, "a.csv", "b.csv")
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes(plain)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"gzip": gz.Bytes(), "zip": zipped.Bytes(), "UTF-16": utf16} {
		if lines, _, err := read(t, bytes.NewReader(file), "", "betao"); err != nil || len(lines) != 1 || lines[0].TransactionID != "tx-1" {
			t.Errorf("%s: %+v, %v", name, lines, err)
		}
	}
	if _, _, err := read(t, &two, "", "betao"); err == nil || !strings.Contains(err.Error(), "this one has 2") {
		t.Errorf("two files in one archive: %v", err)
	}
	if _, _, err := read(t, bytes.NewReader(gz.Bytes()[:gz.Len()-6]), "", "betao"); err == nil {
		t.Error("a gzip file that was cut off is taken")
	}
}

// A spreadsheet's cells are read as they hold numbers and days, not as they are shown.
func TestSpreadsheets(t *testing.T) {
	t.Parallel()
	book := excelize.NewFile()
	if _, err := book.NewSheet("November"); err != nil {
		t.Fatal(err)
	}
	rows := [][]any{
		{"Statement of November"},
		{"Id", "Kind", "Amount", "When", "State"},
		{"000123", "win", 1234.5, time.Date(2026, 11, 24, 10, 15, 30, 0, time.UTC), "ok"},
		{"tx-2", "bet", 0.1 + 0.2, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), "ok"},
		{},
		{1234567890123456789.0, "win", 1.0, time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), "ok"},
	}
	for i, cells := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := book.SetSheetRow("November", cell, &cells); err != nil {
			t.Fatal(err)
		}
	}
	file, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	const mapping = `{sheet: November, skip: 1, time: spreadsheet, currency: USD, thousands: ".", decimal: ",",
		columns: {transaction_id: Id, type: Kind, amount: Amount, at: When, status: State}}`
	lines, _, err := read(t, bytes.NewReader(file.Bytes()), mapping, "betao")
	if err == nil || !strings.Contains(err.Error(), "line 6") || !strings.Contains(err.Error(), "spreadsheet has rounded") {
		t.Errorf("an id that is a rounded number: %v", err)
	}
	if len(lines) != 2 || lines[0].TransactionID != "000123" || lines[0].Amount != money.MustParse("1234.5") || lines[1].Amount != money.MustParse("0.30") ||
		!lines[0].At.Equal(time.Date(2026, 11, 24, 10, 15, 30, 0, time.UTC)) || lines[0].Day || !lines[1].Day || lines[0].Number != 3 {
		t.Errorf("read %+v", lines)
	}
	if err := book.SetCellStr("November", "C3", "10.000"); err != nil {
		t.Fatal(err)
	}
	if err := book.SetCellValue("November", "C4", 10.125); err != nil {
		t.Fatal(err)
	}
	texts, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	lines, _, _ = read(t, bytes.NewReader(texts.Bytes()), mapping, "betao")
	if len(lines) != 2 || lines[0].Amount != money.MustParse("10000") || lines[1].Amount != money.MustParse("10.125") {
		t.Errorf("a text and a number that look alike: %+v", lines)
	}
	if _, _, err := read(t, bytes.NewReader(file.Bytes()), "sheet: December", "betao"); err == nil || !strings.Contains(err.Error(), "only Sheet1, November") {
		t.Errorf("a sheet that is not there: %v", err)
	}
}

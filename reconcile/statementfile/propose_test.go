package statementfile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"evens/reconcile/statementfile"
)

// A draft that finance can start from: what a file tells is there, what it does not tell is asked.
func TestProposals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reads bool // the draft reads the file as it is
		want  []string
	}{
		"adyen":       {true, []string{"debit: Gross Debit (GC)", "zone: TimeZone", "fee: ignore", "transaction_id: Merchant Reference", "player_id: Shopper"}},
		"betfair":     {false, []string{"debit: Debits ($)", `thousands: ','`, "time: 02-Jan-06 15:04:05", "# ? currency", "total: ignore"}},
		"paypal":      {true, []string{"amount: Gross", "time: Time", "zone: TimeZone", "01/02/2006 15:04:05", "sign: debit_negative"}},
		"pix":         {false, []string{"skip: 4", `separator: ;`, `decimal: ','`, `thousands: .`, "time: 02/01/2006", "amount: Valor", "# ? columns: transaction_id"}},
		"turkish":     {true, []string{"encoding: windows-1254", "# ? encoding", "debit: Borç", "credit: Alacak", "transaction_id: Dekont No", "02.01.2006 15:04"}},
		"stripe":      {true, []string{"transaction_id: reference (metadata)", "at: Created (UTC)", "stripe_fee: ignore"}},
		"mercadopago": {true, []string{"transaction_id: EXTERNAL_REFERENCE", "credit: NET_CREDIT_AMOUNT", "total: ignore"}},
		"astropay":    {false, []string{"time: unix_ms", "# ? unit", "# ? statuses", "sign: debit_positive"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := os.ReadFile(filepath.Join("testdata", "files", name+".csv"))
			if err != nil {
				t.Fatal(err)
			}
			draft, err := statementfile.Propose(bytes.NewReader(file), "cashier")
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(draft, want) {
					t.Errorf("%q is not in the draft", want)
				}
			}
			lines, _, err := read(t, bytes.NewReader(file), draft, "cashier")
			if c.reads && (err != nil || len(lines) < 3 || lines[2].TransactionID != "wd-1001-1" || lines[2].Type != statementfile.Debit) {
				t.Errorf("read by the draft: %+v, %v", lines, err)
			}
			if t.Failed() {
				t.Logf("draft:\n%s", draft)
			}
		})
	}
	for _, file := range []string{"", "hello\nworld\n", "%PDF-1.7", "a,b,c\n"} {
		if draft, err := statementfile.Propose(strings.NewReader(file), "cashier"); err == nil {
			t.Errorf("a draft for %q:\n%s", file, draft)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(set(0, "a")), "")
	f.Add([]byte("\ufeffamount;at;type;status;currency;transaction_id\n1,5;2026-06-01T12:00:00Z;win;ok;EUR;x\n"), "separator: ';'\ndecimal: ','")
	f.Add([]byte("transaction_id,at\n\"a\nb\",2026-06-01T12:00:00Z"), "type: coupon\nstatus: won\ncurrency: USD\ncolumns: {amount: at}")
	f.Add([]byte("a,b\n1,2\n"), "skip: 1\nencoding: utf-16le\nsign: debit_negative\nunit: minor\ntime: spreadsheet")
	f.Fuzz(func(t *testing.T, file []byte, mapping string) {
		_, _ = statementfile.Propose(bytes.NewReader(file), "cashier") // must not crash
		lines, _, _ := read(t, bytes.NewReader(file), mapping, "betao")
		for _, line := range lines {
			if line.Amount < 0 || line.TransactionID == "" || line.At.IsZero() || line.Number < 2 || line.Status == "" || line.Type == "" {
				t.Fatalf("taken: %+v", line)
			}
		}
	})
}

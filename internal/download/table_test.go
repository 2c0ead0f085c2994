package download

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFormulasAreText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "tx-1": "tx-1", "a=b": "a=b", " plain": " plain", "10.5": "10.5", "Ánna": "Ánna", "2026-01-02": "2026-01-02",
		`=HYPERLINK("http://x","y")`: `'=HYPERLINK("http://x","y")`, "+1": "'+1", "-1": "'-1", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "\x00=1": "'\x00=1", "\x1b[31m": "'\x1b[31m", "\u0085=1": "'\u0085=1",
		"  =1": "'  =1", "\u00a0=1": "'\u00a0=1", "\u200b=1": "'\u200b=1", "\ufeff=1": "'\ufeff=1", "\u202e=1": "'\u202e=1",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠A": "'＠A", "\xff=1": "'\xff=1", "'=1": "'=1",
	} {
		if got := Cell(text); got != want {
			t.Errorf("Cell(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestAmountsStayNumbers(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	table := NewTable(&out, []string{"transaction_id", "amount", "difference"})
	if err := table.Begin(); err != nil {
		t.Fatal(err)
	}
	for _, line := range [][]string{{"-5", "-5.00", "-0.0001"}, {"=1+1", "=1+1", "-1+cmd|' /C calc'!A0"}} {
		if err := table.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "transaction_id,amount,difference\n'-5,-5.00,-0.0001\n'=1+1,'=1+1,'-1+cmd|' /C calc'!A0\n"
	if out.String() != want {
		t.Errorf("wrote\n%s want\n%s", out.String(), want)
	}
}

// Whatever text comes in, no cell begins as a formula, and it is the text or the text behind an apostrophe.
func TestNoCellBeginsAsAFormula(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("=+-@ \t\r\n'a1\u00a0\u200b＝"))).Draw(t, "text")
		var out bytes.Buffer
		table := NewTable(&out, []string{"note"})
		if err := table.Write([]string{text}); err != nil {
			t.Fatal(err)
		}
		if err := table.Flush(); err != nil {
			t.Fatal(err)
		}
		cells, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(cells) != 1 {
			return // an empty line is none
		}
		cell := cells[0][0]
		if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r\n") {
			t.Fatalf("%q is written as %q", text, cell)
		}
	})
}

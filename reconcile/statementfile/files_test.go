package statementfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evens/money"
	"evens/reconcile/statementfile"
)

// read reads a whole file.
func read(t *testing.T, file io.Reader, mapping, provider string) ([]statementfile.Line, int64, error) {
	t.Helper()
	m, err := statementfile.ReadMapping(strings.NewReader(mapping))
	if err != nil {
		return nil, 0, err
	}
	reader, err := statementfile.NewReader(file, m, provider)
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err := reader.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	var lines []statementfile.Line
	for {
		line, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return lines, reader.Ignored(), nil
		}
		if err != nil {
			return lines, reader.Ignored(), err
		}
		lines = append(lines, line)
	}
}

// Eight layouts that finance gets, behind all of which stand the same books of the gateway.
func TestLayoutsOfRealFiles(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 10, 15, 30, 0, time.UTC)
	want := []statementfile.Line{
		{TransactionID: "dep-1001-1", Type: statementfile.Credit, Amount: money.MustParse("1234.50"), Player: "p-1001"},
		{TransactionID: "dep-1001-2", Type: statementfile.Credit, Amount: money.MustParse("10.00"), Player: "p-1001"},
		{TransactionID: "wd-1001-1", Type: statementfile.Debit, Amount: money.MustParse("25.00"), Player: "p-1001"},
	}
	for name, is := range map[string]struct {
		anonymous bool // the file does not say who the player is
		round     time.Duration
		ignored   int64
		numbers   []int // as an editor counts the lines
	}{
		"adyen":       {ignored: 2, numbers: []int{2, 3, 4}},
		"betfair":     {anonymous: true, ignored: 1, numbers: []int{2, 3, 4}},
		"paypal":      {ignored: 1, numbers: []int{2, 3, 4}},
		"pix":         {anonymous: true, round: 24 * time.Hour, ignored: 1, numbers: []int{6, 7, 8}},
		"turkish":     {anonymous: true, round: time.Minute, numbers: []int{2, 3, 4}},
		"stripe":      {ignored: 2, numbers: []int{2, 3, 4}},
		"mercadopago": {ignored: 2, numbers: []int{3, 4, 5}},
		"astropay":    {ignored: 1, numbers: []int{2, 3, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, err := os.Open(filepath.Join("testdata", "files", name+".csv"))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			mapping, err := os.ReadFile(filepath.Join("testdata", "files", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			lines, ignored, err := read(t, file, string(mapping), "cashier")
			if err != nil {
				t.Fatal(err)
			}
			expected := make([]statementfile.Line, len(want))
			for i, line := range want {
				line.Status, line.Currency, line.At, line.Number = statementfile.OK, "USD", at.Truncate(max(is.round, time.Second)), is.numbers[i]
				line.Day = is.round == 24*time.Hour
				if is.anonymous {
					line.Player = ""
				}
				expected[i] = line
			}
			if diff := cmp.Diff(expected, lines); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
			if ignored != is.ignored {
				t.Errorf("ignored %d lines, want %d", ignored, is.ignored)
			}
		})
	}
}

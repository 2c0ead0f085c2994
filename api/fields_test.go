package api

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"

	"evens/money"
)

func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"150.00", "0", "-1", "0.0001", "0.00001", "1e9", "999999999999999999999", "1000000000000", ".5", "5.", "", " 1", "+1", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var c checks
		got := c.amount("body.amount", text)
		if len(c.fields) > 0 {
			if c.code != CodeInvalidAmount || len(c.fields) != 1 {
				t.Errorf("amount(%q) is refused with %s, %+v", text, c.code, c.fields)
			}
			return
		}
		if got <= 0 || got > maxAmount {
			t.Errorf("amount(%q) = %s, out of bounds", text, got)
		}
		if again, err := money.Parse(got.String()); err != nil || again != got {
			t.Errorf("amount(%q) = %s, read again as %s, %v", text, got, again, err)
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add("nonsense")
	f.Add(*listingCoupons.cursor(uuid.Max))
	f.Add(*listingTransactions.cursor(uuid.Max))
	f.Fuzz(func(t *testing.T, text string) {
		var c checks
		got := listingCoupons.before(&c, text)
		if got.Valid == (c.err() != nil) && text != "" {
			t.Errorf("before(%q) = %v with %v", text, got, c.err())
		}
		if got.Valid && !strings.HasPrefix(text, (*listingCoupons.cursor(got.UUID))[:20]) {
			t.Errorf("before(%q) = %v, which is written otherwise", text, got)
		}
	})
}

func TestTextsThatCanBeStored(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"": true, "Ann": true, "Łukasz Ωmega 鈴木": true, "a b": true, "tab\t": false, "a\x00": false, "line\n": false, "\xff": false,
		strings.Repeat("é", 10): true, strings.Repeat("é", 11): false, "\u0085": false,
	} {
		var c checks
		c.text("body.name", text, 10+5*strings.Count(text, "Ł")+5*strings.Count(text, "Ω"))
		if got := c.err() == nil; got != ok {
			t.Errorf("text(%q, %d characters) is allowed: %v, want %v", text, utf8.RuneCountInString(text), got, ok)
		}
	}
}

func TestIDsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	for text, ok := range map[string]bool{
		id.String(): true, strings.ToUpper(id.String()): false, "urn:uuid:" + id.String(): false, "{" + id.String() + "}": false,
		strings.ReplaceAll(id.String(), "-", ""): false, "": false, strings.Repeat("-", 36): false,
	} {
		if got, valid := parseID(text); valid != ok || (ok && got != id) {
			t.Errorf("parseID(%q) = %s, %v, want %v", text, got, valid, ok)
		}
	}
}

package money

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	iso "github.com/bojanz/currency"
)

// The list that the module ships is ISO 4217's as testdata has it, no code more and none less. Where
// this fails after an update, testdata, ListAmendment and ListDate follow the new list.
func TestCurrenciesAreTheWholeOfISO4217(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/iso4217.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	listed := make(map[string]bool)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			if first := len(listed) == 0 && strings.Contains(lines.Text(), "amendment"); first &&
				!strings.Contains(lines.Text(), fmt.Sprintf("amendment %d (in effect from %s)", ListAmendment, ListDate)) {
				t.Errorf("ListAmendment %d, ListDate %s, and the list says %q", ListAmendment, ListDate, lines.Text())
			}
			continue
		}
		var code, number string
		var decimals int
		if _, err := fmt.Sscan(lines.Text(), &code, &number, &decimals); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		listed[code] = true
		currency, err := ParseCurrency(code)
		if err != nil || currency.Decimals() != decimals || currency.MinorUnit() != unitOf(decimals) {
			t.Errorf("%s: %d decimals, unit %s, %v, want %d", code, currency.Decimals(), currency.MinorUnit(), err, decimals)
		}
		if is, _ := iso.GetNumericCode(code); is != number {
			t.Errorf("%s has the numeric code %s, want %s", code, is, number)
		}
	}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			for c := 'A'; c <= 'Z'; c++ {
				code := string([]rune{a, b, c})
				if _, err := ParseCurrency(code); (err == nil) != listed[code] {
					t.Errorf("%s: %v, listed %t", code, err, listed[code])
				}
			}
		}
	}
	if len(listed) < 160 || len(iso.GetCurrencyCodes()) != len(listed) {
		t.Errorf("%d listed, %d in the module", len(listed), len(iso.GetCurrencyCodes()))
	}
}

// Digits for display are not minor units, codes come and go.
func TestMinorUnitsAreThoseOfISO4217(t *testing.T) {
	t.Parallel()
	for decimals, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		2: "AFN ALL AMD COP GYD IDR IRR KPW LAK LBP MGA MMK MNT MUR PKR RSD SOS SYP TZS UZS YER VES VED SLE MRU ZWG XCG " +
			"USD EUR BRL TRY HUF TWD CZK NGN CHE CHW",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	} {
		for code := range strings.FieldsSeq(codes) {
			currency, err := ParseCurrency(code)
			if err != nil || currency.Decimals() != decimals {
				t.Errorf("%s has %d decimals, %v, want %d", code, currency.Decimals(), err, decimals)
			}
		}
	}
	for code := range strings.FieldsSeq("DEM VEF XXX XTS XAU XDR SLL ZWL ANG BGN HRK CUC MRO STD BYR usd US USDT") {
		if currency, err := ParseCurrency(code); !errors.Is(err, ErrCurrency) {
			t.Errorf("ParseCurrency(%q) = %q, %v, want ErrCurrency", code, currency, err)
		}
	}
}

func TestCurrencyHoldsItsDecimals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		currency Currency
		amount   string
		holds    bool
	}{
		{"USD", "1.50", true}, {"USD", "1.505", false}, {"JPY", "15", true}, {"JPY", "15.5", false}, {"KWD", "1.001", true},
		{"KWD", "1.0001", false}, {"CLF", "1.0001", true}, {"RSD", "12.40", true}, {"USD", "-1.001", false}, {"BGN", "1.01", true},
	} {
		if got := test.currency.Holds(MustParse(test.amount)); got != test.holds {
			t.Errorf("%s holds %s: %t", test.currency, test.amount, got)
		}
	}
}

// What was rounded by the digits of display is judged by them: as many currencies as had others.
func TestFormerMinorUnits(t *testing.T) {
	t.Parallel()
	var changed []string
	for _, code := range iso.GetCurrencyCodes() {
		if c := Currency(code); c.FormerMinorUnit() != c.MinorUnit() {
			changed = append(changed, code)
		}
	}
	slices.Sort(changed)
	const want = "AFN ALL AMD COP GYD IDR IQD IRR KPW LAK LBP MGA MMK MNT MUR PKR RSD SOS SYP TZS UZS YER"
	if got := strings.Join(changed, " "); got != want {
		t.Errorf("other units before: %s, want %s", got, want)
	}
}

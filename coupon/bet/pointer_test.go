package bet

import (
	"errors"
	"os"
	"strings"
	"testing"

	"evens/money"
)

func coef(t testing.TB, s string) money.Coef {
	t.Helper()
	c, err := money.ParseCoef(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParsePointer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       Pointer
	}{
		{"the seed's live one", "live#187183313|17|9|0.5#1.02",
			Pointer{Live: true, MatchID: "187183313", Group: "17", Outcome: "9", Param: "0.5", Coef: coef(t, "1.02")}},
		{"the seed's prematch one", "line#217118313|1|1|0#3.12",
			Pointer{MatchID: "217118313", Group: "1", Outcome: "1", Param: "0", Coef: coef(t, "3.12")}},
		{"the successor's separators", "line#217118313#1#1#0#3.12",
			Pointer{MatchID: "217118313", Group: "1", Outcome: "1", Param: "0", Coef: coef(t, "3.12")}},
		{"bars alone", "line|5|1|2|0|3",
			Pointer{MatchID: "5", Group: "1", Outcome: "2", Param: "0", Coef: coef(t, "3")}},
		{"a player", "live#5#1|2|0#3.1#998",
			Pointer{Live: true, MatchID: "5", Group: "1", Outcome: "2", Param: "0", Coef: coef(t, "3.1"), PlayerID: "998"}},
		{"a negative handicap", "line#5|2|7|-4.5#1.9",
			Pointer{MatchID: "5", Group: "2", Outcome: "7", Param: "-4.5", Coef: coef(t, "1.9")}},
		{"a positive handicap", "line#5|2|7|+1#1.9",
			Pointer{MatchID: "5", Group: "2", Outcome: "7", Param: "+1", Coef: coef(t, "1.9")}},
		{"no param", "line#5|2|7|#1.000001",
			Pointer{MatchID: "5", Group: "2", Outcome: "7", Coef: coef(t, "1.000001")}},
		{"an even coefficient", "line#5|2|7|0#1",
			Pointer{MatchID: "5", Group: "2", Outcome: "7", Param: "0", Coef: money.One}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.want.text = tt.text
			got, err := ParsePointer(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("ParsePointer() = %+v, want %+v", got, tt.want)
			}
			if got.String() != tt.text {
				t.Errorf("String() = %q, want the text unchanged", got.String())
			}
		})
	}
}

func TestParsePointerRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, reason string }{
		{"nothing", "", "empty"},
		{"a word", "garbage", "1 parts"},
		{"too few parts", "live#1|2|3#1.5", "5 parts"},
		{"too many parts", "live#1|2|3|0#1.5#7#8", "8 parts"},
		{"another kind", "soon#1|2|3|0#1.5", `kind "soon"`},
		{"a kind in capitals", "LIVE#1|2|3|0#1.5", `kind "LIVE"`},
		{"no match", "live#|2|3|0#1.5", `match ""`},
		{"a match of letters", "live#abc|2|3|0#1.5", `match "abc"`},
		{"a negative group", "live#1|-2|3|0#1.5", `group "-2"`},
		{"a decimal outcome", "live#1|2|3.5|0#1.5", `outcome "3.5"`},
		{"an empty player", "live#1|2|3|0#1.5#", `player ""`},
		{"a param of letters", "live#1|2|3|x#1.5", `param "x"`},
		{"a sign alone", "live#1|2|3|-#1.5", `param "-"`},
		{"a dot alone", "live#1|2|3|.#1.5", `param "."`},
		{"a param that ends in a dot", "live#1|2|3|1.#1.5", `param "1."`},
		{"no coefficient", "live#1|2|3|0#", "coefficient"},
		{"coefficient zero", "live#1|2|3|0#0", "coefficient"},
		{"a coefficient below one", "live#1|2|3|0#0.99", "coefficient 0.99"},
		{"a negative coefficient", "live#1|2|3|0#-2", "coefficient"},
		{"an exponent", "live#1|2|3|0#1e3", "coefficient"},
		{"too many decimals", "live#1|2|3|0#1.0000001", "coefficient"},
		{"a space", "live #1|2|3|0#1.5", `kind "live "`},
		{"a line break", "live#1|2|3|0#1.5\n", "character 17"},
		{"a letter beyond ASCII", "live#1|2|3|0#1.5й", "character 17"},
		{"too long", "live#1|2|3|" + strings.Repeat("0", 200) + "#1.5", "at most 200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParsePointer(tt.text)
			if !errors.Is(err, ErrPointer) {
				t.Fatalf("ParsePointer() error = %v, want ErrPointer", err)
			}
			if !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("ParsePointer() error = %q, want %q in it", err, tt.reason)
			}
		})
	}
}

// What a client that counts in floats adds to a coefficient is rounded away; the text goes out as
// it came.
func TestParsePointerRoundsNoise(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.9500000000000002": "1.95", "1.8499999999999999": "1.85", "1.9500000476837158": "1.95",
		"12.290999999999999": "12.291", "1.00000000000000": "1.00", "0.99999999999999989": "1.00",
	} {
		p, err := ParsePointer("live#1|2|3|0#" + text)
		if err != nil || p.Coef.String() != want || p.String() != "live#1|2|3|0#"+text {
			t.Errorf("ParsePointer(…#%s) = %s, %s, %v, want %s", text, p.Coef, p, err, want)
		}
	}
	for _, text := range []string{"1.9500000000000002e0", "0.9500000000000002", strings.Repeat("9", 15) + ".5"} {
		if _, err := ParsePointer("live#1|2|3|0#" + text); !errors.Is(err, ErrPointer) {
			t.Errorf("ParsePointer(…#%s) error = %v, want ErrPointer", text, err)
		}
	}
}

func FuzzParsePointer(f *testing.F) {
	for _, s := range []string{
		"live#187183313|17|9|0.5#1.02", "line#217118313|1|1|0#3.12", "line#1#2#3#-4.5#1.99#7", "", "live####|", "live#1|2|3|0#1.5\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePointer(s)
		if err != nil {
			if !errors.Is(err, ErrPointer) {
				t.Fatalf("error %v is no ErrPointer", err)
			}
			if len(err.Error()) > 400 {
				t.Fatalf("error of %d characters", len(err.Error()))
			}
			return
		}
		if p.String() != s || p.Coef < money.One || p.MatchID == "" || len(s) > maxPointer {
			t.Fatalf("ParsePointer(%q) = %+v", s, p)
		}
		again, err := ParsePointer(p.String())
		if err != nil || again != p {
			t.Fatalf("parsed again: %+v, %v, want %+v", again, err, p)
		}
	})
}

func pointers(t testing.TB, texts ...string) []Pointer {
	t.Helper()
	var list []Pointer
	for _, s := range texts {
		p, err := ParsePointer(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

func TestCheckExpress(t *testing.T) {
	t.Parallel()
	var fifteen []string
	for i := range 15 {
		fifteen = append(fifteen, "line#"+strings.Repeat("7", i+1)+"|1|1|0#2")
	}
	tests := []struct {
		name  string
		texts []string
		want  error
	}{
		{"a single", []string{"live#1|1|1|0#2"}, nil},
		{"two matches", []string{"live#1|1|1|0#2", "line#2|1|1|0#2"}, nil},
		{"fifteen", fifteen, nil},
		{"sixteen", append([]string{"live#1|1|1|0#2"}, fifteen...), ErrTooManySelections},
		{"none", nil, ErrNoSelections},
		{"one match twice", []string{"live#1|1|1|0#2", "line#2|1|1|0#2", "live#1|5|9|2.5#2"}, ErrSameMatch},
		{"one match live and before", []string{"live#1|1|1|0#2", "line#1|1|1|0#2"}, ErrSameMatch},
		{"one match with leading zeros", []string{"live#1|1|1|0#2", "live#001|1|1|0#2"}, ErrSameMatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := CheckExpress(pointers(t, tt.texts...)); !errors.Is(err, tt.want) {
				t.Errorf("CheckExpress() = %v, want %v", err, tt.want)
			}
		})
	}
}

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

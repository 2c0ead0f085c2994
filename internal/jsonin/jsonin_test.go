package jsonin

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

type money struct {
	Amount   Word   `json:"amount"`
	Currency string `json:"currency"`
}

type payment struct {
	ID    string  `json:"transaction_id"`
	Money money   `json:"money"`
	Rows  []money `json:"rows"`
	Other string  `json:"Other,case:ignore" spelt:"other OTHER"`
}

func TestUnmarshal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body   string
		reason error
		member string
	}{
		{`{"transaction_id":"a","money":{"amount":1.10,"currency":"USD"},"rows":[{"amount":"2"},{}],"more":{"x":[1]},"Other":"o"}`, nil, ""},
		{"\xef\xbb\xbf" + `{"transaction_id":"a"}`, nil, ""},
		{`{"transaction_id":"a","other":"o"}`, nil, ""},
		{`{"transaction_id":null,"money":null,"rows":null}`, nil, ""},
		{`{"\u0074ransaction_id":"a"}`, nil, ""},
		{`{"transaction_id":"a","transaction_id":"a"}`, ErrTwice, "transaction_id"},
		{`{"transaction_id":"a","\u0074ransaction_id":"b"}`, ErrTwice, "transaction_id"},
		{`{"x":1,"x":2}`, ErrTwice, "x"},
		{`{"more":{"x":1,"y":[{"z":1,"z":2}]}}`, ErrTwice, "more.y.0.z"},
		{`{"Other":"a","other":"b"}`, ErrTwice, "Other"},
		{`{"rows":[{},{"amount":1,"amount":2}]}`, ErrTwice, "rows.1.amount"},
		{`{"Transaction_ID":"a"}`, ErrSpelling, "transaction_id"},
		{`{"transactionId":"a"}`, ErrSpelling, "transaction_id"},
		{`{"tranſaction_id":"a"}`, ErrSpelling, "transaction_id"},
		{`{"ｔransaction_id":"a"}`, ErrSpelling, "transaction_id"},
		{"{\"transaction\u200b_id\":\"a\"}", ErrSpelling, "transaction_id"},
		{`{"transaction_id\u0000":"a"}`, ErrSpelling, "transaction_id"},
		{`{" transaction_id":"a"}`, ErrSpelling, "transaction_id"},
		{`{"oTHER":"a"}`, ErrSpelling, "Other"},
		{`{"rows":[{},{"Amount":1}]}`, ErrSpelling, "rows.1.amount"},
		{`{"money":{"AMOUNT":1}}`, ErrSpelling, "money.amount"},
		{`{"transaction_id":"tx-\ud83d"}`, ErrText, "transaction_id"},
		{`{"transaction_id":"tx-\ude00\ud83d"}`, ErrText, "transaction_id"},
		{"{\"transaction_id\":\"tx\xe9\"}", ErrText, "transaction_id"},
		{"{\"transaction_id\":\"\xed\xa0\xbd\"}", ErrText, "transaction_id"},
		{"{\"transaction_id\":\"\xc0\xaf\"}", ErrText, "transaction_id"},
		{"{\"tx\xe9\":1}", ErrText, ""},
		{`{"unknown":"\ud83d"}`, ErrText, "unknown"},
		{`{"transaction_id":7}`, ErrType, "transaction_id"},
		{`{"rows":{}}`, ErrType, "rows"},
		{`{"rows":[{"amount":true}]}`, ErrType, "rows.0.amount"},
		{`[]`, ErrType, ""},
		{``, ErrSyntax, ""},
		{`{"transaction_id":"a",}`, ErrSyntax, ""},
		{`{"transaction_id":"a"} {}`, ErrSyntax, ""},
		{`{"transaction_id":"a\tb	c"}`, ErrSyntax, ""},
		{`{"transaction_id":NaN}`, ErrSyntax, ""},
		{`{'transaction_id':'a'}`, ErrSyntax, ""},
		{`{"transaction_id":"a"`, ErrSyntax, ""},
		{`{"money":{"amount":01}}`, ErrSyntax, ""},
		{"\xff\xfe{\x00", ErrSyntax, ""},
		{"\xef\xbb\xbf\xef\xbb\xbf{}", ErrSyntax, ""},
		{strings.Repeat("[", 20000), ErrSyntax, ""},
	} {
		var p payment
		err := Unmarshal([]byte(test.body), &p)
		ours, _ := errors.AsType[*Error](err)
		switch {
		case test.reason == nil && err != nil:
			t.Errorf("%.80q: %v", test.body, err)
		case test.reason != nil && (ours == nil || !errors.Is(err, test.reason) || ours.Member != test.member):
			t.Errorf("%.80q: %v, want %q %v", test.body, err, test.member, test.reason)
		}
	}
}

func TestWhatIsReadIsWhatStands(t *testing.T) {
	t.Parallel()
	var p payment
	body := `{"transaction_id":"a\ud83d\ude00é","money":{"amount":19.849999999999998},"rows":[{"amount":"1e2"},{"amount":null}],"OTHER":"o"}`
	if err := Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	want := payment{ID: "a😀é", Money: money{Amount: "19.849999999999998"}, Rows: []money{{Amount: "1e2"}, {}}, Other: "o"}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	var anything any
	if err := Unmarshal([]byte(`{"a":1,"a":2}`), &anything); !errors.Is(err, ErrTwice) {
		t.Errorf("twice, into anything: %v", err)
	}
}

// A part that is handed on as it stands spoils nothing; what holds it is read as strictly as ever.
func TestPartsAreReadOneByOne(t *testing.T) {
	t.Parallel()
	type push struct {
		Heads []Raw  `json:"Heads,case:ignore" spelt:"heads"`
		Site  string `json:"site"`
	}
	door := Door{TrailingCommas: true}
	var p push
	body := "{\"Heads\":[{\"amount\":1},{\"amount\":1,\"amount\":2},{\"Amount\":3},{\"amount\":\"\\ud83d\"},{\"amount\":\"\xe9\"},{\"amount\":4,},],}"
	if err := door.Unmarshal([]byte(body), &p); err != nil || len(p.Heads) != 6 {
		t.Fatalf("%d heads, %v", len(p.Heads), err)
	}
	want := []error{nil, ErrTwice, ErrSpelling, ErrText, ErrText, nil}
	for i, head := range p.Heads {
		var m money
		if err := door.Unmarshal(head, &m); !errors.Is(err, want[i]) {
			t.Errorf("%s: %v, want %v", head, err, want[i])
		}
	}
	for body, reason := range map[string]error{
		`{"Heads":[],"site":"\ud83d"}`: ErrText, `{"Heads":[],"more":{"x":1,"x":1}}`: ErrTwice,
		`{"Heads":[],"heads":[{}]}`: ErrTwice, `{"HEADS":[]}`: ErrSpelling, `{"Heads":[],"Heads":[]}`: ErrTwice, `{"Heads":[{]}`: ErrSyntax,
	} {
		if err := door.Unmarshal([]byte(body), &p); !errors.Is(err, reason) {
			t.Errorf("%s: %v, want %v", body, err, reason)
		}
	}
}

func TestTrailingCommas(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"transaction_id":"a",}`, "{\"rows\":[{\"amount\":1,},\n{},\n]\n,}", `{"transaction_id":",}","rows":[],}`, `{"transaction_id":"\",}",}`,
	} {
		var p payment
		if err := (Door{TrailingCommas: true}).Unmarshal([]byte(body), &p); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if err := Unmarshal([]byte(body), &p); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s at a strict door: %v", body, err)
		}
	}
	for _, body := range []string{`{,}`, `{"rows":[,]}`, `{"transaction_id":"a",,}`, `{"money":1,`} {
		var p payment
		if err := (Door{TrailingCommas: true}).Unmarshal([]byte(body), &p); body != `{,}` && body != `{"rows":[,]}` && err == nil {
			t.Errorf("%s was taken", body)
		}
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"a", "tx-1", "a b", "é", "日本", "😀", "00000000-0000-0000-0000-000000000000", strings.Repeat("é", 10), "{\"x\"}", "a'b;--", "%_", "i̇", "नमस्ते",
	} {
		if err := ID(id, 36); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for reason, ids := range map[error][]string{
		ErrMissing:    {""},
		ErrTooLong:    {strings.Repeat("x", 37), strings.Repeat("é", 37)},
		ErrCharacters: {"a\x00", "a\nb", "a\x7f", "a\u0085", "a\u200bb", "\u202eabc", "a\u2066", "\ufeffa", "a\u00adb", "a\u2028b", "a\xe9", "a\u180e", "a\ufe0f", "a\u3164", "\t"},
		ErrBlanks:     {" a", "a ", "a\u00a0", "\u3000a", " "},
	} {
		for _, id := range ids {
			if err := ID(id, 36); !errors.Is(err, reason) {
				t.Errorf("%q: %v, want %v", id, err, reason)
			}
		}
	}
	if err := Text("سلام می\u200cکنم", 20); err != nil {
		t.Errorf("a name with a joiner: %v", err)
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1748800000": "2025-06-01T17:46:40Z", "1748800000123": "2025-06-01T17:46:40.123Z", "1748800000.0": "2025-06-01T17:46:40Z",
		"2025-06-01T17:46:40Z": "2025-06-01T17:46:40Z", "2025-06-01T20:46:40+03:00": "2025-06-01T17:46:40Z",
		"2025-06-01T17:46:40.123": "2025-06-01T17:46:40.123Z", "2025-06-01T20:46:40+0300": "2025-06-01T17:46:40Z",
		"2025-06-01 17:46:40": "2025-06-01T17:46:40Z", "/Date(1748800000123)/": "2025-06-01T17:46:40.123Z",
		"/Date(1748800000123+0300)/": "2025-06-01T17:46:40.123Z", `\/Date(1748800000123)\/`: "2025-06-01T17:46:40.123Z",
	} {
		if at, err := Moment(text); err != nil || at.Format("2006-01-02T15:04:05.999Z07:00") != want {
			t.Errorf("%s = %s, %v, want %s", text, at, err, want)
		}
	}
	for _, text := range []string{"", "0", "-1", "1e9", "now", "2025-13-01T00:00:00Z", "/Date(x)/", "/Date(1748800000123)", "999999999999999999", "1748800000.5", "0001-01-01T00:00:00Z"} {
		if at, err := Moment(text); !errors.Is(err, ErrMoment) {
			t.Errorf("%q = %s, %v", text, at, err)
		}
	}
}

func TestMedia(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", "application/json", "Application/JSON;Charset=UTF-8", `application/json; charset="utf-8"`, "application/json;charset=utf8"} {
		if err := Media(kind); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, kind := range []string{"text/plain", "application/json;charset=iso-8859-1", "application/json; charset=UTF-16", "application/jsonx", "application/json;;=", "x"} {
		if err := Media(kind); !errors.Is(err, ErrMedia) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if Charset("text/plain") != nil || Charset("text/plain; charset=windows-1251") == nil {
		t.Error("Charset looks at more, or less, than the charset")
	}
}

func FuzzDoor(f *testing.F) {
	for _, seed := range []string{
		`{"transaction_id":"a","money":{"amount":1.10,"currency":"USD"},"rows":[{"amount":"2"},{}]}`, `{"Other":1,"other":2}`, `{"rows":[{,}],}`,
		"\xef\xbb\xbf{}", `{"tranſaction_id":""}`, `{"transaction_id":"\ud83d"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := slices.Clone(body)
		var p payment
		strict := Unmarshal(body, &p)
		if strict != nil {
			if _, ours := errors.AsType[*Error](strict); !ours {
				t.Fatalf("%q: %v is no *Error", body, strict)
			}
			_ = strict.Error()
		} else if !jsontext.Value(strings.TrimPrefix(string(body), "\xef\xbb\xbf")).IsValid() {
			t.Fatalf("%q was taken and is no I-JSON", body)
		}
		if err := (Door{TrailingCommas: true}).Unmarshal(body, &p); strict == nil && err != nil {
			t.Fatalf("%q: strict doors take it, lenient ones say %v", body, err)
		}
		if !slices.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		_ = ID(string(body), 20)
		_, _ = Moment(string(body))
	})
}

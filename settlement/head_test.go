package settlement

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evens/coupon/bet"
	"evens/money"
)

// seedPush is the second example of BeT's own document.
const seedPush = `{
    "remote_host": "https://sitepartner_url.com",
    "Heads": [{
        "KeyHead": {"Id": "313", "BarCode": "75vz48t935"},
        "Status": 2, "ExtStatus": 0, "AmountOut": 19.85, "DateRecive": "1592937968"
    }, {
        "KeyHead": {"Id": "312", "BarCode": "77i0r6e15t"},
        "Status": 2, "ExtStatus": 0, "AmountOut": 12.51, "DateRecive": "1592937280"
    }]
}`

func TestParsePush(t *testing.T) {
	t.Parallel()
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	won := func(amount string) Word { return Word{Status: 2, AmountOut: money.MustParse(amount), HasAmount: true} }
	for _, test := range []struct {
		name, body string
		want       []Head
	}{
		{"the document's example", seedPush, []Head{
			{BarCode: "75vz48t935", DecidedAt: at(1592937968), Word: won("19.85")},
			{BarCode: "77i0r6e15t", DecidedAt: at(1592937280), Word: won("12.51")},
		}},
		{"numbers as text and text as numbers", `{"Heads":[{"KeyHead":{"Id":1,"BarCode":7745},"Status":"2","ExtStatus":"0","AmountOut":"19.85","DateRecive":1592937968}]}`,
			[]Head{{BarCode: "7745", DecidedAt: at(1592937968), Word: won("19.85")}}},
		{"other spellings", `{"heads":[{"KeyHead":{"betCode":"x1"},"Status":4,"DateRecive":"1592937968"}]}`,
			[]Head{{BarCode: "x1", DecidedAt: at(1592937968), Word: Word{Status: 4}}}},
		{"the code beside the key", `{"Heads":[{"BarCode":"x1","Status":4,"ExtStatus":null,"AmountOut":null,"DateRecive":"1592937968"}]}`,
			[]Head{{BarCode: "x1", DecidedAt: at(1592937968), Word: Word{Status: 4}}}},
		{"milliseconds", `{"Heads":[{"KeyHead":{"BarCode":"x1"},"Status":4,"DateRecive":1592937968123}]}`,
			[]Head{{BarCode: "x1", DecidedAt: time.UnixMilli(1592937968123).UTC(), Word: Word{Status: 4}}}},
		{"an ISO date", `{"Heads":[{"KeyHead":{"BarCode":"x1"},"Status":4,"DateRecive":"2020-06-23T20:46:08.5+02:00"}]}`,
			[]Head{{BarCode: "x1", DecidedAt: time.UnixMilli(1592937968500).UTC(), Word: Word{Status: 4}}}},
		{"BeT's other date", `{"Heads":[{"KeyHead":{"BarCode":"x1"},"Status":4,"DateRecive":"\/Date(1592937968123)\/"}]}`,
			[]Head{{BarCode: "x1", DecidedAt: time.UnixMilli(1592937968123).UTC(), Word: Word{Status: 4}}}},
		{"a date with an exponent", `{"Heads":[{"KeyHead":{"BarCode":"x1"},"Status":4,"DateRecive":1.592937968e9}]}`,
			[]Head{{BarCode: "x1", DecidedAt: at(1592937968), Word: Word{Status: 4}}}},
		{"a byte order mark and commas too many", "\xef\xbb\xbf" + `{"Heads":[{"KeyHead":{"BarCode":"x,]1",},"Status":4,"DateRecive":"1592937968",},],}`,
			[]Head{{BarCode: "x,]1", DecidedAt: at(1592937968), Word: Word{Status: 4}}}},
		{"the code in two places", `{"Heads":[{"KeyHead":{"BarCode":"x1"},"BetCode":"x1","Status":4,"DateRecive":"1592937968"}]}`,
			[]Head{{BarCode: "x1", DecidedAt: at(1592937968), Word: Word{Status: 4}}}},
		{"members of no document", `{"Heads":[{"KeyHead":{"BarCode":"x1"},"Status":4,"Sport":"a","sport":"b","DateRecive":"1592937968"}],"x":1}`,
			[]Head{{BarCode: "x1", DecidedAt: at(1592937968), Word: Word{Status: 4}}}},
		{"nothing decided", `{"Heads":[]}`, []Head{}},
	} {
		got, err := ParsePush([]byte(test.body))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// badPushes are bodies of which nothing may be stored, with the field that is named.
var badPushes = []struct {
	name, body, field string
	status            int
	code              string
}{
	{"no JSON", `Heads=1`, "", 400, "invalid_body"},
	{"cut off", `{"Heads":[{"KeyHead":{"BarCode":"x`, "", 400, "invalid_body"},
	{"empty", ``, "", 400, "invalid_body"},
	{"two lists", `{"Heads":[],"heads":[{"KeyHead":{"BarCode":"x"},"Status":4,"DateRecive":"1"}]}`, "Heads", 422, "validation_failed"},
	{"the same list twice", `{"Heads":[],"Heads":[]}`, "Heads", 422, "validation_failed"},
	{"Heads in capitals", `{"HEADS":[]}`, "Heads", 422, "validation_failed"},
	{"two bodies", `{"Heads":[]}{"Heads":[]}`, "", 400, "invalid_body"},
	{"text outside of Heads that is none", `{"remote_host":"\ud83d","Heads":[]}`, "", 400, "invalid_body"},
	{"a list", `[]`, "body", 422, "validation_failed"},
	{"no Heads", `{"remote_host":"x"}`, "Heads", 422, "validation_failed"},
	{"Heads is text", `{"Heads":"many"}`, "Heads", 422, "validation_failed"},
}

// badHeads are bodies with one Head that cannot be read, with the part that is named.
var badHeads = []struct{ name, body, field string }{
	{"no BarCode", `{"Heads":[{"KeyHead":{"Id":"1"},"Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"an endless BarCode", `{"Heads":[{"KeyHead":{"BarCode":"` + strings.Repeat("x", 65) + `"},"Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"a NUL in the BarCode", `{"Heads":[{"KeyHead":{"BarCode":"a\u0000b"},"Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"a filler in the BarCode", `{"Heads":[{"KeyHead":{"BarCode":"aㅤb"},"Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"a blank after the BarCode", `{"Heads":[{"KeyHead":{"BarCode":"x "},"Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"half a surrogate pair", `{"Heads":[{"KeyHead":{"BarCode":"x\ud83d"},"Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"a byte of Latin-1", `{"Heads":[{"KeyHead":{"BarCode":"x` + "\xe9" + `"},"Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"two BarCodes", `{"Heads":[{"KeyHead":{"BarCode":"x"},"BetCode":"y","Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"a BarCode twice", `{"Heads":[{"KeyHead":{"BarCode":"x","BarCode":"x"},"Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead.BarCode"},
	{"AmountOut twice", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":2,"AmountOut":1,"AmountOut":2,"DateRecive":"1"}]}`, "Heads[0].AmountOut"},
	{"AmountOut in small letters", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":2,"amountout":1,"DateRecive":"1"}]}`, "Heads[0].AmountOut"},
	{"Status in small letters beside", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":2,"status":4,"DateRecive":"1"}]}`, "Heads[0].Status"},
	{"Status with a long s", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":2,"ſtatus":4,"DateRecive":"1"}]}`, "Heads[0].Status"},
	{"no Status", `{"Heads":[{"KeyHead":{"BarCode":"x"},"DateRecive":"1"}]}`, "Heads[0].Status"},
	{"Status is a word", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":"won","DateRecive":"1"}]}`, "Heads[0].Status"},
	{"Status is true", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":true,"DateRecive":"1"}]}`, "Heads[0].Status"},
	{"Status is no whole number", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":2.5,"DateRecive":"1"}]}`, "Heads[0].Status"},
	{"Status beyond reason", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":99999999999,"DateRecive":"1"}]}`, "Heads[0].Status"},
	{"AmountOut beyond reason", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":2,"AmountOut":1e30,"DateRecive":"1"}]}`, "Heads[0].AmountOut"},
	{"AmountOut is an object", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":2,"AmountOut":{},"DateRecive":"1"}]}`, "Heads[0].AmountOut"},
	{"no DateRecive", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":4}]}`, "Heads[0].DateRecive"},
	{"DateRecive is a date", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":4,"DateRecive":"2020-08-10"}]}`, "Heads[0].DateRecive"},
	{"the second Head is wrong", `{"Heads":[{"KeyHead":{"BarCode":"x"},"Status":4,"DateRecive":"1"},{"KeyHead":{"BarCode":"y"},"Status":4,"DateRecive":"-1"}]}`, "Heads[1].DateRecive"},
	{"a Head that is no object", `{"Heads":[7]}`, "Heads[0].KeyHead"},
	{"a KeyHead that is text", `{"Heads":[{"KeyHead":"x","Status":4,"DateRecive":"1"}]}`, "Heads[0].KeyHead"},
	{"nothing at all", `{"Heads":[null]}`, "Heads[0].KeyHead"},
}

func TestParsePushNamesTheField(t *testing.T) {
	t.Parallel()
	for _, test := range badPushes {
		heads, err := ParsePush([]byte(test.body))
		if err == nil {
			t.Errorf("%s: read as %+v", test.name, heads)
			continue
		}
		fieldErr, ok := errors.AsType[*FieldError](err)
		if ok != (test.field != "") || ok && fieldErr.Field != test.field {
			t.Errorf("%s: %v, want the field %q", test.name, err, test.field)
		}
		if !ok && !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v, want ErrSyntax", test.name, err)
		}
	}
}

func TestParsePushKeepsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, test := range badHeads {
		heads, err := ParsePush([]byte(test.body))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		last := heads[len(heads)-1]
		if !strings.HasPrefix(last.Fault, test.field+":") || !strings.Contains(test.body, last.Raw) || last.Raw == "" || last.Word != (Word{}) {
			t.Errorf("%s: %+v, want a fault of %s", test.name, last, test.field)
		}
		again, _ := ParsePush([]byte(test.body))
		if again[len(again)-1].BarCode != last.BarCode {
			t.Errorf("%s: the same text has two names", test.name)
		}
		if len(heads) == 2 && heads[0].Fault != "" {
			t.Errorf("%s: the readable Head has the fault %s", test.name, heads[0].Fault)
		}
	}
}

func FuzzParsePush(f *testing.F) {
	f.Add([]byte(seedPush))
	for _, test := range badPushes {
		f.Add([]byte(test.body))
	}
	for _, test := range badHeads {
		f.Add([]byte(test.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		heads, err := ParsePush(body)
		if err != nil {
			return
		}
		for _, head := range heads {
			if head.Fault != "" {
				if len(head.Raw) == 0 || !strings.HasPrefix(head.BarCode, unreadablePrefix) {
					t.Errorf("kept %+v", head)
				}
				continue
			}
			if head.BarCode == "" || len(head.BarCode) > bet.LongestCode || head.DecidedAt.Unix() <= 0 && head.DecidedAt.UnixMilli() <= 0 {
				t.Errorf("read %+v", head)
			}
		}
	})
}

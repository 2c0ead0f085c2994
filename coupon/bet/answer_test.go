package bet

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"evens/money"
)

// The two answers of BeT's own document, verbatim; the express one has its stray commas.
func TestDecodeAnswerOfTheSeed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file string
		want Answer
	}{
		{"single.json", Answer{
			BetCode:     "607vtec620",
			BetID:       "607vtec620",
			Coef:        coef(t, "1.99"),
			CoefOrig:    coef(t, "1.99"),
			Stake:       money.MustParse("15.5"),
			PossibleWin: money.MustParse("30.85"),
			BetDate:     time.Date(2020, 2, 9, 11, 59, 9, 0, time.UTC),
			LiveType:    "Обычный",
			Events:      1,
			Selections: []AcceptedSelection{{
				LineID:     "224751652",
				Tournament: "Чемпионат Испании. Примера",
				Teams:      "Эспаньол - Мальорка",
				BetName:    "П1",
				Outcome:    "1",
				Coef:       coef(t, "1.99"),
				CoefOrig:   coef(t, "1.99"),
				SportID:    1,
				Live:       true,
				EventDate:  time.Date(2020, 2, 9, 10, 45, 0, 0, time.UTC),
			}},
		}},
		{"express.json", Answer{
			BetCode:     "76r9i02g9x",
			BetID:       "76r9i02g9x",
			Coef:        coef(t, "12.29"),
			Stake:       money.MustParse("150"),
			PossibleWin: money.MustParse("1843.5"),
			BetDate:     time.Date(2020, 8, 11, 11, 48, 8, 0, time.UTC),
			LiveType:    "Обычный",
			Events:      2,
			Selections: []AcceptedSelection{{
				LineID:     "250614983",
				Tournament: "Чемпионат Китая",
				Teams:      "Шицзячжуан Эвер Брайт - Тяньцзинь Тэда",
				BetName:    "Тотал (2.5) Б",
				Outcome:    "1",
				Coef:       coef(t, "4.82"),
				SportID:    1,
				Live:       true,
				EventDate:  time.Date(2020, 8, 11, 9, 45, 0, 0, time.UTC),
			}, {
				LineID:     "250612386",
				Tournament: "КВО. Чемпионат Южной Кореи",
				Teams:      "Дусан Беарс - Самсунг Лайонс",
				BetName:    "Фора 1 (-4.5)",
				Outcome:    "1",
				Coef:       coef(t, "2.55"),
				SportID:    5,
				Live:       true,
				EventDate:  time.Date(2020, 8, 11, 9, 30, 0, 0, time.UTC),
			}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			body := testdata(t, tt.file)
			tt.want.Raw = body
			got, err := judge(reply{status: 200, body: body})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// What is accepted stays accepted, in whatever dress it comes.
func TestDecodeAnswerForgives(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       Answer
	}{
		{"the bare minimum", `{"betCode":"a1"}`, Answer{BetCode: "a1"}},
		{"numbers as strings", `{"betCode":"a1","status":"1","errorCode":"0","d":{"BetHeadDetail":
			{"Coef":"1.99","Bet":"15.5","PosWin":"30.85","BetDate":"1581249549000","CountEvents":"1"}}}`,
			Answer{BetCode: "a1", Coef: coef(t, "1.99"), Stake: money.MustParse("15.5"),
				PossibleWin: money.MustParse("30.85"), Events: 1, BetDate: time.Date(2020, 2, 9, 11, 59, 9, 0, time.UTC)}},
		{"a float's noise", `{"betCode":"a1","d":{"BetHeadDetail":{"PosWin":19.849999999999998}}}`,
			Answer{BetCode: "a1", PossibleWin: money.MustParse("19.85")}},
		{"AmountOut without PosWin", `{"betCode":"a1","d":{"BetHeadDetail":{"AmountOut":7}}}`,
			Answer{BetCode: "a1", PossibleWin: money.MustParse("7")}},
		{"the bet code in the head alone", `{"status":1,"d":{"BetHeadDetail":{"BetCode":"a1"}}}`, Answer{BetCode: "a1"}},
		{"a bet code of digits", `{"betCode":6070000620,"status":1}`, Answer{BetCode: "6070000620"}},
		{"junk around it", "\xef\xbb\xbf\r\nWarning: session\n{\"betCode\":\"a1\"}\n<!-- 0.02s -->", Answer{BetCode: "a1"}},
		{"commas and brackets in a name", `{"betCode":"a1","BetsContentDataList":[{"Teams":"A \",}\" - B,]",},]}`,
			Answer{BetCode: "a1", Selections: []AcceptedSelection{{Teams: `A ",}" - B,]`}}}},
		{"details of the wrong kind", `{"betCode":"a1","d":[],"BetsContentDataList":{}}`, Answer{BetCode: "a1"}},
		{"unreadable figures", `{"betCode":"a1","d":{"BetHeadDetail":{"Coef":"n/a","PosWin":{},"BetDate":"today","Bet":-5}}}`,
			Answer{BetCode: "a1", Unread: []string{"Coef", "Bet", "PosWin"}}},
		{"zeros where there can be none", `{"betCode":"a1","d":{"BetHeadDetail":{"Coef":0,"CoefOrig":"0.99","PosWin":0}}}`,
			Answer{BetCode: "a1", Unread: []string{"Coef", "CoefOrig", "PosWin"}}},
		{"figures that are not there", `{"betCode":"a1","d":{"BetHeadDetail":{"Coef":null,"PosWin":"","Bet":null}}}`,
			Answer{BetCode: "a1"}},
		{"a coefficient with a float's noise", `{"betCode":"a1","d":{"BetHeadDetail":{"Coef":1.8500000000000003}}}`,
			Answer{BetCode: "a1", Coef: coef(t, "1.85")}},
		{"a coefficient with a comma", `{"betCode":"a1","d":{"BetHeadDetail":{"Coef":"1,85"}},"BetsContentDataList":[{"Coef":"1,85"}]}`,
			Answer{BetCode: "a1", Unread: []string{"Coef"}, Selections: []AcceptedSelection{{Unread: []string{"Coef"}}}}},
		{"a coefficient told twice", `{"betCode":"a1","d":{"BetHeadDetail":{"Coef":2,"coef":1.85}}}`,
			Answer{BetCode: "a1", Unread: []string{"Coef"}}},
		{"a coefficient in other letters", `{"betCode":"a1","d":{"BetHeadDetail":{"COEF":1.85}}}`,
			Answer{BetCode: "a1", Unread: []string{"Coef"}}},
		{"a win told twice", `{"betCode":"a1","d":{"BetHeadDetail":{"Coef":2,"PosWin":20,"PosWin":30}}}`,
			Answer{BetCode: "a1", Coef: 2_000_000, Unread: []string{"PosWin"}}},
		{"a win in other letters, and its other name", `{"betCode":"a1","d":{"BetHeadDetail":{"poswin":30,"AmountOut":20}}}`,
			Answer{BetCode: "a1", PossibleWin: money.MustParse("20"), Unread: []string{"PosWin"}}},
		{"a stake told twice", `{"betCode":"a1","d":{"BetHeadDetail":{"Bet":10,"Bet":10}}}`,
			Answer{BetCode: "a1", Unread: []string{"Bet"}}},
		{"other members in other letters", `{"betCode":"a1","STATUS":1,"d":{"BetHeadDetail":{"livetype":"x"}}}`,
			Answer{BetCode: "a1", LiveType: "x"}},
		{"no number", `{"betCode":"a1","d":{"BetHeadDetail":{"Coef":NaN,"Bet":15.5}}}`,
			Answer{BetCode: "a1", Unread: []string{"Coef"}, Stake: money.MustParse("15.5")}},
		{"a tab in a name", "{\"betCode\":\"a1\",\"BetsContentDataList\":[{\"Teams\":\"A\t- B\"}]}",
			Answer{BetCode: "a1", Selections: []AcceptedSelection{{Teams: "A\t- B"}}}},
		{"an escape that JSON lacks", `{"betCode":"a1","BetsContentDataList":[{"Teams":"D\'Or"}]}`,
			Answer{BetCode: "a1", Selections: []AcceptedSelection{{Teams: "D'Or"}}}},
		{"a brace in junk", `Warning: {closure}() in {"x":1} {"betCode":"a1"}`, Answer{BetCode: "a1"}},
		{"a zero where the head has the code", `{"betCode":0,"d":{"BetHeadDetail":{"BetCode":"a1"}}}`, Answer{BetCode: "a1"}},
		{"a selection that is none", `{"betCode":"a1","BetsContentDataList":[7,{"BetName":12}]}`,
			Answer{BetCode: "a1", Selections: []AcceptedSelection{{BetName: "12"}}}},
		{"a zero byte in a name", `{"betCode":"a1","BetsContentDataList":[{"Teams":"A\u0000 - B"}]}`,
			Answer{BetCode: "a1", Selections: []AcceptedSelection{{Teams: "A - B"}}}},
		{"fields nobody knows", `{"betCode":"a1","new":{"x":[1]},"__type":"B"}`, Answer{BetCode: "a1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := judge(reply{status: 200, body: []byte(tt.body)})
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Raw = []byte(tt.body)
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// What is JSON already is copied; what one character spoils is put right.
func TestMend(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{`{"a":1,}`, `{"a":1}`},
		{"{\"a\":[1,2 , \r\n\t],}", `{"a":[1,2]}`},
		{`{"a":",}","b":"\\",}`, `{"a":",}","b":"\\"}`},
		{`{"a":"\",]"}`, `{"a":"\",]"}`},
		{`{"a":1,"b":2}`, `{"a":1,"b":2}`},
		{`{"a":{"b":[true,null,-1.5e3,"x"]}}`, `{"a":{"b":[true,null,-1.5e3,"x"]}}`},
		{`{"a":"\u041f\ud83d\ude00\/"}`, `{"a":"\u041f\ud83d\ude00\/"}`},
		{"{\"a\":\"x\ty\nz\"}", `{"a":"x\u0009y\u000az"}`},
		{`{"a":"D\'Or \x41 \u12"}`, `{"a":"D'Or x41 u12"}`},
		{`{"a":NaN,"b":-Infinity,"c":007,"d":+1}`, `{"a":"NaN","b":"-Infinity","c":"007","d":"+1"}`},
		{`{,"a":1,,"b":[1,,2]}`, `{"a":1,"b":[1,2]}`},
		{`{"a":1 "b":"x" "c":2}`, `{"a":1,"b":"x","c":2}`},
		{`{"a":"FC "Zenit" - Spartak","b":2}`, `{"a":"FC \"Zenit\" - Spartak","b":2}`},
		{`{"a":"A "B", C","b":2}`, `{"a":"A \"B\", C","b":2}`},
		{`PHP Notice: {main} thrown {"trace":[]} {"a":1}`, `{"a":1}`},
		{`{"x":1}`, ""},
		{`{"a":{"a":1`, ""},
		{`{"a":[1,2}`, ""},
		{`{"a" 1}`, ""},
		{`{"a":`, ""},
		{`{"a":1`, ""},
		{`{"a":"x`, ""},
		{`{"a":"x\`, ""},
		{`{a:1}`, ""},
		{`[1]`, ""},
		{``, ""},
		{`{"a":1,` + strings.Repeat(`"b":1,`, 300) + `}`, ""},
		{strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100), ""},
	}
	for _, tt := range tests {
		found, err := findObject([]byte(tt.in), nil, []string{"a"})
		if got := string(found.json); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("findObject(%s) = %s, %v, want %s", tt.in, got, err, tt.want)
		}
	}
}

// Of two members of one name, in whatever letters, nobody knows which holds.
func TestMendFindsDoubles(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"betCode":"a","BETCODE":"b"}`:                             "betcode",
		`{"betCode":"a","x":{"\u0053tatu\u017f":1,"status":2}}`:     "status",
		`{"betCode":"a","x":{"betCode":"a"},"y":[{"c":1},{"c":1}]}`: "",
	} {
		found, err := findObject([]byte(in), answerSpellings, []string{"betcode"})
		if got := strings.Join(found.unclear, " "); err != nil || got != want {
			t.Errorf("findObject(%s) doubles = %q, %v, want %q", in, got, err, want)
		}
	}
}

func FuzzDecodeAnswer(f *testing.F) {
	f.Add(testdata(f, "single.json"))
	f.Add(testdata(f, "express.json"))
	for _, s := range []string{
		`{"betCode":"","errorCode":1,"fullErrorCode":99}`, `{"d":{"BetHeadDetail":{"BetCode":1e99}}}`,
		`<html>{`, `{"errorCode":{},"status":[]}`, `{"betCode":"a","status":-0}`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		answer, err := judge(reply{status: 200, body: body})
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
		if err != nil {
			mustClassify(t, err)
			return
		}
		if answer.BetCode == "" || answer.Coef < 0 || answer.Stake < 0 || answer.PossibleWin < 0 {
			t.Fatalf("accepted %+v", answer)
		}
		if strings.Contains(answer.BetCode, "\x00") {
			t.Fatalf("bet code %q", answer.BetCode)
		}
		for _, s := range answer.Selections {
			if s.EventDate.Year() > 9999 || s.Coef < 0 {
				t.Fatalf("selection %+v", s)
			}
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	body := testdata(b, "express.json")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := judge(reply{status: 200, body: body}); err != nil {
			b.Fatal(err)
		}
	}
}

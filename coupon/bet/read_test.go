package bet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evens/money"
)

func TestRead(t *testing.T) {
	t.Parallel()
	const (
		won  = `{"KeyHead":{"Id":"313","BarCode":"75vz48t935"},"Status":2,"ExtStatus":0,"AmountOut":19.85,"DateRecive":"1592937968"}`
		open = `{"KeyHead":{"Id":312,"BarCode":"77i0r6e15t"},"Status":"1","ExtStatus":"0","AmountOut":"12.51","DateRecive":null}`
	)
	want := []Head{
		{ID: "313", BarCode: "75vz48t935", Status: 2, AmountOut: money.MustParse("19.85"), HasAmount: true,
			DateRecive: time.Date(2020, 6, 23, 18, 46, 8, 0, time.UTC)},
		{ID: "312", BarCode: "77i0r6e15t", Status: 1, AmountOut: money.MustParse("12.51"), HasAmount: true},
	}
	for name, body := range map[string]string{
		"as the result push":  `{"Heads":[` + won + `,` + open + `,]}`,
		"within d":            `{"d":{"Heads":[` + won + `,` + open + `]}}`,
		"d is the list":       `{"d":[` + won + `,` + open + `]}`,
		"junk in front":       "\xef\xbb\xbfPHP Notice: x\n" + `{"heads":[` + won + `,` + open + `]}`,
		"with heads unusable": `{"Heads":[{"Status":2},` + won + `,{"KeyHead":{"BarCode":"x"}},` + open + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			type question struct {
				Login string
				Links []string
			}
			questions := make(chan question, 1)
			f.read.set(func(w http.ResponseWriter, r *http.Request) {
				var asked question
				if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
					t.Error(err)
				}
				questions <- asked
				fmt.Fprint(w, body)
			})
			got, err := f.client(t).Read(t.Context(), []string{"75vz48t935", "77i0r6e15t"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("heads (-want +got):\n%s", diff)
			}
			if asked := <-questions; asked.Login != testLogin || len(asked.Links) != 2 {
				t.Errorf("asked %+v, want the login and two links", asked)
			}
		})
	}
}

// What BeT's list says in a way that is not clear is no head, and not missing either.
func TestListKeepsWhatIsOdd(t *testing.T) {
	t.Parallel()
	for entry, code := range map[string]string{
		`{"KeyHead":{"BarCode":"x"},"Status":2,"Status":4}`:               "x",
		`{"KeyHead":{"BarCode":"x"},"status":4}`:                          "x",
		`{"KeyHead":{"BarCode":"x"},"Status":2,"amountout":5}`:            "x",
		`{"KeyHead":{"BarCode":"x"},"Status":2,"AmountOut":5,"ſtatus":4}`: "x",
		`{"KeyHead":{"BarCode":"x"}}`:                                     "x",
		`{"KeyHead":{"BarCode":"x"},"Status":"won"}`:                      "x",
		`{"KeyHead":{"BarCode":"x"},"BetCode":"y","Status":2}`:            "",
		`{"KeyHead":{"BarCode":"x\ud83d"},"Status":2}`:                    "",
		`{"KeyHead":{"BarCode":"x\u200by"},"Status":2}`:                   "",
		`{"Status":2}`: "",
		`null`:         "",
		`7`:            "",
	} {
		list, err := judgeRead(reply{status: 200, body: []byte(`{"Heads":[{"BetCode":"a","Status":1},` + entry + `,]}`)})
		if err != nil || len(list.Heads) != 1 || len(list.Odd) != 1 {
			t.Errorf("%s: %+v, %v", entry, list, err)
			continue
		}
		if odd := list.Odd[0]; odd.BarCode != code || odd.Reason == "" || len(odd.Text) == 0 {
			t.Errorf("%s: %+v", entry, odd)
		}
	}
}

func TestReadInBatches(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.read.set(func(w http.ResponseWriter, r *http.Request) {
		var asked struct{ Links []string }
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		if len(asked.Links) > 100 {
			t.Errorf("%d links in a call, want at most 100", len(asked.Links))
		}
		var heads []string
		for _, l := range asked.Links {
			heads = append(heads, fmt.Sprintf(`{"BarCode":%q,"Status":4}`, l))
		}
		fmt.Fprintf(w, `{"Heads":[%s]}`, strings.Join(heads, ","))
	})
	var codes []string
	for i := range 250 {
		codes = append(codes, fmt.Sprintf("code%06d", i))
	}
	heads, err := f.client(t).Read(t.Context(), codes)
	if err != nil {
		t.Fatal(err)
	}
	if len(heads) != 250 || heads[249].BarCode != "code000249" || f.reads.Load() != 3 {
		t.Errorf("%d heads in %d calls, want 250 in 3", len(heads), f.reads.Load())
	}
	if heads, err := f.client(t).Read(t.Context(), nil); err != nil || heads != nil || f.reads.Load() != 3 {
		t.Errorf("Read() of nothing = %v, %v, want nothing and no call", heads, err)
	}
}

// Reading changes nothing, so once more is allowed.
func TestReadTriesAgain(t *testing.T) {
	t.Parallel()
	fine := answer(reply{status: 200, body: []byte(`{"Heads":[]}`)})
	tests := []struct {
		name          string
		first, second http.HandlerFunc
		logins        int64
		ok            bool
	}{
		{"session gone", answer(refusal(1, 99, "")), fine, 2, true},
		{"redirected", answer(reply{status: 302, location: "/"}), fine, 2, true},
		{"in trouble", answer(reply{status: 500}), fine, 2, true},
		{"cut", cut, fine, 1, true},
		{"nonsense", answer(reply{status: 200, body: []byte("no")}), fine, 2, true},
		{"in trouble twice", answer(reply{status: 500}), answer(reply{status: 500}), 2, false},
		{"refused", answer(refusal(1, 5, "")), answer(refusal(1, 5, "")), 1, false},
		{"no heads", answer(reply{status: 200, body: []byte("{}")}), answer(reply{status: 200, body: []byte(`{"d":{}}`)}), 2, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			f.read.set(func(w http.ResponseWriter, r *http.Request) {
				if f.reads.Load() == 1 {
					tt.first(w, r)
					return
				}
				tt.second(w, r)
			})
			_, err := f.client(t).Read(t.Context(), []string{"a"})
			if (err == nil) != tt.ok {
				t.Errorf("Read() error = %v, want success %t", err, tt.ok)
			}
			if f.reads.Load() != 2 || f.logins.Load() != tt.logins {
				t.Errorf("%d reads, %d logins, want 2 and %d", f.reads.Load(), f.logins.Load(), tt.logins)
			}
		})
	}
}

func TestReadWithoutALogin(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.login.set(answer(reply{status: 200, body: []byte(`{"d":{}}`)}))
	_, err := f.client(t).Read(t.Context(), []string{"a"})
	if !errors.Is(err, ErrLogin) {
		t.Errorf("Read() error = %v, want ErrLogin", err)
	}
}

func TestJudgeReadCutShort(t *testing.T) {
	t.Parallel()
	_, err := judgeRead(reply{status: 200, body: []byte(`{"Heads":[]`), bodyErr: io.ErrUnexpectedEOF})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("judgeRead() error = %v, want the cut", err)
	}
}

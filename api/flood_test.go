package api

import (
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// post sends a body as it is.
func (b bundle) post(t *testing.T, path, body string, options ...option) answer {
	t.Helper()
	return b.call(t, "POST", path, body, append([]option{idempotent("flood")}, options...)...)
}

// What an outsider sent: a megabyte of zeros for selections. The answer is short, and little memory is
// taken, ten at once too.
func TestManyWrongValuesHaveAShortAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	zeros := func(n int) string {
		return `{"player_id":"` + p.ID + `","stake":"1","currency":"USD","selections":[0` + strings.Repeat(",0", n-1) + `]}`
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			a := b.post(t, "/v1/coupons", zeros(520_000))
			a.check(t, http.StatusUnprocessableEntity, CodeValidationFailed)
			if len(a.body) > 4096 {
				t.Errorf("an answer of %d bytes", len(a.body))
			}
		})
	}
	wg.Wait()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapSys > 500<<20 {
		t.Errorf("the heap took %d MiB", m.HeapSys>>20)
	}
	for body, code := range map[string]string{
		zeros(900): CodeInvalidSelection,
		zeros(15):  CodeValidationFailed,
		strings.Replace(zeros(1), "[0]", `["x"`+strings.Repeat(`,"x"`, 15)+"]", 1):           CodeInvalidSelection,
		`{` + strings.Repeat(`"a":1,`, 5000) + `"b":1}`:                                      CodeValidationFailed,
		`{"selections":` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}`: CodeValidationFailed,
	} {
		a := b.post(t, "/v1/coupons", body)
		if said := a.check(t, http.StatusUnprocessableEntity, code); len(said.Errors) > 20 || len(a.body) > 8192 {
			t.Errorf("%.60s…: %d errors in %d bytes", body, len(said.Errors), len(a.body))
		}
	}
	if a := b.post(t, "/v1/coupons", strings.Replace(zeros(1), "[0]", `["`+strings.Repeat(",[{", 20_000)+`"]`, 1)); a.status != 422 || strings.Contains(a.body, "1,000 values") {
		t.Errorf("commas in a text: %d %s", a.status, a.body)
	}
}

// A player says nothing long; a server of the site may.
func TestBodiesOfPlayersAreShort(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	token := b.token(t, p.ID)
	padded := `{"selections":["x"],"stake":"1","currency":"USD"` + strings.Repeat(" ", 65<<10) + `}`
	a := b.post(t, "/v1/coupons", padded, bearing(token))
	if said := a.check(t, http.StatusRequestEntityTooLarge, CodeBodyTooLarge); !strings.Contains(said.Detail, "64 KiB") {
		t.Errorf("detail %q", said.Detail)
	}
	if a := b.post(t, "/v1/coupons", padded); a.status == http.StatusRequestEntityTooLarge {
		t.Errorf("a key's: %d %s", a.status, a.body)
	}
}

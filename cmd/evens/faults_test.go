package main

import (
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"evens/internal/testbed"
)

// ask calls a door, and returns its answer with what it says about trying again.
func (h *house) ask(t *testing.T, d door, body string) (status int, retryAfter, text string) {
	t.Helper()
	packed, header := body, http.Header{}
	if d.packs != nil {
		packed, header = d.packs(body)
	}
	header.Set("Content-Type", "application/json")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+d.path, strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Retry-After"), string(answer)
}

// passing are the members of an answer that differ each time.
var passing = regexp.MustCompile(`"(balance|responseTime)":("[^"]*"|[0-9.]+)`)

// Every door × every fault of the server: answered in the door's own word for *try again*, as when the database is
// away; the same message is taken when the fault is over, once.
func TestEveryDoorSaysTryAgainForEveryFaultOfTheServer(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	refusal := testbed.Refusals(t, i.databaseURL, "transactions", "results")
	house := i.openDoors(t)
	standard := []string{"deposit", "withdrawal", "gateway", "BeT's results"}
	const away = "57P03"
	faults := testbed.ServersFaults()
	delete(faults, "55P03") // is waited out: wallet has the tests
	delete(faults, away)
	codes := []string{away}
	for code := range faults {
		codes = append(codes, code)
	}
	for _, d := range house.doors() {
		wanted := ""
		for _, code := range codes {
			body := strings.Replace(d.body, "ID", uuid.NewString(), 1)
			refusal.With(code, faults[code])
			was := house.written(t)
			status, again, text := house.ask(t, d, body)
			if slices.Contains(standard, d.name) && (status != http.StatusServiceUnavailable || again == "") {
				t.Errorf("%s, %s: HTTP %d, Retry-After %q: %s", d.name, code, status, again, text)
			}
			text = passing.ReplaceAllString(text, "")
			if code == away {
				wanted = text
			}
			if d.name != "deposit" && d.name != "withdrawal" && text != wanted { // those name the call
				t.Errorf("%s, %s: %s, want as when the database is away: %s", d.name, code, text, wanted)
			}
			refusal.End()
			if house.written(t) != was {
				t.Errorf("%s, %s: something was written", d.name, code)
			}
			for range 2 {
				if status, _, text := house.ask(t, d, body); status != http.StatusOK || d.refused != nil && d.refused(status, text) && house.written(t) != was+1 {
					t.Errorf("%s, %s: sent again: %d %s", d.name, code, status, text)
				}
			}
			if n := house.written(t) - was; n != 1 {
				t.Errorf("%s, %s: %d movements, want one", d.name, code, n)
			}
		}
	}
	i.clean(t)
}

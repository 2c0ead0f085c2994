package bet

import (
	"errors"
	"net/http"
	"testing"
)

// A code that is no whole number is one that nobody knows: with a bet code nothing is certain, without one it is a
// refusal, and a status like it is not that of an accepted coupon.
func TestACodeThatIsNoWholeNumber(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"betCode":"a1","status":1,"errorCode":0}`:        "accepted",
		`{"betCode":"a1","status":1,"errorCode":0.0}`:      "accepted",
		`{"betCode":"a1","status":1,"errorCode":0.5}`:      "unknown",
		`{"betCode":"a1","status":1,"errorCode":"0.5"}`:    "unknown",
		`{"betCode":"a1","status":1,"fullErrorCode":1e-3}`: "unknown",
		`{"betCode":"a1","status":1.5}`:                    "unknown",
		`{"betCode":"a1","status":0.5}`:                    "unknown",
		`{"errorCode":0.5}`:                                CodeProviderRefused,
		`{"status":1,"errorCode":-0.5}`:                    CodeProviderRefused,
		`{"errorCode":1e30}`:                               CodeProviderRefused,
	} {
		if _, err := judge(reply{status: 200, body: []byte(body)}); outcomeOf(t, err) != want {
			t.Errorf("%s: %s (%v), want %s", body, outcomeOf(t, err), err, want)
		}
	}
}

// Nobody is told that BeT does not have a coupon unless BeT says so itself: a list is believed with 200 alone.
func TestAListIsBelievedWith200Alone(t *testing.T) {
	t.Parallel()
	const none = `{"Heads":[]}`
	for _, status := range []int{
		http.StatusCreated, http.StatusPartialContent, http.StatusNotFound, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	} {
		if list, err := judgeRead(reply{status: status, body: []byte(none)}); !errors.Is(err, errStranger) {
			t.Errorf("HTTP %d: %+v, %v", status, list, err)
		}
	}
	if list, err := judgeRead(reply{status: http.StatusOK, body: []byte(none)}); err != nil || len(list.Heads) != 0 {
		t.Errorf("HTTP 200: %+v, %v", list, err)
	}
	if _, err := judgeRead(reply{status: http.StatusOK, body: []byte(`{"errorCode":0.5,"Heads":[]}`)}); err == nil {
		t.Error("a list with a code that nobody knows was taken")
	}
	f := newFake(t)
	f.read.set(answer(reply{status: http.StatusServiceUnavailable, body: []byte(none)}))
	if heads, err := f.client(t).Read(t.Context(), []string{"a"}); err == nil {
		t.Errorf("Read() = %v without an error", heads)
	}
}

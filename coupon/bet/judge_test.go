package bet

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// mustClassify fails unless err is exactly one of the two kinds Place promises.
func mustClassify(t testing.TB, err error) {
	t.Helper()
	_, rejected := errors.AsType[*Rejection](err)
	if unknown := errors.Is(err, ErrUnknownOutcome); rejected == unknown {
		t.Fatalf("error %v: rejected %t, unknown %t, want exactly one", err, rejected, unknown)
	}
}

// outcomeOf names an outcome for tables: accepted, unknown, session, or a rejection's code.
func outcomeOf(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return "accepted"
	}
	mustClassify(t, err)
	if errors.Is(err, errSession) {
		return "session"
	}
	if rejection, ok := errors.AsType[*Rejection](err); ok {
		return rejection.Code
	}
	return "unknown"
}

func TestJudge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		reply reply
		want  string
	}{
		{"accepted", reply{status: 200, body: []byte(`{"betCode":"a1","status":1,"errorCode":0,"fullErrorCode":0,"errorMessage":""}`)}, "accepted"},
		{"accepted with 201", reply{status: 201, body: []byte(`{"betCode":"a1","status":1}`)}, "accepted"},
		{"accepted with a word", reply{status: 200, body: []byte(`{"betCode":"a1","status":1,"errorMessage":"ok"}`)}, "accepted"},

		{"outcome gone", refusal(1, 3, "error_exist_bet"), CodeSelectionUnavailable},
		{"outcome gone by its code", refusal(1, 3, ""), CodeSelectionUnavailable},
		{"same match", refusal(1, 5, "error_repeat_bet_data"), CodeSameMatch},
		{"blocked", refusal(1, 7, "error_block_bet_data"), CodeSelectionBlocked},
		{"blocked, as BeT wraps it", refusal(1, 7, "|error_block_bet_data|"), CodeSelectionBlocked},
		{"a label alone", refusal(0, 0, "error_block_bet_data"), CodeSelectionBlocked},
		{"data unavailable", refusal(1, 1, ""), CodeProviderUnavailable},
		{"coefficient changed", refusal(1, 2, "error_change_coef"), CodeCoefChanged},
		{"odds changed", refusal(1, 0, "Odds have changed"), CodeCoefChanged},
		{"rate changed by its code", refusal(3, 0, ""), CodeCoefChanged},
		{"a refusal with a bet code of zero", reply{status: 200, body: []byte(`{"betCode":0,"errorCode":1,"fullErrorCode":3}`)}, CodeSelectionUnavailable},
		{"a refusal with a zero as text", reply{status: 200, body: []byte(`{"betCode":"0","errorCode":1,"d":{"BetHeadDetail":{"BetCode":"0"}}}`)}, CodeProviderRefused},
		{"a refusal with a bet code below zero", reply{status: 200, body: []byte(`{"betCode":-1,"errorCode":1}`)}, CodeProviderRefused},
		{"anything else", refusal(1, 42, "limit"), CodeProviderRefused},
		{"a code that is no number", reply{status: 200, body: []byte(`{"errorCode":1,"fullErrorCode":"E7"}`)}, CodeProviderRefused},
		{"an error in the head", reply{status: 200, body: []byte(`{"d":{"BetHeadDetail":{"ErrorCode":1,"FullErrorCode":"3"}}}`)}, CodeSelectionUnavailable},

		{"session gone", refusal(1, 99, "error_access"), "session"},
		{"session gone in one field", refusal(0, 99, ""), "session"},
		{"session gone in the other field", refusal(99, 0, ""), "session"},
		{"session gone with 400", reply{status: 400, body: []byte(`{"errorCode":1,"fullErrorCode":99}`)}, "session"},
		{"401", reply{status: 401}, "session"},
		{"403", reply{status: 403, body: []byte("<html>")}, "session"},
		{"redirect to the login", reply{status: 302, location: "/Account/Login?ReturnUrl=%2f"}, "session"},
		{"redirect to another host's login", reply{status: 303, location: "https://id.example/signin"}, "session"},

		{"400", reply{status: 400, body: []byte("bad request")}, CodeProviderRefused},
		{"400 with a label", reply{status: 400, body: []byte(`{"errorCode":1,"errorMessage":"error_exist_bet"}`)}, CodeSelectionUnavailable},
		{"404", reply{status: 404}, CodeProviderRefused},
		{"405", reply{status: 405}, CodeProviderRefused},
		{"413", reply{status: 413}, CodeProviderRefused},
		{"415", reply{status: 415}, CodeProviderRefused},
		{"422", reply{status: 422}, CodeProviderRefused},
		{"429", reply{status: 429}, CodeProviderUnavailable},
		{"307 to elsewhere", reply{status: 307, location: "https://www.example/bet/place/"}, CodeProviderRefused},
		{"404 cut short", reply{status: 404, bodyErr: io.ErrUnexpectedEOF}, CodeProviderRefused},

		{"302 to a coupon's page", reply{status: 302, location: "/coupon/607vtec620"}, "unknown"},
		{"302 to nowhere", reply{status: 302}, "unknown"},
		{"408", reply{status: 408}, "unknown"},
		{"409", reply{status: 409}, "unknown"},
		{"500", reply{status: 500}, "unknown"},
		{"502", reply{status: 502, body: []byte("<html>")}, "unknown"},
		{"503 with a refusal", reply{status: 503, body: []byte(`{"errorCode":1,"fullErrorCode":1}`)}, "unknown"},
		{"204", reply{status: 204}, "unknown"},
		{"nonsense", reply{status: 200, body: []byte("<html><style>p{margin:0}</style>")}, "unknown"},
		{"half an answer", reply{status: 200, body: []byte(`{"betCode":"a1","sta`), bodyErr: io.ErrUnexpectedEOF}, "unknown"},
		{"half an answer that says it is whole", reply{status: 200, body: []byte(`{"betCode":"a1","sta`)}, "unknown"},
		{"an empty object", reply{status: 200, body: []byte(`{}`)}, "unknown"},
		{"cut short behind the answer", reply{status: 200, body: []byte(`{"betCode":"a1","status":1}`), bodyErr: io.ErrUnexpectedEOF}, "accepted"},
		{"an error told twice", reply{status: 200, body: []byte(`{"errorCode":1,"errorCode":0}`)}, "unknown"},
		{"two bet codes", reply{status: 200, body: []byte(`{"betCode":"a1","status":1,"d":{"BetHeadDetail":{"BetCode":"b2"}}}`)}, "unknown"},
		{"a bet code told twice", reply{status: 200, body: []byte(`{"betCode":"a1","BETCODE":"a1","status":1}`)}, "unknown"},
		{"a bet code of 70 characters", reply{status: 200, body: fmt.Appendf(nil, `{"betCode":"%070d","status":1}`, 7)}, "unknown"},
		{"a bet code of 64 characters", reply{status: 200, body: fmt.Appendf(nil, `{"betCode":"%064d","status":1}`, 7)}, "accepted"},
		{"a bet code that is no text", reply{status: 200, body: []byte("{\"betCode\":\"a\xff1\",\"status\":1}")}, "unknown"},
		{"d is null", reply{status: 200, body: []byte(`{"d":null}`)}, "unknown"},
		{"d is empty", reply{status: 200, body: []byte(`{"d":{}}`)}, "unknown"},
		{"no code at all", reply{status: 200, body: []byte(`{"status":1,"errorCode":0,"fullErrorCode":0,"errorMessage":""}`)}, "unknown"},
		{"too large", reply{status: 200, body: []byte(`{"betCode":"a1"`), bodyErr: errTooLarge}, "unknown"},
		{"a bet code with another status", reply{status: 200, body: []byte(`{"betCode":"a1","status":0}`)}, "unknown"},
		{"a bet code with a strange status", reply{status: 200, body: []byte(`{"betCode":"a1","status":"new"}`)}, "unknown"},
		{"a bet code with an error", reply{status: 200, body: []byte(`{"betCode":"a1","status":1,"errorCode":1,"fullErrorCode":99}`)}, "unknown"},
		{"a bet code with a label", reply{status: 200, body: []byte(`{"betCode":"a1","status":1,"errorMessage":"error_exist_bet"}`)}, "unknown"},
		{"a bet code with 400", reply{status: 400, body: []byte(`{"betCode":"a1","status":1}`)}, "unknown"},
		{"a bet code with 401", reply{status: 401, body: []byte(`{"betCode":"a1","status":1}`)}, "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := judge(tt.reply)
			if got := outcomeOf(t, err); got != tt.want {
				t.Errorf("judge() = %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

// Where an answer names a bet code and cannot be taken, the code is kept, however it is spoilt.
func TestJudgeFindsTheCode(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reply reply
		code  string
	}{
		"an error beside it":        {reply{status: 200, body: []byte(`{"betCode":"a1","errorCode":1}`)}, "a1"},
		"HTTP 500":                  {reply{status: 500, body: []byte(`{"betCode":"a1","status":1}`)}, "a1"},
		"in the head alone":         {reply{status: 502, body: []byte(`{"d":{"BetHeadDetail":{"BetCode":"a1"}}}`)}, "a1"},
		"a broken object":           {reply{status: 200, body: []byte(`{"betCode":"a1","status":1,"Teams" "A"}`)}, "a1"},
		"cut short":                 {reply{status: 200, body: []byte(`{"betCode":"a1","sta`), bodyErr: io.ErrUnexpectedEOF}, "a1"},
		"cut within the code":       {reply{status: 200, body: []byte(`{"betCode":"a1b`), bodyErr: io.ErrUnexpectedEOF}, ""},
		"escaped in a text":         {reply{status: 200, body: []byte(`"{\"betCode\":\"a1\",\"status\":1}"`)}, "a1"},
		"in a page":                 {reply{status: 500, body: []byte(`<pre>betCode=607vtec620</pre>`)}, "607vtec620"},
		"a page with a script":      {reply{status: 200, body: []byte(`<html><script>var betCode = coupon.id; betCode=function(){}; f({betCode: undefined})`)}, ""},
		"none in a page":            {reply{status: 500, body: []byte(`<pre>betCode=0, betCode: null</pre>`)}, ""},
		"none in a broken refusal":  {reply{status: 200, body: []byte(`{"betCode":0,"errorCode":1,"m":"x`)}, ""},
		"the second of two objects": {reply{status: 200, body: []byte(`{"log":1}{"betCode":"a1","status":0}`)}, "a1"},
	} {
		_, err := judge(tt.reply)
		unknown, ok := errors.AsType[*UnknownError](err)
		if !ok || unknown.BetCode != tt.code || string(unknown.Body) != string(tt.reply.body) {
			t.Errorf("%s: judge() = %v, want unknown with code %q", name, err, tt.code)
			continue
		}
		if answered(err) != (tt.code != "" && name != "in a page") {
			t.Errorf("%s: counts for the breaker: %t", name, !answered(err))
		}
	}
}

// A contradictory answer keeps its bet code, for someone to ask BeT about.
func TestJudgeKeepsTheFacts(t *testing.T) {
	t.Parallel()
	body := []byte(`{"betCode":"a1","status":5}`)
	_, err := judge(reply{status: 200, body: body})
	unknown, ok := errors.AsType[*UnknownError](err)
	if !ok || unknown.BetCode != "a1" || unknown.HTTPStatus != 200 || string(unknown.Body) != string(body) {
		t.Errorf("judge() error = %+v, want the bet code, status and body in it", unknown)
	}
	r := refusal(1, 3, "|error_exist_bet|")
	_, err = judge(r)
	rejection, ok := errors.AsType[*Rejection](err)
	if !ok || rejection.Message != "|error_exist_bet|" || rejection.ErrorCode != 1 || rejection.FullErrorCode != 3 ||
		rejection.HTTPStatus != 200 || string(rejection.Body) != string(r.body) {
		t.Errorf("judge() error = %+v, want BeT's own words in it", rejection)
	}
}

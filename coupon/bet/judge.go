package bet

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const (
	statusAccepted code = 1

	// BeT's errorCode and fullErrorCode. The list was lost from the seed; these are the ones
	// clients in use know (providers 5.1).
	errorCoefChanged code = 3  // as errorCode; the seed knows only 0 and 1
	fullUnavailable  code = 1  // data unavailable, try later
	fullGone         code = 3  // the outcome is gone
	codeAccess       code = 99 // no session
)

// errSession says that BeT refused a placement, or a read, for want of a session: nothing was
// done, and it may be sent again after a new login. A rejection that wraps it is the caller's
// only when it comes a second time.
var errSession = errors.New("session refused")

// judge decides what an answer to /bet/place/ says about the placement. A nil error means
// accepted; otherwise the error is a *Rejection, which wraps errSession where the table says
// session, or an *UnknownError. Unknown outcomes with a bet code are those that BeT can be asked
// about.
//
//	answer                                                | outcome
//	2xx, bet code, status 1 or none, no error             | accepted
//	any, bet code and an error, another status, two codes | unknown, with the code
//	any, bet code in a body that cannot be read           | unknown, with the code
//	bet code that no push could name (CheckCode)          | unknown, with the code
//	2xx or a refusal below, no bet code, 99 in any field  | session
//	2xx, no bet code, any other error                     | rejected
//	2xx, anything else, readable or not                   | unknown
//	401, 403, 3xx to a login                              | session
//	307, 308 to elsewhere (defined to do nothing)         | rejected
//	400, 404, 405, 413, 415, 422, 429                     | rejected
//	everything else (5xx, 408, other 3xx, ...)            | unknown
//
// A bet code of 0, null or less than nothing is none. An answer that is cut short after the end
// of its object is whole: only its Content-Length was wrong.
func judge(r reply) (Answer, error) {
	answer, v, err := decodeAnswer(r.body)
	success := r.status >= 200 && r.status < 300
	unknown := func(reason string, cause error) (Answer, error) {
		return Answer{}, &UnknownError{
			Reason: reason, BetCode: answer.BetCode, HTTPStatus: r.status, Body: r.body, err: cause,
		}
	}
	if answer.BetCode != "" {
		problem := CheckCode(answer.BetCode)
		switch {
		case err != nil:
			return unknown(fmt.Sprintf("bet code in an unreadable answer, HTTP %d: %v", r.status, err), err)
		case v.contradiction != "", !success, v.refused(), v.status != statusAccepted:
			return unknown(fmt.Sprintf("bet code with HTTP %d, %s", r.status, v), nil)
		case problem != nil:
			return unknown("the bet code "+problem.Error(), problem)
		}
		return answer, nil
	}
	switch {
	case success && err != nil && r.bodyErr != nil:
		return unknown("answer cut short: "+r.bodyErr.Error(), r.bodyErr)
	case success && err != nil:
		return unknown("answer unreadable: "+err.Error(), err)
	case v.contradiction != "":
		return unknown(v.String(), nil)
	case (success || refusedStatus(r.status)) && v.sessionGone(), r.refusesSession():
		rejection := reject(r, v)
		rejection.Code, rejection.err = CodeProviderSession, errSession
		return Answer{}, rejection
	case success && v.refused(), refusedStatus(r.status):
		return Answer{}, reject(r, v)
	case success:
		return unknown("neither bet code nor error code: "+v.String(), nil)
	default:
		return unknown(fmt.Sprintf("HTTP %d", r.status), nil)
	}
}

// bespoke reports whether the outcome of a placement was told by BeT itself: by a bet code, or by
// an error of its own. Anything else may come from a session that is no more, whatever it says; a
// page always may.
func bespoke(err error) bool {
	if unknown, ok := errors.AsType[*UnknownError](err); ok {
		return unknown.BetCode != "" && !isPage(unknown.Body)
	}
	if rejection, ok := errors.AsType[*Rejection](err); ok {
		return rejection.bespoke
	}
	return err == nil
}

// refusesSession reports whether the HTTP status alone says that the session is gone.
func (r reply) refusesSession() bool {
	switch {
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return true
	case r.redirect():
		return toLogin(r.location)
	default:
		return false
	}
}

// redirect reports whether the answer sends the client elsewhere.
func (r reply) redirect() bool { return r.status >= 300 && r.status < 400 }

// toLogin reports whether a redirect leads to a login page. Another redirect may as well be the
// "see your coupon here" of a placement that was done.
func toLogin(location string) bool {
	u, err := url.Parse(location)
	if err != nil {
		return false
	}
	path := strings.ToLower(u.Path)
	for _, word := range []string{"login", "logon", "signin", "auth"} {
		if strings.Contains(path, word) {
			return true
		}
	}
	return false
}

// refusedStatus lists the statuses that a server gives before it does anything.
func refusedStatus(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity, http.StatusTooManyRequests,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	default:
		return false
	}
}

// reject is the rejection an answer amounts to.
func reject(r reply, v verdict) *Rejection {
	rejection := &Rejection{
		Code:          v.rejectionCode(),
		Message:       v.String(),
		HTTPStatus:    r.status,
		ErrorCode:     int(v.errorCode),
		FullErrorCode: int(v.fullErrorCode),
		Body:          r.body,
		bespoke:       v.refused(),
	}
	if !v.refused() {
		rejection.Message = fmt.Sprintf("HTTP %d", r.status)
	}
	if r.status == http.StatusTooManyRequests {
		rejection.Code = CodeProviderUnavailable
	}
	return rejection
}

// refused reports whether the answer names an error: a code, or one of the labels.
func (v verdict) refused() bool {
	return v.errorCode != 0 || v.fullErrorCode != 0 || labelCode(v.message) != ""
}

// sessionGone reports BeT's way to say "log in first": errorCode 1 with fullErrorCode 99, or 99 in
// one of the two alone.
func (v verdict) sessionGone() bool {
	return v.errorCode == codeAccess || v.fullErrorCode == codeAccess
}

// rejectionCode maps BeT's reason to one of ours. The label is the more exact of the two.
//
//	label or code                        | rejection
//	error_exist_bet                      | selection_unavailable
//	error_repeat_bet_data                | same_match
//	error_block_bet_data                 | selection_blocked
//	a label on a changed coef/rate/odds  | coef_changed
//	fullErrorCode 1                      | provider_unavailable
//	fullErrorCode 3                      | selection_unavailable
//	errorCode 3                          | coef_changed
//	anything else                        | provider_refused
func (v verdict) rejectionCode() string {
	if code := labelCode(v.message); code != "" {
		return code
	}
	switch {
	case v.fullErrorCode == fullUnavailable:
		return CodeProviderUnavailable
	case v.fullErrorCode == fullGone:
		return CodeSelectionUnavailable
	case v.errorCode == errorCoefChanged:
		return CodeCoefChanged
	default:
		return CodeProviderRefused
	}
}

// labelCode maps an errorMessage, "" when it has no known label. Labels are searched for
// within the text, since BeT also wraps them: "|error_exist_bet|".
func labelCode(message string) string {
	message = strings.ToLower(message)
	switch {
	case strings.Contains(message, "error_exist_bet"):
		return CodeSelectionUnavailable
	case strings.Contains(message, "error_repeat_bet_data"):
		return CodeSameMatch
	case strings.Contains(message, "error_block_bet_data"):
		return CodeSelectionBlocked
	case aboutCoef(message):
		return CodeCoefChanged
	default:
		return ""
	}
}

// aboutCoef recognises "error_change_coef", "Odds changed", "rate_changed" and their like: what
// BeT writes there is not documented.
func aboutCoef(message string) bool {
	if !strings.Contains(message, "chang") {
		return false
	}
	return strings.Contains(message, "coef") || strings.Contains(message, "rate") || strings.Contains(message, "odds")
}

// String is BeT's message, or its codes where there is none.
func (v verdict) String() string {
	if v.contradiction != "" {
		return v.contradiction
	}
	if v.message != "" {
		return v.message
	}
	return fmt.Sprintf("status %d, error code %d, full error code %d", v.status, v.errorCode, v.fullErrorCode)
}

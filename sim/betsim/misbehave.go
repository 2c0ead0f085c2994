package betsim

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
)

// Words are how a request on a session that has ended is answered.
type Words int

// What BeT's document knows, and what it does not.
const (
	WordsCode      Words = iota // errorCode 1 with fullErrorCode 99: the documented one
	WordsPage                   // a page with HTTP 200
	WordsException              // HTTP 500 with a NullReferenceException
	WordsNull                   // {"d":null}
	WordsEmpty                  // {"d":{}}
	WordsErrorCode              // 99 as errorCode alone
	WordsFullCode               // 99 as fullErrorCode alone
	WordsElsewhere              // a redirect to the front page
)

// AllWords are all of them.
var AllWords = []Words{
	WordsCode, WordsPage, WordsException, WordsNull, WordsEmpty, WordsErrorCode, WordsFullCode, WordsElsewhere,
}

// ended answers a request on a session that is no more, in each of Config.EndWords by turns.
func (s *Server) ended(w http.ResponseWriter, r *http.Request) {
	words := WordsCode
	if n := len(s.cfg.EndWords); n > 0 {
		words = s.cfg.EndWords[(s.ends.Add(1)-1)%uint64(n)]
	}
	body := ""
	switch words {
	case WordsPage:
		s.fail(w, nonsense)
		return
	case WordsElsewhere:
		http.Redirect(w, r, "/", http.StatusFound)
		return
	case WordsException:
		w.WriteHeader(http.StatusInternalServerError)
		body = `{"Message":"Object reference not set","ExceptionType":"System.NullReferenceException"}`
	case WordsNull:
		body = `{"d":null}`
	case WordsEmpty:
		body = `{"d":{}}`
	case WordsErrorCode:
		body = `{"betCode":"","errorCode":99,"fullErrorCode":0}`
	case WordsFullCode:
		body = `{"betCode":"","errorCode":0,"fullErrorCode":99}`
	default:
		s.refuse(w, refusedSession)
		return
	}
	s.stats.refused.Add(1)
	_, _ = io.WriteString(w, body)
}

// Forbid puts a firewall in front of the server, or takes it away: 403 to everything.
func (s *Server) Forbid(on bool) { s.forbidden.Store(on) }

// RefuseLogins has logins refused, or taken again.
func (s *Server) RefuseLogins(on bool) { s.loginless.Store(on) }

// clearCookies takes older cookies of the session's name back, elsewhere than where it is set.
func clearCookies(w http.ResponseWriter) {
	const gone = "=; expires=Thu, 01 Jan 1970 00:00:00 GMT"
	w.Header().Add("Set-Cookie", cookieName+gone+"; path=/WebServices")
	w.Header().Add("Set-Cookie", cookieName+gone)
	w.Header().Add("Set-Cookie", cookieName+gone+"; path=/; domain=old.example")
}

// odd answers a placement that was taken, or with contradictory perhaps not, as fate wants it.
func (s *Server) odd(w http.ResponseWriter, c *coupon, fate fate, chance *rand.Rand) {
	body := appendPlaced(nil, c, c.placedAt, s.cfg.Misquote)
	status, length := http.StatusOK, 0
	switch fate {
	case misspelt:
		body, length = misspell(body, chance.IntN(5))
	case contradictory:
		body, status = contradict(body, chance.IntN(4))
	case noisy:
		body = noise(body, chance.IntN(4) == 0)
	}
	w.Header()["Content-Type"] = jsonContent
	if length > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(length))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// misspell spoils one character that has nothing to do with the coupon. length, when above zero, is
// the Content-Length to state.
func misspell(body []byte, kind int) (spoilt []byte, length int) {
	switch kind {
	case 0:
		return bytes.Replace(body, []byte(`"Teams":"`), []byte("\"Teams\":\"\t"), 1), 0
	case 1:
		return bytes.Replace(body, []byte(`"Teams":"`), []byte(`"Teams":"D\'`), 1), 0
	case 2:
		return bytes.Replace(body, []byte(`"LiveType":`), []byte(`"Bonus":NaN,"LiveType":`), 1), 0
	case 3:
		return append([]byte("Warning: {closure}() in {main}\r\n"), body...), 0
	default:
		return body, len(body) + 7
	}
}

// contradict has an answer say two things.
func contradict(body []byte, kind int) (spoilt []byte, status int) {
	switch kind {
	case 0:
		return bytes.Replace(body, []byte(`"errorCode":0`), []byte(`"errorCode":1`), 1), http.StatusOK
	case 1:
		return bytes.Replace(body, []byte(`"status":1`), []byte(`"status":0`), 1), http.StatusOK
	case 2:
		return append([]byte(`{"betCode":"another000",`), body[1:]...), http.StatusOK
	default:
		return body, http.StatusInternalServerError
	}
}

var coefWritten = regexp.MustCompile(`("Coef(?:Orig)?":)([0-9.]+)`)

// noise writes the coefficients as a program does that counts in floats, or with a comma.
func noise(body []byte, comma bool) []byte {
	return coefWritten.ReplaceAllFunc(body, func(found []byte) []byte {
		parts := coefWritten.FindSubmatch(found)
		whole, fraction, _ := strings.Cut(string(parts[2]), ".")
		if comma {
			return fmt.Appendf(nil, `%s"%s,%s"`, parts[1], whole, fraction)
		}
		return fmt.Appendf(nil, "%s%s.%-15s3", parts[1], whole, fraction+strings.Repeat("0", max(0, 15-len(fraction))))
	})
}

// reordered lists the selections of an express backwards, the first under an id of BeT's own.
func (c *coupon) reordered() *coupon {
	other := *c
	other.selections = make([]selection, len(c.selections))
	for i, sel := range c.selections {
		other.selections[len(c.selections)-1-i] = sel
	}
	other.selections[0].match = "999999" + other.selections[0].match
	return &other
}

// longCode is a bet code that no result could name.
func longCode(code string) string { return strings.Repeat("0", 70-len(code)) + code }

package betsim

import (
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
)

// maxSelections is how many an express may have.
const maxSelections = 15

// refusal is one of BeT's reasons. The document names the labels; which number goes with which
// is known only for 1, 3 and 99.
type refusal struct {
	label         string
	fullErrorCode int64
}

var (
	refusedSession    = refusal{"", 99}
	refusedSameMatch  = refusal{"error_repeat_bet_data", 5}
	refusedCoefChange = refusal{"error_change_coef", 2} // made up: BeT's label is not known
	refusedLimit      = refusal{"error_limit", 6}       // made up too
	refusals          = []refusal{
		{"error_exist_bet", 3}, refusedSameMatch, {"error_block_bet_data", 4}, {"", 1},
	}
)

// request is the payload of /bet/place/.
type request struct {
	Data struct {
		ListBets   []string        `json:"list_bets"`
		RealAmount json.RawMessage `json:"realAmount"`
		Currency   string          `json:"currency"`
		Lang       string          `json:"lang"`
		RemoteHost string          `json:"remote_host"`
		RateMode   string          `json:"rate_mode"`
	} `json:"data"`
}

// place answers /bet/place/.
func (s *Server) place(w http.ResponseWriter, r *http.Request) {
	s.stats.requests.Add(1)
	chance := dice(s.cfg.Seed, streamPlacement, s.requests.Add(1))
	fate := s.cfg.fate(chance)

	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	wait(r.Context(), s.cfg.AnswerDelay)
	if fate == loseRequest {
		cut(w)
		return
	}
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	if session := s.session(r); session == nil || !s.mayPlace(session) {
		s.ended(w, r)
		return
	}
	c, err := readCoupon(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if reason, ok := s.consider(c, fate, chance); !ok {
		s.refuse(w, reason)
		return
	}
	if (fate == serverError || fate == nonsense) && chance.IntN(2) == 0 {
		s.fail(w, fate)
		return
	}
	if fate == contradictory && chance.IntN(2) == 0 {
		c.code, c.placedAt = betCode(s.cfg.Seed^1, s.requests.Load()), s.cfg.Now().UTC() // of no coupon
		s.odd(w, c, fate, chance)
		return
	}
	s.take(c, fate)
	switch fate {
	case loseAnswer:
		cut(w)
	case serverError, nonsense:
		s.fail(w, fate)
	case misspelt, contradictory, noisy:
		s.odd(w, c, fate, chance)
	case reordered:
		s.write(w, func(b []byte) []byte { return appendPlaced(b, c.reordered(), c.placedAt, s.cfg.Misquote) })
	case slow:
		wait(r.Context(), s.cfg.SlowFor)
		fallthrough
	default:
		s.write(w, func(b []byte) []byte { return appendPlaced(b, c, c.placedAt, s.cfg.Misquote) })
	}
}

// consider says whether a coupon is taken, and changes its coefficients if they moved.
func (s *Server) consider(c *coupon, fate fate, chance *rand.Rand) (refusal, bool) {
	if fate == reject {
		return refusals[chance.IntN(len(refusals))], false
	}
	seen := make(map[string]bool, len(c.selections))
	for _, sel := range c.selections {
		match := trimZeros(sel.match)
		if seen[match] {
			return refusedSameMatch, false
		}
		seen[match] = true
	}
	if fate == coefChange {
		if c.rateMode == "reject" {
			return refusedCoefChange, false
		}
		moved := &c.selections[chance.IntN(len(c.selections))]
		moved.accepted = move(moved.coef, chance)
	}
	coefs := make([]int64, len(c.selections))
	for i, sel := range c.selections {
		coefs[i] = sel.accepted
	}
	var err error
	if c.coef, err = combine(coefs); err != nil {
		return refusedLimit, false
	}
	if c.win, err = payout(c.stake, c.coef); err != nil {
		return refusedLimit, false
	}
	return refusal{}, true
}

// move changes a coefficient by up to a tenth, to two decimals, never to what it was.
func move(coef int64, chance *rand.Rand) int64 {
	const hundredth = coefOne / 100
	moved := coef / 1000 * int64(900+chance.IntN(201)) / hundredth * hundredth
	moved = max(moved, coefOne+hundredth)
	if moved == coef {
		moved += hundredth
	}
	return moved
}

// take places the coupon.
func (s *Server) take(c *coupon, fate fate) {
	c.number = s.coupons.Add(1)
	c.code = betCode(s.cfg.Seed, c.number)
	if fate == overlong {
		c.code = longCode(c.code)
	}
	c.placedAt = s.cfg.Now().UTC()
	c.answered = fate != loseAnswer && fate != serverError && fate != nonsense && fate != contradictory
	s.stats.placed.Add(1)
	if !c.answered {
		s.stats.unanswered.Add(1)
	}
	if !s.cfg.Forget {
		s.book.add(c)
	}
}

func (s *Server) refuse(w http.ResponseWriter, reason refusal) {
	s.stats.refused.Add(1)
	s.write(w, func(b []byte) []byte { return appendRefused(b, reason, s.cfg.ZeroCode) })
}

// fail answers as a server in trouble does.
func (s *Server) fail(w http.ResponseWriter, fate fate) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if fate == serverError {
		w.WriteHeader(http.StatusInternalServerError)
	}
	_, _ = io.WriteString(w, "<!DOCTYPE html><html><style>body{margin:0}</style><body>Runtime Error</body></html>")
}

// readCoupon takes a payload apart. It is as strict as BeT's document, so that what it lets
// pass, BeT understands.
func readCoupon(body []byte) (*coupon, error) {
	var req request
	if err := json.Unmarshal(body, &req); err != nil {
		return nil, errors.New("payload is not JSON of the documented shape")
	}
	d := req.Data
	c := &coupon{
		pointers: d.ListBets, currency: d.Currency, lang: d.Lang, remoteHost: d.RemoteHost, rateMode: d.RateMode,
	}
	if n := len(d.ListBets); n == 0 || n > maxSelections {
		return nil, errors.New("list_bets wants 1 to 15 pointers")
	}
	c.selections = make([]selection, len(d.ListBets))
	var err error
	for i, text := range d.ListBets {
		if c.selections[i], err = parsePointer(text); err != nil {
			return nil, err
		}
	}
	if c.stake, err = parseDecimal(strings.Trim(string(d.RealAmount), `"`), amountDigits); err != nil || c.stake == 0 {
		return nil, errors.New("realAmount wants a positive decimal")
	}
	if len(d.Currency) != 3 {
		return nil, errors.New("currency wants three letters")
	}
	host, err := url.Parse(d.RemoteHost)
	if err != nil || host.Host == "" || strings.HasSuffix(d.RemoteHost, "/") {
		return nil, errors.New("remote_host wants a URL without a slash at the end")
	}
	switch d.RateMode {
	case "":
		c.rateMode = "accept"
	case "accept", "reject":
	default:
		return nil, errors.New("rate_mode wants accept or reject")
	}
	return c, nil
}

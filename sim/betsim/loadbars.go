package betsim

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// maxLinks is how many coupons one read may ask for.
const maxLinks = 100

// loadBars answers /loadbars/: the heads of the coupons asked for, open ones with status 1,
// unknown ones left out, and junk before the first brace.
func (s *Server) loadBars(w http.ResponseWriter, r *http.Request) {
	var query struct {
		Login string   `json:"login"`
		Links []string `json:"links"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&query); err != nil || len(query.Links) > maxLinks {
		http.Error(w, "bad query", http.StatusBadRequest)
		return
	}
	if s.session(r) == nil || query.Login != s.cfg.Login {
		s.ended(w, r)
		return
	}
	body := []byte("\ufeff\r\n{\"Heads\":[")
	s.book.mu.Lock()
	for _, code := range query.Links {
		c := s.book.byCode[code]
		if c == nil {
			continue
		}
		if body[len(body)-1] == '}' {
			body = append(body, ',')
		}
		body = appendHead(body, c.head(), nil, 0)
		if !s.cfg.Terse {
			body = c.appendTerms(body[:len(body)-1])
		}
	}
	s.book.mu.Unlock()
	s.write(w, func(b []byte) []byte { return append(append(b, body...), "]}"...) })
}

// appendTerms adds what a coupon was taken on to its head, by the names of the answer to its placement.
func (c *coupon) appendTerms(b []byte) []byte {
	b = appendNumber(b, `,"Bet":`, c.stake, amountDigits)
	b = appendNumber(b, `,"Coef":`, c.coef, coefDigits)
	b = strconv.AppendInt(append(b, `,"CountEvents":`...), int64(len(c.selections)), 10)
	b = append(b, `,"BetsContentDataList":[`...)
	for i, s := range c.selections {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, `{"LinesId":`...), trimZeros(s.match)...)
		b = append(appendNumber(b, `,"Coef":`, s.accepted, coefDigits), '}')
	}
	return append(b, "]}"...)
}

// head is the coupon's last result, or that it is open.
func (c *coupon) head() Head {
	if c.settled {
		return c.last
	}
	return Head{
		ID: c.id(), BarCode: c.code, Status: statusOpen,
		AmountOut: formatDecimal(c.win, amountDigits), RemoteHost: c.remoteHost,
	}
}

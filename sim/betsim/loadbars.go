package betsim

import (
	"encoding/json"
	"net/http"
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
	var heads []Head
	s.book.mu.Lock()
	for _, code := range query.Links {
		if c := s.book.byCode[code]; c != nil {
			heads = append(heads, c.head())
		}
	}
	s.book.mu.Unlock()
	s.write(w, func(b []byte) []byte {
		b = append(b, "\ufeff\r\n{"...)
		return append(appendHeads(b, heads, nil, 0), '}')
	})
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

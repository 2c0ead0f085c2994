package casinosim

import (
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
)

// signOns are the tokens a platform has given out.
type signOns struct {
	tokensMu sync.Mutex
	tokens   map[string]bool
}

func (s *signOns) signOn() string {
	token := rand.Text()
	s.tokensMu.Lock()
	defer s.tokensMu.Unlock()
	if s.tokens == nil {
		s.tokens = make(map[string]bool)
	}
	s.tokens[token] = true
	return token
}

// Forget ends every token, as a restart of the platform does.
func (s *signOns) Forget() {
	s.tokensMu.Lock()
	defer s.tokensMu.Unlock()
	clear(s.tokens)
}

// signedOn answers 401 by itself where the call carries no token of ours.
func (s *signOns) signedOn(w http.ResponseWriter, r *http.Request) bool {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.tokensMu.Lock()
	known := s.tokens[token]
	s.tokensMu.Unlock()
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
	}
	return known
}

package betsim

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// cookieName is what an ASP.NET server calls its session.
const cookieName = "ASP.NET_SessionId"

// session is one login.
type session struct {
	opened     time.Time
	placements atomic.Int64
}

// sessions are the open ones by their cookie.
type sessions struct {
	mu   sync.RWMutex
	open map[string]*session
}

// login answers {"d":{"UserId":"…"}} and a cookie, or {"d":{}}, both with HTTP 200.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	s.stats.logins.Add(1)
	var form struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&form); err != nil {
		http.Error(w, "bad login", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if s.loginless.Load() || form.Login != s.cfg.Login || form.Password != s.cfg.Password {
		_, _ = w.Write([]byte(`{"d":{}}`))
		return
	}
	token := rand.Text()
	s.sessions.mu.Lock()
	if s.cfg.OneSession {
		clear(s.sessions.open)
	}
	s.sessions.open[token] = &session{opened: s.cfg.Now()}
	s.sessions.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true})
	if s.cfg.ClearCookies {
		clearCookies(w)
	}
	_, _ = w.Write([]byte(`{"d":{"UserId":"1344225"}}`))
}

// session returns the request's session, nil without a living one.
func (s *Server) session(r *http.Request) *session {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	s.sessions.mu.RLock()
	found := s.sessions.open[cookie.Value]
	s.sessions.mu.RUnlock()
	if found == nil || s.cfg.SessionTTL == 0 || s.cfg.Now().Sub(found.opened) < s.cfg.SessionTTL {
		return found
	}
	s.sessions.mu.Lock()
	delete(s.sessions.open, cookie.Value)
	s.sessions.mu.Unlock()
	return nil
}

// mayPlace counts a placement against the session's limit.
func (s *Server) mayPlace(found *session) bool {
	n := found.placements.Add(1)
	return s.cfg.SessionPlacements == 0 || n <= int64(s.cfg.SessionPlacements)
}

// EndSessions logs everyone out, as a restart of BeT does.
func (s *Server) EndSessions() {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	clear(s.sessions.open)
}

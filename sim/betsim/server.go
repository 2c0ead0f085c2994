package betsim

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// maxRequest bounds what is read of a request.
const maxRequest = 1 << 20

// Server is a simulated BeT. It is safe for concurrent use.
type Server struct {
	cfg      Config
	mux      *http.ServeMux
	sessions sessions
	book     book
	requests atomic.Uint64 // placements that came in, for their chance
	coupons  atomic.Uint64 // coupons placed, for their codes
	rounds   atomic.Uint64 // calls of Results, for their chance
	pushes   atomic.Uint64 // calls of Push, for their chance
	ends     atomic.Uint64 // requests on ended sessions, for their words
	// What is switched on while the server runs.
	forbidden, loginless atomic.Bool
	buffers              sync.Pool
	stats                struct{ logins, requests, placed, refused, unanswered atomic.Int64 }
}

// Stats are counts since the start.
type Stats struct {
	// Logins are attempts, Requests are calls to /bet/place/, whatever became of them.
	Logins, Requests int64
	// Placed are coupons taken, Unanswered those of them whose answer was kept back.
	Placed, Unanswered int64
	// Refused are placements that were answered with an error code.
	Refused int64
}

// New makes a server; mount it at the root of a listener.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg.withDefaults(), mux: http.NewServeMux()}
	s.sessions.open = map[string]*session{}
	s.buffers.New = func() any { return new([]byte) }
	s.mux.HandleFunc("POST "+pathLogin+"{$}", s.login)
	s.mux.HandleFunc("POST /bet/place/{$}", s.place)
	s.mux.HandleFunc("POST /loadbars/{$}", s.loadBars)
	return s
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.forbidden.Load() {
		if r.URL.Path == pathLogin {
			s.stats.logins.Add(1)
		}
		http.Error(w, "<html>Forbidden</html>", http.StatusForbidden)
		return
	}
	s.mux.ServeHTTP(w, r)
}

const pathLogin = "/WebServices/BCService.asmx/LogIn/"

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	return Stats{
		Logins:     s.stats.logins.Load(),
		Requests:   s.stats.requests.Load(),
		Placed:     s.stats.placed.Load(),
		Unanswered: s.stats.unanswered.Load(),
		Refused:    s.stats.refused.Load(),
	}
}

// write sends what build appends to an empty buffer, as JSON.
func (s *Server) write(w http.ResponseWriter, build func([]byte) []byte) {
	buffer := s.buffers.Get().(*[]byte)
	*buffer = build((*buffer)[:0])
	w.Header()["Content-Type"] = jsonContent
	_, _ = w.Write(*buffer) // a client that is gone is its own fault
	s.buffers.Put(buffer)
}

var jsonContent = []string{"application/json; charset=utf-8"}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler) // HTTP/2 has no connection to take over; this resets the stream
}

// wait pauses, at most until the client is gone.
func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

package api

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
)

// event is what a request's log line tells beyond its outcome. Handlers fill it in.
type event struct {
	caller string
	player uuid.NullUUID // of a token
	err    error         // behind an answer of 500 and above, or a stream that broke off
}

type eventKey struct{}

func eventOf(ctx context.Context) *event {
	if e, ok := ctx.Value(eventKey{}).(*event); ok {
		return e
	}
	return &event{}
}

// observe serves with next, writes one log line a request, and answers for what panics.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		e := &event{}
		r = r.WithContext(context.WithValue(r.Context(), eventKey{}, e))
		rec := &recorder{ResponseWriter: w, request: r}
		secure(w.Header())
		defer func() {
			cause := recover()
			if cause != nil && cause != http.ErrAbortHandler { //nolint:errorlint // a panic's value, not an error returned
				s.cfg.Log.ErrorContext(r.Context(), "panic", "cause", cause, "route", r.Pattern, "stack", string(debug.Stack()))
				if rec.status == 0 {
					newProblem(CodeInternal, "").write(rec)
					cause = nil
				}
			}
			s.log(r, rec.answered(), time.Since(started), e)
			if cause != nil {
				panic(http.ErrAbortHandler) // half an answer must not look like a whole one
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// secure sets the headers that an API's answers and pages need; a page loosens them for itself.
func secure(h http.Header) {
	h["X-Content-Type-Options"] = headerNoSniff
	h["X-Frame-Options"] = headerDeny
	h["Referrer-Policy"] = headerNoReferrer
	h["Content-Security-Policy"] = headerNoContent
	h["Cache-Control"] = headerNoStore
}

// Shared by all answers: the slices are never written to.
var (
	headerNoSniff    = []string{"nosniff"}
	headerDeny       = []string{"DENY"}
	headerNoReferrer = []string{"no-referrer"}
	headerNoContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	headerNoStore    = []string{"no-store"}
)

// log writes the request's line: no bearer, no body, no path with what is in it.
func (s *server) log(r *http.Request, status int, took time.Duration, e *event) {
	if s.cfg.Observe != nil {
		s.cfg.Observe(r.Pattern, status, took)
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError || e.err != nil {
		level = slog.LevelError
	}
	if !s.cfg.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 7)
	attrs = append(attrs, slog.String("method", r.Method), slog.String("route", r.Pattern),
		slog.Int("status", status), slog.Duration("took", took))
	if e.caller != "" {
		attrs = append(attrs, slog.String("caller", e.caller))
	}
	if e.player.Valid {
		attrs = append(attrs, slog.String("player_id", e.player.UUID.String()))
	}
	if e.err != nil {
		attrs = append(attrs, slog.Any("error", e.err))
	}
	s.cfg.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// recorder remembers the status, and answers with a problem where the router would answer in
// plain text: an unknown address, or a method it does not know.
type recorder struct {
	http.ResponseWriter
	request *http.Request
	status  int
	instead bool // a problem was written: the router's own text is thrown away
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status = status
	if w.request.Pattern == "" && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		w.instead = true
		unrouted(status).write(w.ResponseWriter)
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func unrouted(status int) *Problem {
	if status == http.StatusMethodNotAllowed {
		return newProblem(CodeMethodNotAllowed, "this address knows other methods")
	}
	return newProblem(CodeNotFound, "there is nothing at this address")
}

// Write implements io.Writer.
func (w *recorder) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if w.instead {
		return len(data), nil
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach what it needs.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// answered is the status as the client saw it.
func (w *recorder) answered() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

package console

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"evens/access"
)

// Part is one thing the process needs to be ready.
type Part struct {
	Name  string
	Check func(ctx context.Context) error
	// Known are errors whose own text may be told to anyone.
	Known []error
	// Advice, where it is not nil, says what an operator should change; the process is ready all the same.
	Advice func() string
}

// Config of the listener. All fields are required but what says otherwise.
type Config struct {
	Operators Operators
	Sessions  scs.Store
	Queue     *Dashboard
	Record    Record
	Callbacks Callbacks
	Support   *Support
	Metrics   http.Handler
	// MetricsToken is the bearer that /metrics asks for; none when empty.
	MetricsToken string
	Parts        []Part
	// Warnings are what the process's owner has allowed and should not forget. None is fine.
	Warnings []string
	Now      func() time.Time
	Log      *slog.Logger
}

// New returns the handler of the operators' listener.
func New(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", alive)
	mux.Handle("GET /readyz", ready(cfg.Parts, cfg.Warnings, cfg.Log))
	mux.Handle("GET /metrics", bearer(cfg.MetricsToken, cfg.Metrics))
	g := newGuard(cfg.Operators, cfg.Sessions, cfg.Now, cfg.Log)
	g.warnings = cfg.advice
	pages := http.NewServeMux()
	pages.HandleFunc("GET "+stylePath, showStyle)
	pages.HandleFunc("GET "+loginPath, g.loginPage)
	pages.HandleFunc("POST "+loginPath, g.login)
	pages.HandleFunc("POST /console/logout", g.logout)
	for _, route := range routes(cfg, g) {
		pages.Handle(route.pattern, g.needs(route.operation, route.handler))
	}
	mux.Handle(consolePath, http.NewCrossOriginProtection().Handler(g.sessions(pages)))
	mux.Handle("GET /{$}", http.RedirectHandler(consolePath, http.StatusFound))
	return secured(mux)
}

// advice is the warnings and what the parts say of themselves, for the first page.
func (cfg *Config) advice() []string {
	list := slices.Clone(cfg.Warnings)
	for _, part := range cfg.Parts {
		if part.Advice == nil {
			continue
		}
		if advice := part.Advice(); advice != "" {
			list = append(list, sentence(advice))
		}
	}
	return list
}

// guarded is a route that takes a login, and what it is in the permission table.
type guarded struct {
	pattern   string
	operation func(*http.Request) access.Operation
	handler   http.Handler
}

// routes is everything behind the login.
func routes(cfg Config, g *guard) []guarded {
	always := func(operation access.Operation) func(*http.Request) access.Operation {
		return func(*http.Request) access.Operation { return operation }
	}
	cfg.Support = cfg.Support.guarded(g)
	return []guarded{
		{"GET /console/{$}", always(access.ReadPages), http.HandlerFunc(g.home)},
		{"GET /console/players/{id}", always(access.ReadPages), http.HandlerFunc(cfg.Support.page)},
		{"GET /console/players/{id}/transactions.csv", always(access.ReadPages), http.HandlerFunc(cfg.Support.csv)},
		{"GET /console/callbacks/{id}", always(access.ReadCallbacks), callback(cfg.Callbacks)},
		{queuesPath + "/", queueOperation, queues(cfg.Queue, cfg.Record, cfg.Now, cfg.Log)},
	}
}

// secured sets the headers of every answer; a page that needs more of its browser says so itself.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// bearer asks for the token, where there is one.
func bearer(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(given))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="metrics"`)
			http.Error(w, "the metrics ask for their bearer token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// unwell is what is told of an error that is not Known.
const unwell = "not available: the log says why"

// state is what the listener tells of a part. It has no login, and what a driver says names its server, its
// user and its database: that is for the log.
func (p Part) state(ctx context.Context) (state string, err error) {
	if err := p.Check(ctx); err != nil {
		for _, known := range p.Known {
			if errors.Is(err, known) {
				return known.Error(), err
			}
		}
		return unwell, err
	}
	if p.Advice == nil {
		return "ok", nil
	}
	if advice := p.Advice(); advice != "" {
		return "ok, but " + advice, nil
	}
	return "ok", nil
}

const readyTimeout = 2 * time.Second

// ready answers 200 when every part answers, 503 otherwise, and says which. Warnings change nothing.
func ready(parts []Part, warnings []string, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Whoever asks may have closed its side already: that says nothing of the parts.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), readyTimeout)
		defer cancel()
		status, states := http.StatusOK, make(map[string]string, len(parts))
		for _, part := range parts {
			state, err := part.state(ctx)
			if err != nil {
				log.WarnContext(r.Context(), "not ready", "part", part.Name, "error", err)
				status = http.StatusServiceUnavailable
			}
			states[part.Name] = state
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		answer := map[string]any{"ready": status == http.StatusOK, "parts": states}
		if len(warnings) > 0 {
			answer["warnings"] = warnings
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
}

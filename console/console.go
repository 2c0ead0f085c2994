package console

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"evens/access"
)

// Part is one thing the process needs to be ready.
type Part struct {
	Name  string
	Check func(ctx context.Context) error
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
	Parts     []Part
	// Warnings are what the process's owner has allowed and should not forget. None is fine.
	Warnings []string
	Now      func() time.Time
	Log      *slog.Logger
}

// New returns the handler of the operators' listener.
func New(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", alive)
	mux.Handle("GET /readyz", ready(cfg.Parts, cfg.Warnings))
	mux.Handle("GET /metrics", cfg.Metrics)
	g := newGuard(cfg.Operators, cfg.Sessions, cfg.Log)
	g.warnings = cfg.Warnings
	pages := http.NewServeMux()
	pages.HandleFunc("GET "+loginPath, g.loginPage)
	pages.HandleFunc("POST "+loginPath, g.login)
	pages.HandleFunc("POST /console/logout", g.logout)
	for _, route := range routes(cfg, g) {
		pages.Handle(route.pattern, g.needs(route.operation, route.handler))
	}
	mux.Handle(consolePath, http.NewCrossOriginProtection().Handler(g.sessions(pages)))
	mux.Handle("GET /{$}", http.RedirectHandler(consolePath, http.StatusFound))
	return mux
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

func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

const readyTimeout = 2 * time.Second

// ready answers 200 when every part answers, 503 otherwise, and says which. Warnings change nothing.
func ready(parts []Part, warnings []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		status, states := http.StatusOK, make(map[string]string, len(parts))
		for _, part := range parts {
			states[part.Name] = "ok"
			if err := part.Check(ctx); err != nil {
				status, states[part.Name] = http.StatusServiceUnavailable, err.Error()
			}
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

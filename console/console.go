package console

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"github.com/hibiken/asynqmon"
	"github.com/redis/go-redis/v9"
)

// Authenticate answers whether an operator's email and password are right.
type Authenticate func(ctx context.Context, email, password string) (bool, error)

// Part is one thing the process needs to be ready.
type Part struct {
	Name  string
	Check func(ctx context.Context) error
}

// Config of the listener. All fields are required.
type Config struct {
	Authenticate Authenticate
	Queue        *Dashboard
	Callbacks    Callbacks
	Support      *Support
	Metrics      http.Handler
	Parts        []Part
	Log          *slog.Logger
}

// New returns the handler of the operators' listener.
func New(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", alive)
	mux.Handle("GET /readyz", ready(cfg.Parts))
	mux.Handle("GET /metrics", cfg.Metrics)
	guarded := guard(cfg.Authenticate, cfg.Log)
	mux.Handle("/console/queues/", http.NewCrossOriginProtection().Handler(guarded(cfg.Queue)))
	mux.Handle("GET /console/callbacks/{id}", guarded(callback(cfg.Callbacks)))
	mux.Handle("GET /console/players/{id}", guarded(http.HandlerFunc(cfg.Support.page)))
	mux.Handle("GET /console/players/{id}/transactions.csv", guarded(http.HandlerFunc(cfg.Support.csv)))
	mux.Handle("GET /console/{$}", http.RedirectHandler("/console/queues/", http.StatusFound))
	mux.Handle("GET /{$}", http.RedirectHandler("/console/queues/", http.StatusFound))
	return mux
}

func alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

const readyTimeout = 2 * time.Second

// ready answers 200 when every part answers, 503 otherwise, and says which.
func ready(parts []Part) http.Handler {
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
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": status == http.StatusOK, "parts": states})
	})
}

// guard lets operators through by basic authentication.
func guard(authenticate Authenticate, log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			email, password, given := r.BasicAuth()
			if given {
				known, err := authenticate(r.Context(), email, password)
				if err != nil {
					log.ErrorContext(r.Context(), "operator login", "error", err)
					http.Error(w, "the login could not be checked", http.StatusServiceUnavailable)
					return
				}
				if known {
					next.ServeHTTP(w, r)
					return
				}
				log.WarnContext(r.Context(), "operator login refused", "source", r.RemoteAddr)
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="Evens", charset="UTF-8"`)
			http.Error(w, "an operator's email and password are needed", http.StatusUnauthorized)
		})
	}
}

// Dashboard is the queue dashboard (asynqmon), which has no login of its own.
type Dashboard struct{ *asynqmon.HTTPHandler }

// NewDashboard returns the dashboard, to be mounted at /console/queues/.
func NewDashboard(rdb redis.UniversalClient) *Dashboard {
	return &Dashboard{asynqmon.New(asynqmon.Options{RootPath: "/console/queues", RedisConnOpt: connection{rdb}})}
}

// connection hands asynq our own client, whose retries are off.
type connection struct{ rdb redis.UniversalClient }

// MakeRedisClient implements asynq.RedisConnOpt.
func (c connection) MakeRedisClient() any { return c.rdb }

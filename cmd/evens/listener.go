package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"evens/internal/download"
	"evens/internal/listen"
	"evens/internal/source"
)

// How long a listener waits: for a slow client, for a body, for an answer to be taken, and at the end for
// answers under way. Streams lift the times of reading and writing for themselves. An answer has more
// time than its body had to arrive and its commit to be made.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 45 * time.Second
	idleTimeout   = time.Minute
	drainTimeout  = 15 * time.Second
	largestHeader = 32 << 10
)

// listener is one of our two.
type listener struct {
	name, address     string
	certFile, keyFile string // both empty: no TLS
}

// publicName is the public listener's.
const publicName = "api"

func (s *system) public() listener {
	return listener{publicName, s.cfg.Listen, s.cfg.TLSCertFile, s.cfg.TLSKeyFile}
}

func (s *system) ops() listener {
	return listener{"ops", s.cfg.OpsListen, s.cfg.OpsTLSCertFile, s.cfg.OpsTLSKeyFile}
}

// serve listens until ctx ends, then lets the answers under way go out.
func (s *system) serve(ctx context.Context, at listener, handler http.Handler) error {
	socket, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at.address)
	if err != nil {
		return fmt.Errorf("%s listener: %w", at.name, err)
	}
	return s.serveOn(ctx, at, socket, handler)
}

// guarded is a socket within its bounds, and with TLS where there is a certificate.
func (s *system) guarded(at listener, socket net.Listener) (net.Listener, error) {
	bounded := listen.NewBounded(socket, listen.Bounds{
		Total: s.cfg.Connections, PerSource: s.cfg.ConnectionsPerSource, Exempt: s.settings.proxies,
	})
	s.metrics.Read("evens_connections_refused_"+at.name+"_total", "Connections closed at once: there were too many, overall or from one source.",
		func() float64 { return float64(bounded.Refused()) })
	if at.certFile == "" {
		return bounded, nil
	}
	certificate, err := listen.ReadCertificate(at.certFile, at.keyFile, s.log)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(bounded, certificate.Config()), nil
}

// panics has a fault of ours stand in the log, and the call cut off: half an answer must not look like a whole one.
func (s *system) panics(listener string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause != http.ErrAbortHandler { //nolint:errorlint // a panic's value, not an error returned
				s.log.ErrorContext(r.Context(), "panic", "listener", listener, "method", r.Method, "cause", cause, "stack", string(debug.Stack()))
			}
			panic(http.ErrAbortHandler)
		}()
		next.ServeHTTP(w, r)
	})
}

func (s *system) serveOn(ctx context.Context, at listener, socket net.Listener, handler http.Handler) error {
	guarded, err := s.guarded(at, socket)
	if err != nil {
		return fmt.Errorf("%s listener: %w", at.name, errors.Join(err, socket.Close()))
	}
	server := &http.Server{
		Handler:           listen.CloseFaulty(source.Proxies(s.settings.proxies).Handler(download.Whole(s.panics(at.name, handler), s.log))),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    largestHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // what strangers do to a connection
	}
	server.RegisterOnShutdown(s.endStreams)
	stopped := make(chan error, 1)
	go func() { stopped <- server.Serve(guarded) }()
	s.log.Info("listening", "listener", at.name, "address", socket.Addr().String(), "tls", at.certFile != "")
	select {
	case err := <-stopped:
		return fmt.Errorf("%s listener: %w", at.name, err)
	case <-ctx.Done():
	}
	if at.name == publicName {
		s.endPlacing()
	}
	// With what placements may take it is seven eighths of the time promised.
	drain, cancel := context.WithTimeout(context.Background(), min(drainTimeout, s.cfg.StopTimeout*3/8))
	defer cancel()
	if err := server.Shutdown(drain); err != nil {
		return fmt.Errorf("drain the %s listener: %w", at.name, errors.Join(err, server.Close()))
	}
	return nil
}

package bet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Paths under Config.URL (seed 003; loadbars: providers 5.1).
const (
	pathLogin = "/WebServices/BCService.asmx/LogIn/"
	pathPlace = "/bet/place/"
	pathRead  = "/loadbars/"
)

// Client talks to BeT as one partner user. It is safe for concurrent use; all callers share
// one session, one connection pool and one circuit breaker.
type Client struct {
	base            string
	login, password string
	timeout         time.Duration
	transport       http.RoundTripper
	breaker         *gobreaker.CircuitBreaker[struct{}]
	sessions        *keeper
	observe         func(call, outcome string, took time.Duration)
	log             *slog.Logger
	now             func() time.Time
}

// New makes a client. It opens no connection: the first call looks for a kept session, and logs
// in when there is none. Errors are faults of the configuration.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.prepare()
	if err != nil {
		return nil, fmt.Errorf("configure bet client: %w", err)
	}
	seal, err := newSealer(cfg.Password, cfg.URL+"\n"+cfg.Login)
	if err != nil {
		return nil, fmt.Errorf("configure bet client: %w", err)
	}
	c := &Client{
		base:      cfg.URL,
		login:     cfg.Login,
		password:  cfg.Password,
		timeout:   cfg.Timeout,
		transport: cfg.Transport,
		observe:   cfg.Observe,
		log:       cfg.Log,
		now:       cfg.Now,
	}
	c.breaker = newBreaker(cfg.Breaker, cfg.Log)
	c.sessions = &keeper{
		logIn: c.logIn,
		vault: vault{store: cfg.Sessions, seal: seal, timeout: cfg.Timeout, now: cfg.Now, log: cfg.Log},
	}
	return c, nil
}

func newBreaker(cfg BreakerConfig, log *slog.Logger) *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         "bet",
		MaxRequests:  1,
		Timeout:      cfg.OpenFor,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= cfg.Failures },
		IsSuccessful: answered,
		// A caller that gives up says nothing about BeT.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			log.Warn("bet circuit breaker changed", "from", from.String(), "to", to.String())
		},
	})
}

// answered reports whether a call's error is BeT speaking, as opposed to BeT in trouble.
func answered(err error) bool {
	if err == nil || errors.Is(err, errSession) || errors.Is(err, ErrLogin) {
		return true
	}
	rejection, ok := errors.AsType[*Rejection](err)
	return ok && rejection.HTTPStatus != 0
}

// guard runs one call behind the breaker. While that is open the call is not made, and the error
// is gobreaker's.
func (c *Client) guard(call func() error) error {
	_, err := c.breaker.Execute(func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// breakerOpen reports whether guard did not make the call at all.
func breakerOpen(err error) bool {
	return errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)
}

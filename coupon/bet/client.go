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

// Provider is BeT's name among the providers: in the tables, in the contract, in settings.
const Provider = "bet"

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
	placing         breaker
	reading         breaker
	loggingIn       breaker
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
	owner := cfg.URL + "\n" + cfg.Login
	seal, err := newSealer(cfg.Password, owner)
	if err != nil {
		return nil, fmt.Errorf("configure bet client: %w", err)
	}
	key, err := credentialsKey(cfg.Password, owner)
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
	c.placing = newBreaker("place", cfg.Breaker, cfg.Log)
	c.reading = newBreaker("read", cfg.Breaker, cfg.Log)
	c.loggingIn = newBreaker("login", cfg.Breaker, cfg.Log)
	local := &memory{now: cfg.Now}
	c.sessions = &keeper{
		logIn: c.logIn, key: key, claimFor: loginAttempts*cfg.Timeout + 5*time.Second, now: cfg.Now,
		vault: vault{store: cfg.Sessions, memory: local, seal: seal, timeout: cfg.Timeout, now: cfg.Now, log: cfg.Log},
	}
	if cfg.Sessions == nil {
		c.sessions.vault.store = local
	}
	return c, nil
}

// breaker stops calls of one kind while BeT is in trouble with them: that BeT answers logins or
// reads, or does not, says nothing about placements.
type breaker struct {
	*gobreaker.CircuitBreaker[struct{}]
}

func newBreaker(name string, cfg BreakerConfig, log *slog.Logger) breaker {
	return breaker{gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:         name,
		MaxRequests:  1,
		Timeout:      cfg.OpenFor,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= cfg.Failures },
		IsSuccessful: answered,
		// A caller that gives up says nothing about BeT, nor does what a session that is no more is
		// answered.
		IsExcluded: func(err error) bool {
			return errors.Is(err, context.Canceled) || errors.Is(err, errOldSession)
		},
		OnStateChange: func(name string, from, to gobreaker.State) {
			log.Warn("bet circuit breaker changed", "breaker", name, "from", from.String(), "to", to.String())
		},
	})}
}

// errOldSession marks an answer that came on a session which another call had dropped meanwhile.
var errOldSession = errors.New("answered on an old session")

// answered reports whether a call's error is BeT speaking, as opposed to BeT in trouble.
func answered(err error) bool {
	if err == nil || errors.Is(err, errSession) || errors.Is(err, ErrLogin) {
		return true
	}
	if unknown, ok := errors.AsType[*UnknownError](err); ok {
		return bespoke(unknown)
	}
	rejection, ok := errors.AsType[*Rejection](err)
	return ok && rejection.HTTPStatus != 0
}

// guard runs one call, unless the breaker is open: then the error is gobreaker's.
func (b breaker) guard(call func() error) error {
	_, err := b.Execute(func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// breakerOpen reports whether guard did not make the call at all.
func breakerOpen(err error) bool {
	return errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)
}

package bet

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config is what a [Client] needs. URL, Login and Password are required.
type Config struct {
	// URL is HOST_API: http or https, a host, perhaps a path; no credentials, query or fragment.
	URL             string
	Login, Password string

	// Timeout bounds each single call, answer included. 0 means 5 s.
	Timeout time.Duration
	// Transport sends the requests. nil means one of our own. A transport that repeats requests
	// by itself breaks the promise to place once.
	Transport http.RoundTripper
	// Sessions shares the session between processes; nil means that each process logs in.
	Sessions SessionStore
	Breaker  BreakerConfig

	// Observe is told of every call when it ends, nil means nobody is. Calls and outcomes are
	// few and fixed, fit for metric labels:
	//
	//	login | ok, refused, error
	//	place | accepted, rejected, unknown
	//	read  | ok, error
	Observe func(call, outcome string, took time.Duration)
	// Log gets logins, lost sessions and unknown outcomes; nil means nothing is logged.
	Log *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// BreakerConfig says when to stop calling BeT for a while. Only trouble counts: no connection,
// no answer in time, 5xx, answers without a bet code or an error. Refusals, however many, do not,
// nor do answers that name a bet code and cannot be taken as they are. Logins, placements
// and reads have a breaker each.
type BreakerConfig struct {
	// Failures in a row open the breaker. 0 means 5.
	Failures uint32
	// OpenFor is how long it stays open before one call may try. 0 means 10 s.
	OpenFor time.Duration
}

// prepare checks the configuration, all problems in one error, and fills in the defaults.
func (c Config) prepare() (Config, error) {
	var problems []error
	if err := checkURL(c.URL); err != nil {
		problems = append(problems, err)
	}
	if c.Login == "" {
		problems = append(problems, errors.New("no login"))
	}
	if c.Password == "" {
		problems = append(problems, errors.New("no password"))
	}
	if c.Timeout < 0 || c.Breaker.OpenFor < 0 {
		problems = append(problems, errors.New("negative duration"))
	}
	if err := errors.Join(problems...); err != nil {
		return Config{}, err
	}
	c.URL = strings.TrimRight(c.URL, "/")
	c.Timeout = cmp.Or(c.Timeout, 5*time.Second)
	c.Breaker.Failures = cmp.Or(c.Breaker.Failures, 5)
	c.Breaker.OpenFor = cmp.Or(c.Breaker.OpenFor, 10*time.Second)
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	if c.Observe == nil {
		c.Observe = func(string, string, time.Duration) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// checkURL does not quote the URL: where it is wrong it may hold credentials.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return errors.New("url is not a URL")
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return errors.New("url wants http or https and a host")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("url wants no credentials, query or fragment (host %s)", u.Host)
	}
	return nil
}

package bet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrLogin says that BeT does not take our login and password.
var ErrLogin = errors.New("bet login refused")

// loginAttempts is how often a login is tried when BeT is in trouble. A refused one is final.
const loginAttempts = 2

// logIn opens a session. Errors are ErrLogin, the breaker's, or what went wrong on the way.
func (c *Client) logIn(ctx context.Context) (*session, error) {
	for attempt := 1; ; attempt++ {
		s, err := c.logInOnce(ctx)
		if err == nil || errors.Is(err, ErrLogin) || breakerOpen(err) || attempt == loginAttempts {
			return s, err
		}
		c.log.Warn("bet login did not work, trying again", "error", err)
	}
}

func (c *Client) logInOnce(ctx context.Context) (*session, error) {
	payload, err := json.Marshal(map[string]string{"login": c.login, "password": c.password})
	if err != nil {
		return nil, fmt.Errorf("write bet login: %w", err)
	}
	start := c.now()
	s := &session{cookies: newJar(c.now)}
	err = c.loggingIn.guard(func() error {
		r, err := c.exchange(ctx, pathLogin, payload, s.cookies)
		if err != nil {
			return fmt.Errorf("bet login: %w", err)
		}
		return judgeLogin(r)
	})
	outcome := "ok"
	switch {
	case errors.Is(err, ErrLogin):
		outcome = "refused"
	case err != nil:
		outcome = "error"
	}
	c.observe("login", outcome, c.now().Sub(start))
	if err != nil {
		return nil, err
	}
	c.log.Info("logged in to bet", "cookies", len(s.cookies.kept))
	return s, nil
}

// judgeLogin reads {"d":{"UserId":"1344225"}}. {"d":{}} is how BeT says no, with HTTP 200.
func judgeLogin(r reply) error {
	switch {
	case r.status >= 400 && r.status < 500 && r.status != 408 && r.status != 429:
		return fmt.Errorf("%w: HTTP %d", ErrLogin, r.status)
	case r.status != 200:
		return fmt.Errorf("bet login: HTTP %d", r.status)
	case r.bodyErr != nil:
		return fmt.Errorf("read bet login: %w", r.bodyErr)
	}
	var wire struct {
		D json.RawMessage `json:"d"`
	}
	if _, err := decode(r.body, &wire, nil, "d"); err != nil {
		return fmt.Errorf("read bet login: %w", err)
	}
	var user struct {
		ID text `json:"UserId"`
	}
	if json.Unmarshal(wire.D, &user) != nil || user.ID == "" || user.ID == "0" {
		return ErrLogin
	}
	return nil
}

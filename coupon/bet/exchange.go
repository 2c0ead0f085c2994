package bet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	// maxBody is how much of an answer is read. BeT's largest are a few KiB.
	maxBody = 1 << 20
	// idleTimeout is how long an unused connection is kept. It is shorter than any server's
	// usual keep-alive (5 s and more), because a placement on a connection that BeT is just
	// closing cannot be told from one that BeT has read.
	idleTimeout = 3 * time.Second
	// idlePerHost keeps a connection for each of many concurrent placements.
	idlePerHost = 64
)

var errTooLarge = errors.New("answer larger than 1 MiB")

// reply is an answer's status line and body, whatever they say.
type reply struct {
	status   int
	location string
	// setsCookies tells that it changes the session's cookies.
	setsCookies bool
	// body is what could be read; bodyErr says why there is not more.
	body    []byte
	bodyErr error
}

// lostError says that a request got no answer.
type lostError struct {
	// sent is false only when the request provably never reached a connection.
	sent bool
	err  error
}

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// exchange posts a JSON payload and reads the answer, all within the client's timeout. Its
// only error is a *lostError. It sends at most once and follows no redirect.
func (c *Client) exchange(ctx context.Context, path string, payload []byte, cookies *jar) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var line tracker
	req, err := http.NewRequestWithContext(line.trace(ctx), http.MethodPost, c.base+path, bytes.NewReader(payload))
	if err != nil {
		return reply{}, &lostError{err: fmt.Errorf("make request: %w", err)}
	}
	// Without it the transport has no means to send the body a second time by itself.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")

	for _, cookie := range cookies.cookies(req.URL) {
		req.AddCookie(cookie)
	}

	// The client has no jar of its own: http.Client would not show ours the answer's date.
	client := http.Client{Transport: c.transport, CheckRedirect: stay}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, &lostError{sent: line.maySend(), err: err}
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, location: resp.Header.Get("Location")}
	if set := resp.Cookies(); len(set) > 0 {
		date, _ := http.ParseTime(resp.Header.Get("Date")) // zero where there is none
		cookies.take(req.URL, set, date)
		r.setsCookies = true
	}
	r.body, r.bodyErr = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if len(r.body) > maxBody {
		r.body, r.bodyErr = r.body[:maxBody], errTooLarge
	}
	return r, nil
}

// stay makes a redirect an answer like any other.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// tracker watches how far a request got.
//
// The border is the connection: the transport writes from a goroutine of its own, which may
// still write after the call has returned with an error, so "no header written yet" proves
// nothing. Nor does silence: a round tripper that does not trace counts as having sent.
type tracker struct {
	asked, connected atomic.Bool
}

func (t *tracker) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { t.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { t.connected.Store(true) },
	})
}

// maySend reports whether bytes of the request may have left.
func (t *tracker) maySend() bool { return !t.asked.Load() || t.connected.Load() }

// newTransport is the default transport: the standard one, with its pool sized for placements.
func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = idlePerHost
	t.IdleConnTimeout = idleTimeout
	return t
}

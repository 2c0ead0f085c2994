package casino

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Remote calls a platform's own API. It is safe for concurrent use.
type Remote struct {
	base   string
	client *http.Client
}

// LargestAnswer bounds what is read of a platform's answer: catalogues are large.
const LargestAnswer = 32 << 20

const remoteTimeout = 5 * time.Second

// NewRemote returns the way to the API at base. timeout bounds one call; 5 s when zero.
func NewRemote(base string, timeout time.Duration) *Remote {
	if timeout <= 0 {
		timeout = remoteTimeout
	}
	return &Remote{base: strings.TrimRight(base, "/"), client: &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Ask is one call to a platform.
type Ask struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte // JSON
}

// Answer is what a platform said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do asks and reads the whole answer. An error is ErrUnavailable, and shows neither the query nor
// the headers: they carry secrets.
func (r *Remote) Do(ctx context.Context, ask Ask) (Answer, error) {
	address := r.base + ask.Path
	if len(ask.Query) > 0 {
		address += "?" + ask.Query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, ask.Method, address, bytes.NewReader(ask.Body))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %s %s cannot be asked", ErrUnavailable, ask.Method, ask.Path)
	}
	if ask.Header != nil {
		request.Header = ask.Header.Clone()
	}
	if ask.Body != nil && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := r.client.Do(request)
	if err != nil {
		if cause, ok := errors.AsType[*url.Error](err); ok {
			err = cause.Err // without the address
		}
		return Answer{}, fmt.Errorf("%w: %s %s: %w", ErrUnavailable, ask.Method, ask.Path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, LargestAnswer+1))
	if err == nil && len(body) > LargestAnswer {
		err = errors.New("the answer is too large")
	}
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %s %s: %w", ErrUnavailable, ask.Method, ask.Path, err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// Bearer keeps a token that a platform gives for a time. It is safe for concurrent use.
type Bearer struct {
	// Fetch asks for a new token and how long it lives.
	Fetch func(ctx context.Context) (token string, ttl time.Duration, err error)

	turn  sync.Mutex // held by whoever fetches
	mu    sync.Mutex
	token string
	until time.Time
}

// bearerMargin is how long before its end a token is replaced.
const bearerMargin = time.Minute

// Token returns a token that lives for a while yet. Callers of the same moment share one question.
func (b *Bearer) Token(ctx context.Context, now time.Time) (string, error) {
	if token, ok := b.kept(now); ok {
		return token, nil
	}
	b.turn.Lock()
	defer b.turn.Unlock()
	if token, ok := b.kept(now); ok {
		return token, nil
	}
	token, ttl, err := b.Fetch(ctx)
	if err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.token, b.until = token, now.Add(ttl-min(bearerMargin, ttl/2))
	return token, nil
}

func (b *Bearer) kept(now time.Time) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.token, b.token != "" && now.Before(b.until)
}

// Drop forgets a token that the platform does not take any more.
func (b *Bearer) Drop(token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.token == token {
		b.token = ""
	}
}

// WithBearer asks with the token, and once more with a new one where the platform answers 401.
func (r *Remote) WithBearer(ctx context.Context, bearer *Bearer, now time.Time, ask Ask) (Answer, error) {
	for try := 0; ; try++ {
		token, err := bearer.Token(ctx, now)
		if err != nil {
			return Answer{}, err
		}
		with := ask
		with.Header = ask.Header.Clone()
		if with.Header == nil {
			with.Header = make(http.Header)
		}
		with.Header.Set("Authorization", "Bearer "+token)
		answer, err := r.Do(ctx, with)
		if err != nil || answer.Status != http.StatusUnauthorized || try > 0 {
			return answer, err
		}
		bearer.Drop(token)
	}
}

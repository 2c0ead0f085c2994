package demo_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// line is a reverse proxy between the page and Evens that a test can spoil.
type line struct {
	url, target string
	// swallow takes event streams: the page gets nothing of them, not even the headers.
	swallow atomic.Bool
	// dead lets event streams be open without passing anything on.
	dead atomic.Bool
	// next is what becomes of the next placement.
	next atomic.Pointer[fault]
	// hideCoupons has the list of coupons empty, and no stream tells of one.
	hideCoupons atomic.Bool
	// streams counts event streams that are open, opened those that ever were.
	streams, opened atomic.Int32
	// placed counts placements that came.
	placed atomic.Int32

	passing sync.WaitGroup
}

func spoil(t *testing.T, h house) *line {
	t.Helper()
	target, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{target: h.url}
	stop := make(chan struct{})
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case l.hideCoupons.Load() && r.Method == http.MethodGet && r.URL.Path == "/v1/coupons":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"items":[],"next_cursor":null}`)
		case r.URL.Path == "/v1/events":
			l.stream(forward, w, r, stop)
		case r.Method == http.MethodPost && r.URL.Path == "/v1/coupons":
			l.placed.Add(1)
			l.place(forward, w, r, stop)
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	l.url = server.URL
	t.Cleanup(l.passing.Wait)
	t.Cleanup(server.Close)
	t.Cleanup(sync.OnceFunc(func() { close(stop) }))
	return l
}

func (l *line) stream(next http.Handler, w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {
	if l.swallow.Load() {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
		return
	}
	l.streams.Add(1)
	l.opened.Add(1)
	defer l.streams.Add(-1)
	next.ServeHTTP(sieve{w, l}, r)
}

// sieve passes on what the line lets through of a stream.
type sieve struct {
	http.ResponseWriter
	line *line
}

// Write implements http.ResponseWriter.
func (s sieve) Write(p []byte) (int, error) {
	if s.line.dead.Load() || s.line.hideCoupons.Load() && bytes.Contains(p, []byte("event: coupon")) {
		return len(p), nil
	}
	return s.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (s sieve) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// fault is what becomes of a placement on a bad line. Its answer never comes, or half of it.
type fault struct {
	silent bool            // the line stays open
	until  <-chan struct{} // not nil: the order reaches Evens only then
	done   chan struct{}   // not nil: is closed when Evens has answered
}

func (l *line) place(next http.Handler, w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {
	f := l.next.Swap(nil)
	if f == nil {
		next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	header := r.Header.Clone()
	pass := func() {
		if f.done != nil {
			defer close(f.done)
		}
		if f.until != nil {
			select {
			case <-f.until:
			case <-stop:
				return
			}
		}
		again, err := http.NewRequestWithContext(context.Background(), r.Method, l.target+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			return
		}
		again.Header = header
		if answer, err := http.DefaultClient.Do(again); err == nil {
			_ = answer.Body.Close()
		}
	}
	if f.until != nil {
		l.passing.Go(pass)
	} else {
		pass()
	}
	if f.silent {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
		return
	}
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"id":`)
	_ = http.NewResponseController(w).Flush() // a browser that got nothing at all would ask again by itself
	panic(http.ErrAbortHandler)
}

// by is the visitor at an address of the line.
func (l *line) by(v visitor) visitor {
	v.link = strings.Replace(v.link, l.target, l.url, 1)
	return v
}

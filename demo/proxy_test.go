package demo_test

import (
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
	url string
	// swallow takes event streams: the page gets nothing of them, not even the headers.
	swallow atomic.Bool
	// dead lets event streams be open without passing anything on.
	dead atomic.Bool
	// lose has the next placement done, and its answer cut off half-way; silent has it never answered.
	lose, silent atomic.Bool
	// late has the next placement passed on only when the channel closes; its answer is lost.
	late atomic.Pointer[chan struct{}]
	// away answers nothing but the page itself.
	away atomic.Bool
	// streams counts event streams that are open, opened those that ever were.
	streams, opened atomic.Int32
	// placed counts placements that came.
	placed atomic.Int32
}

func spoil(t *testing.T, h house) *line {
	t.Helper()
	target, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{}
	stop := make(chan struct{})
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case l.away.Load() && strings.HasPrefix(r.URL.Path, "/v1/"):
			panic(http.ErrAbortHandler)
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
	next.ServeHTTP(deadening{w, &l.dead}, r)
}

// deadening passes on what is written until the line is dead.
type deadening struct {
	http.ResponseWriter
	dead *atomic.Bool
}

// Write implements http.ResponseWriter.
func (d deadening) Write(p []byte) (int, error) {
	if d.dead.Load() {
		return len(p), nil
	}
	return d.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (d deadening) Unwrap() http.ResponseWriter { return d.ResponseWriter }

func (l *line) place(next http.Handler, w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {
	lose, silent, late := l.lose.Swap(false), l.silent.Swap(false), l.late.Swap(nil)
	if !lose && !silent && late == nil {
		next.ServeHTTP(w, r)
		return
	}
	r = r.Clone(noCancel{r.Context()})
	if late != nil {
		body := new(strings.Builder)
		buffer := make([]byte, 4096)
		for {
			n, err := r.Body.Read(buffer)
			body.Write(buffer[:n])
			if err != nil {
				break
			}
		}
		w.Header().Set("Content-Length", "1000")
		w.WriteHeader(http.StatusCreated)
		_ = http.NewResponseController(w).Flush() // a browser that got nothing at all would ask again by itself
		go func() {
			select {
			case <-*late:
			case <-stop:
			}
			r.Body = http.NoBody
			again, err := http.NewRequestWithContext(noCancel{r.Context()}, r.Method, r.URL.String(), strings.NewReader(body.String()))
			if err != nil {
				panic(err)
			}
			again.Header = r.Header
			next.ServeHTTP(httptest.NewRecorder(), again)
		}()
		panic(http.ErrAbortHandler)
	}
	next.ServeHTTP(httptest.NewRecorder(), r)
	if silent {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
		return
	}
	w.Header().Set("Content-Length", "1000")
	w.WriteHeader(http.StatusCreated)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

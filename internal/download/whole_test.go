package download

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// answered is an answer that was read to its end.
type answered struct {
	status int
	length int64 // as its header says
	header http.Header
	body   string
}

// ask10 asks over HTTP/1.0, as nginx does unless it is told otherwise.
func ask10(t *testing.T, server *httptest.Server, path string) answered {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: x\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return answered{response.StatusCode, response.ContentLength, response.Header, string(data)}
}

// rows are lines of about 60 bytes, and an error at last where there is one.
func rows(n int, err error) iter.Seq2[[]string, error] {
	return func(yield func([]string, error) bool) {
		for i := range n {
			if !yield([]string{fmt.Sprint(i), strings.Repeat("x", 50)}, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func serveWhole(t *testing.T, largest int64) *httptest.Server {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int
		var err error
		switch r.URL.Path {
		case "/short":
			n = 3
		case "/long":
			n = 150_001
		case "/short-cut":
			n, err = 3, errors.New("the database is away")
		case "/cut":
			n, err = 150_001, errors.New("the database is away")
		case "/none":
			w.WriteHeader(http.StatusNoContent)
			return
		case "/nothing":
			return
		case "/text":
			http.Error(w, "no such thing", http.StatusNotFound)
			return
		case "/panic":
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		case "/stream":
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, "data: 1\n\n")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
			return
		}
		if begun, err := CSV(w, "x.csv", []string{"n", "note"}, rows(n, err)); begun && err != nil {
			panic(http.ErrAbortHandler)
		}
	})
	server := httptest.NewServer(newWhole(handler, slog.New(slog.DiscardHandler), largest))
	t.Cleanup(server.Close)
	return server
}

// Over HTTP/1.0 a file is whole and says how long it is, or it is an error and no file.
func TestHalfAFileIsNone(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	server := serveWhole(t, largestFile)
	for path, lines := range map[string]int{"/short": 4, "/long": 150_002} {
		got := ask10(t, server, path)
		if got.status != http.StatusOK || got.length != int64(len(got.body)) || strings.Count(got.body, "\n") != lines {
			t.Errorf("%s: %d, Content-Length %d, %d bytes, %d lines", path, got.status, got.length, len(got.body), strings.Count(got.body, "\n"))
		}
		if got.header.Get("Content-Disposition") == "" || !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") {
			t.Errorf("%s: headers %v", path, got.header)
		}
	}
	for _, path := range []string{"/short-cut", "/cut", "/panic"} {
		got := ask10(t, server, path)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" ||
			got.header.Get("Content-Disposition") != "" || !strings.Contains(got.body, `"unavailable"`) || strings.Contains(got.body, "xxx") {
			t.Errorf("%s: %d %v %.200s", path, got.status, got.header, got.body)
		}
	}
	for path, status := range map[string]int{"/none": http.StatusNoContent, "/nothing": http.StatusOK, "/text": http.StatusNotFound} {
		if got := ask10(t, server, path); got.status != status || got.length != int64(len(got.body)) {
			t.Errorf("%s: %d, Content-Length %d, body %q", path, got.status, got.length, got.body)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Later versions tell a part from the whole by themselves: nothing is kept.
func TestLaterHTTPStreams(t *testing.T) {
	t.Parallel()
	server := serveWhole(t, 1)
	response, err := http.Get(server.URL + "/long")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || bytes.Count(body, []byte("\n")) != 150_002 || response.ContentLength != -1 {
		t.Errorf("%d lines, %v, Content-Length %d", bytes.Count(body, []byte("\n")), err, response.ContentLength)
	}
	response, err = http.Get(server.URL + "/cut")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a file ends with %v", err)
	}
}

func TestAnswersTooLongOrTooManyAreRefused(t *testing.T) {
	t.Parallel()
	small := serveWhole(t, 1000)
	if got := ask10(t, small, "/long"); got.status != http.StatusServiceUnavailable {
		t.Errorf("too long: %d", got.status)
	}
	if got := ask10(t, small, "/short"); got.status != http.StatusOK {
		t.Errorf("short: %d", got.status)
	}
	k := &keeper{files: make(chan struct{})}
	if err := k.open(); !errors.Is(err, errFiles) {
		t.Errorf("one file too many: %v", err)
	}
}

func TestStreamsAreNotKept(t *testing.T) {
	t.Parallel()
	server := serveWhole(t, largestFile)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /stream HTTP/1.0\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("the stream does not flow: %v", err)
		}
		if line == "data: 1\n" {
			return
		}
	}
}

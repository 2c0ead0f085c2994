package main

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"evens/internal/testbed/testlog"
)

// A fault of ours is in the log as an error, without the path, in which a secret may be; the call is cut off, and
// the next one answered.
func TestAPanicStandsInTheLog(t *testing.T) {
	t.Parallel()
	var log testlog.Buffer
	s := &system{log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))}
	server := httptest.NewServer(s.panics("api", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/secret/fault":
			panic(errors.New("an index that is not there"))
		case "/hung-up":
			panic(http.ErrAbortHandler)
		}
	})))
	defer server.Close()
	for path, cut := range map[string]bool{"/secret/fault": true, "/hung-up": true, "/": false} {
		response, err := server.Client().Post(server.URL+path, "", nil) // which no client sends again by itself
		if err == nil {
			_ = response.Body.Close()
		}
		if (err != nil) != cut {
			t.Errorf("%s: %v", path, err)
		}
	}
	text := log.String()
	if strings.Count(text, "msg=panic") != 1 || !strings.Contains(text, "an index that is not there") || !strings.Contains(text, "listener_test.go") {
		t.Errorf("the log has %s", text)
	}
	if strings.Contains(text, "/secret/") {
		t.Errorf("the log has the path: %s", text)
	}
}

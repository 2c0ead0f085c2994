package casinotest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"evens/internal/callbacks"
)

// Answer is what a platform's call was answered with.
type Answer struct {
	Status   int
	Body     string
	Callback uuid.UUID // the id of its record
}

// Post calls as a platform does.
func Post(t TB, url string, header map[string]string, body []byte) Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("call %s: %v", url, err)
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("call %s: %v", url, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("call %s: %v", url, err)
	}
	id, _ := uuid.Parse(response.Header.Get("X-Callback-Id")) // a test that needs it looks at it
	return Answer{Status: response.StatusCode, Body: string(text), Callback: id}
}

// Record waits for the record of a callback, which is written behind the caller's back.
func (h *Hall) Record(t TB, id uuid.UUID) callbacks.Record {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		record, err := callbacks.Read(context.WithoutCancel(t.Context()), h.DB, id)
		if err == nil {
			return record
		}
		if time.Now().After(deadline) {
			t.Fatalf("the record of callback %s: %v", id, err)
		}
	}
}

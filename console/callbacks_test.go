package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/internal/callbacks"
)

func TestCallbackForSupport(t *testing.T) {
	t.Parallel()
	known, broken := uuid.New(), uuid.New()
	transaction := uuid.New()
	server := serve(t, Config{Callbacks: func(_ context.Context, id uuid.UUID) (callbacks.Record, error) {
		switch id {
		case known:
			return callbacks.Record{
				ID: id, Provider: "tg", Path: "/casino/tg", Source: "192.0.2.1", Body: []byte("\xff<"), Plain: []byte(`{"action":"balance"}`),
				Status: 200, Answer: []byte(`{"status":"0000"}`), Code: "ok", Took: 1500 * time.Microsecond,
				Transaction: uuid.NullUUID{UUID: transaction, Valid: true},
			}, nil
		case broken:
			return callbacks.Record{}, errors.New("the database is away")
		}
		return callbacks.Record{}, callbacks.ErrUnknown
	}})
	for id, want := range map[string]int{known.String(): 200, uuid.NewString(): 404, "x": 404, broken.String(): 503} {
		if status, body := get(t, server.URL+"/console/callbacks/"+id, "ops@example.com", "correct horse"); status != want {
			t.Errorf("%s: %d %s, want %d", id, status, body, want)
		}
	}
	if status, body := get(t, server.URL+"/console/callbacks/"+known.String(), "", ""); status != http.StatusUnauthorized || strings.Contains(body, "tg") {
		t.Errorf("without a login: %d %s", status, body)
	}
	_, body := get(t, server.URL+"/console/callbacks/"+known.String(), "ops@example.com", "correct horse")
	var view CallbackView
	if err := json.Unmarshal([]byte(body), &view); err != nil {
		t.Fatal(err)
	}
	if !view.BodyBase64 || view.Body != "/zw=" || view.Plain != `{"action":"balance"}` || view.Took != "1.5ms" || *view.Transaction != transaction || view.Player != nil {
		t.Errorf("view = %+v", view)
	}
}

package console

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"evens/internal/callbacks"
	"evens/internal/problem"
)

// Callbacks reads what a provider sent and what it was answered, by the id that stood in the
// answer's X-Callback-Id.
type Callbacks func(ctx context.Context, id uuid.UUID) (callbacks.Record, error)

// CallbackView is a callback as support sees it.
type CallbackView struct {
	ID          uuid.UUID         `json:"id"`
	At          time.Time         `json:"at"`
	Provider    string            `json:"provider"`
	Path        string            `json:"path"`
	Source      string            `json:"source"`
	Headers     map[string]string `json:"headers,omitempty"`
	Body        string            `json:"body"`
	BodyBase64  bool              `json:"body_base64,omitempty"`
	Plain       string            `json:"plain,omitempty"` // the body, decrypted
	Status      int               `json:"status"`
	Answer      string            `json:"answer"`
	Code        string            `json:"code,omitempty"`
	Took        string            `json:"took,omitempty"`
	Player      *uuid.UUID        `json:"player_id"`
	Transaction *uuid.UUID        `json:"transaction_id"`
}

// ViewCallback makes a record readable: a body that is no text comes in base64.
func ViewCallback(r callbacks.Record) CallbackView {
	view := CallbackView{
		ID: r.ID, At: r.At, Provider: r.Provider, Path: r.Path, Source: r.Source, Headers: r.Headers, Body: string(r.Body),
		Plain: string(r.Plain), Status: r.Status, Answer: string(r.Answer), Code: r.Code, Took: r.Took.String(),
	}
	if !utf8.Valid(r.Body) {
		view.Body, view.BodyBase64 = base64.StdEncoding.EncodeToString(r.Body), true
	}
	if r.Player.Valid {
		view.Player = &r.Player.UUID
	}
	if r.Transaction.Valid {
		view.Transaction = &r.Transaction.UUID
	}
	return view
}

const callbackTimeout = 10 * time.Second

// callback answers GET /console/callbacks/{id} with JSON.
func callback(read Callbacks) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			problem.Write(w, http.StatusNotFound, "not_found", "this is no callback's id")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), callbackTimeout)
		defer cancel()
		record, err := read(ctx, id)
		switch {
		case errors.Is(err, callbacks.ErrUnknown):
			problem.Write(w, http.StatusNotFound, "not_found", "there is no such callback, or it is not kept any more")
			return
		case err != nil:
			problem.Write(w, http.StatusServiceUnavailable, "unavailable", "the callback could not be read")
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		_ = encoder.Encode(ViewCallback(record)) // a reader that went away asks again
	})
}

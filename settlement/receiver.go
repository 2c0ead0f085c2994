package settlement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"evens/internal/postgres"
	"evens/internal/problem"
	"evens/internal/source"
)

// Receiver is the HTTP end that BeT posts results to. Its 200 means: stored durably.
type Receiver struct {
	inbox   *Inbox
	admit   *admission
	allow   []netip.Prefix
	now     func() time.Time
	observe func(status, heads int, took time.Duration)
	log     *slog.Logger
}

// ReceiverConfig of a Receiver.
type ReceiverConfig struct {
	Allow   []netip.Prefix // who may post; empty: anyone
	Now     func() time.Time
	Observe func(status, heads int, took time.Duration) // may be nil
	Log     *slog.Logger
}

// NewReceiver returns a handler that stores into inbox.
func NewReceiver(inbox *Inbox, cfg ReceiverConfig) *Receiver {
	return &Receiver{inbox: inbox, admit: newAdmission(), allow: cfg.Allow, now: cfg.Now, observe: cfg.Observe, log: cfg.Log}
}

// Codes of the receiver's refusals.
const (
	codeNotAllowed  = "source_not_allowed"
	codeTooLarge    = "body_too_large"
	codeUnreadable  = "unreadable_body"
	codeSyntax      = "invalid_body"
	codeField       = "validation_failed"
	codeUnavailable = "unavailable"
	codeInternal    = "internal"
)

// ServeHTTP implements http.Handler.
func (h *Receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	status, heads := h.receive(w, r)
	if h.observe != nil {
		h.observe(status, heads, time.Since(started))
	}
}

func (h *Receiver) receive(w http.ResponseWriter, r *http.Request) (status, heads int) {
	from := source.Of(r)
	if !source.Allowed(h.allow, from) {
		h.log.WarnContext(r.Context(), "result push from an address that is not allowed", "provider", "bet", "source", from)
		return problem.Write(w, http.StatusForbidden, codeNotAllowed, "this address may not post results"), 0
	}
	read, err := h.admit.body(r.Context(), r)
	if err != nil {
		return busy(w), 0
	}
	defer read()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, LargestPush))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return problem.Write(w, http.StatusRequestEntityTooLarge, codeTooLarge, "a push is at most 16 MiB"), 0
		}
		return problem.Write(w, http.StatusBadRequest, codeUnreadable, "the body could not be read to its end"), 0
	}
	most := longestList(body)
	if most > MostHeads {
		return problem.Write(w, http.StatusRequestEntityTooLarge, codeTooLarge, fmt.Sprintf("a push has at most %d Heads", MostHeads)), 0
	}
	parse, err := h.admit.parse(r.Context(), most)
	if err != nil {
		return busy(w), 0
	}
	defer parse()
	parsed, err := ParsePush(body)
	if fieldErr, ok := errors.AsType[*FieldError](err); ok {
		return problem.Write(w, http.StatusUnprocessableEntity, codeField, fieldErr.Error(),
			problem.Field{Location: fieldErr.Field, Message: fieldErr.Reason}), 0
	}
	if err != nil {
		return problem.Write(w, http.StatusBadRequest, codeSyntax, err.Error()), 0
	}
	if len(parsed) > 0 {
		err = h.store(r.Context(), Push{Heads: parsed, Body: body, Path: r.URL.Path, Source: from.String(), At: h.now()})
	}
	switch {
	case postgres.Unavailable(err):
		h.log.ErrorContext(r.Context(), "result push not stored: database unavailable", "provider", "bet", "heads", len(parsed), "error", err)
		w.Header().Set("Retry-After", "5")
		return problem.Write(w, http.StatusServiceUnavailable, codeUnavailable, "the results could not be stored; send them again"), 0
	case err != nil:
		h.log.ErrorContext(r.Context(), "result push not stored", "provider", "bet", "heads", len(parsed), "error", err)
		return problem.Write(w, http.StatusInternalServerError, codeInternal, "the results could not be stored; send them again"), 0
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`) // a sender that went away sends again
	return http.StatusOK, len(parsed)
}

// busy answers a push that found no room in time.
func busy(w http.ResponseWriter) (status int) {
	w.Header().Set("Retry-After", "5")
	return problem.Write(w, http.StatusServiceUnavailable, codeUnavailable, "too many pushes at once; send it again")
}

// storeTimeout ends the wait for a database that does not answer, before the sender gives up.
const storeTimeout = 10 * time.Second

func (h *Receiver) store(ctx context.Context, push Push) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	_, err := h.inbox.Store(ctx, push)
	return err
}

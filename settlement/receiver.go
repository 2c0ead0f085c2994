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

	"evens/coupon/bet"
	"evens/internal/jsonin"
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
	refused func(source string) bool
	log     *slog.Logger
	secret  []byte
}

// ReceiverConfig of a Receiver.
type ReceiverConfig struct {
	Allow   []netip.Prefix // who may post; empty: anyone
	Now     func() time.Time
	Observe func(status, heads int, took time.Duration) // may be nil
	// Refused, when not nil, counts a push from an address that may not post, and tells whether it is worth a line
	// in the log.
	Refused func(source string) bool
	Log     *slog.Logger
	Secret  string // the secret in the address that results come to: in bodies it is not kept
}

// NewReceiver returns a handler that stores into inbox.
func NewReceiver(inbox *Inbox, cfg ReceiverConfig) *Receiver {
	return &Receiver{
		inbox: inbox, admit: newAdmission(), allow: cfg.Allow, now: cfg.Now, observe: cfg.Observe, refused: cfg.Refused, log: cfg.Log, secret: []byte(cfg.Secret),
	}
}

// Codes of the receiver's refusals.
const (
	codeNotAllowed  = "source_not_allowed"
	codeTooLarge    = "body_too_large"
	codeUnreadable  = "unreadable_body"
	codeMedia       = "unsupported_media_type"
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
		if h.refused == nil || h.refused(from.String()) {
			h.log.WarnContext(r.Context(), "result push from an address that is not allowed", "provider", bet.Provider, "source", from)
		}
		return problem.Write(w, http.StatusForbidden, codeNotAllowed, "this address may not post results"), 0
	}
	room, err := h.admit.body(r.Context(), r)
	if err != nil {
		return busy(w), 0
	}
	defer room()
	body, no := h.read(w, r)
	var parsed []Head
	most := 0
	if no == nil {
		most, no = countHeads(body)
	}
	if no == nil {
		parse, err := h.admit.parse(r.Context(), most)
		if err != nil {
			return busy(w), 0
		}
		defer parse()
		parsed, no = parsePush(body)
	}
	if no != nil {
		h.keep(r.Context(), Push{Body: h.withoutSecret(body), Path: r.URL.Path, Source: from.String(), At: h.now()}, no.status)
		return problem.Write(w, no.status, no.code, no.detail, no.fields...), 0
	}
	if len(parsed) > 0 {
		err = h.store(r.Context(), Push{Heads: parsed, Body: h.withoutSecret(body), Path: r.URL.Path, Source: from.String(), At: h.now()})
	}
	switch {
	case postgres.Unavailable(err):
		h.log.ErrorContext(r.Context(), "result push not stored: database unavailable", "provider", bet.Provider, "heads", len(parsed), "error", err)
		w.Header().Set("Retry-After", "5")
		return problem.Write(w, http.StatusServiceUnavailable, codeUnavailable, "the results could not be stored; send them again"), 0
	case err != nil:
		h.log.ErrorContext(r.Context(), "result push not stored", "provider", bet.Provider, "heads", len(parsed), "error", err)
		return problem.Write(w, http.StatusInternalServerError, codeInternal, "the results could not be stored; send them again"), 0
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`) // a sender that went away sends again
	return http.StatusOK, len(parsed)
}

// refusal is why a push is not stored.
type refusal struct {
	status       int
	code, detail string
	fields       []problem.Field
}

// read reads a push to its end and unpacks it.
func (h *Receiver) read(w http.ResponseWriter, r *http.Request) (body []byte, no *refusal) {
	tooLarge := &refusal{status: http.StatusRequestEntityTooLarge, code: codeTooLarge, detail: "a push is at most 16 MiB"}
	body, err := jsonin.ReadAll(http.MaxBytesReader(w, r.Body, LargestPush), min(r.ContentLength, LargestPush))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return body, tooLarge
		}
		return body, &refusal{status: http.StatusBadRequest, code: codeUnreadable, detail: "the body could not be read to its end"}
	}
	if err := jsonin.Charset(r.Header.Get("Content-Type")); err != nil {
		return body, &refusal{status: http.StatusUnsupportedMediaType, code: codeMedia, detail: err.Error()}
	}
	plain, err := jsonin.Unpack(body, r.Header.Get("Content-Encoding"), LargestPush)
	switch {
	case errors.Is(err, jsonin.ErrTooLarge):
		return body, tooLarge
	case err != nil:
		return body, &refusal{status: http.StatusBadRequest, code: codeUnreadable, detail: "the body " + err.Error()}
	}
	return plain, nil
}

// countHeads bounds a push's Heads before it is read: there are no more than its longest list has values.
func countHeads(body []byte) (most int, no *refusal) {
	if most = longestList(body); most > MostHeads {
		no = &refusal{
			status: http.StatusRequestEntityTooLarge, code: codeTooLarge, detail: fmt.Sprintf("a push has at most %d Heads", MostHeads),
		}
	}
	return most, no
}

// parsePush reads the Heads of a push.
func parsePush(body []byte) (heads []Head, no *refusal) {
	heads, err := ParsePush(body)
	if wrong, ok := errors.AsType[*FieldError](err); ok {
		return nil, &refusal{
			status: http.StatusUnprocessableEntity, code: codeField, detail: wrong.Error(),
			fields: []problem.Field{{Location: wrong.Field, Message: wrong.Reason}},
		}
	}
	if err != nil {
		return nil, &refusal{status: http.StatusBadRequest, code: codeSyntax, detail: err.Error()}
	}
	return heads, nil
}

// longestRefused bounds what is kept of a push that is refused.
const longestRefused = 64 << 10

// keep keeps what was refused, for people: a result may be in it. The answer does not hang on it.
func (h *Receiver) keep(ctx context.Context, push Push, status int) {
	if len(push.Body) == 0 {
		return
	}
	push.Body = push.Body[:min(len(push.Body), longestRefused)]
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := h.inbox.keepRefused(ctx, push, status)
	h.log.WarnContext(ctx, "result push refused", "provider", bet.Provider, "status", status, "bytes", len(push.Body), "kept", err == nil, "error", err)
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

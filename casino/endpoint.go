package casino

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"evens/internal/callbacks"
	"evens/internal/dbclock"
	"evens/internal/problem"
	"evens/internal/source"
)

// CallTimeout is how long a platform's call is worked on: the platforms give up after 3 s, and an
// answer must still travel.
const CallTimeout = 2500 * time.Millisecond

// LargestCall bounds a call's body.
const LargestCall = 256 << 10

// Request is a platform's call, read whole.
type Request struct {
	ID     uuid.UUID // of the record
	Route  string    // the last part of the path, for platforms that have several
	Header http.Header
	Body   []byte
	At     time.Time
}

// Reply is a dialect's answer.
type Reply struct {
	Status  int
	Body    []byte // JSON; nil for an empty answer
	Err     error  // why it was refused; nil when it was done
	Outcome Outcome
	// Plain is the decrypted body, for the record.
	Plain []byte
	// Secrets are texts of the body that are left out of the record.
	Secrets []string
	// Personal keeps the answer out of the record: it tells a name or an address.
	Personal bool
}

// Handler answers a platform's calls in its dialect.
type Handler func(ctx context.Context, r Request) Reply

// Endpoint is where a platform calls us.
type Endpoint struct {
	Provider string
	Allow    []netip.Prefix // who may call; empty: anyone
	Headers  []string       // that are kept with the record; never a signature
	// Unreadable answers, in the dialect, a body that is too large or did not arrive.
	Unreadable func(err error) Reply
}

// Desk serves endpoints: it reads, bounds, records and measures what every dialect needs.
type Desk struct {
	recorder *callbacks.Recorder
	bodies   callbacks.Bodies
	now      func() time.Time
	observe  func(provider, route, code string, took time.Duration)
	log      *slog.Logger
}

// NewDesk returns a desk. observe, when not nil, is told of each call.
func NewDesk(recorder *callbacks.Recorder, now func() time.Time, observe func(provider, route, code string, took time.Duration), log *slog.Logger) *Desk {
	return &Desk{recorder: recorder, now: now, observe: observe, log: log}
}

// Serve returns the handler of one route of an endpoint. route is how it is called in records and
// metrics.
func (d *Desk) Serve(e Endpoint, route string, handle Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		ctx, cancel := context.WithTimeout(r.Context(), CallTimeout)
		defer cancel()
		record := callbacks.Record{ID: dbclock.NewID(), At: d.now(), Provider: e.Provider, Path: "/casino/" + e.Provider, Headers: headers(r, e.Headers)}
		if route != "" {
			record.Path += "/" + route
		}
		from := source.Of(r)
		record.Source = from.String()
		if !source.Allowed(e.Allow, from) {
			problem.Write(w, http.StatusForbidden, Code(ErrNotAllowed), ErrNotAllowed.Error())
			d.turnAway(r.Context(), record, route, started)
			return
		}
		w.Header().Set("X-Callback-Id", record.ID.String())
		reply := d.answer(ctx, w, r, e, route, handle, &record)
		write(w, reply)
		record.Status = reply.Status
		d.finish(r.Context(), record, reply, route, started)
	})
}

func (d *Desk) answer(ctx context.Context, w http.ResponseWriter, r *http.Request, e Endpoint, route string, handle Handler, record *callbacks.Record) (reply Reply) {
	deadline, _ := ctx.Deadline()
	_ = http.NewResponseController(w).SetReadDeadline(deadline) // where there is no connection there is no wait
	body, err := d.bodies.Read(http.MaxBytesReader(w, r.Body, LargestCall), r.ContentLength, LargestCall)
	if errors.Is(err, callbacks.ErrManyLarge) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err != nil {
		w.Header().Set("Connection", "close") // or the server would first wait for the rest of it
		return e.Unreadable(errors.Join(ErrUnreadable, err))
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	record.Body = body
	defer func() {
		if cause := recover(); cause != nil {
			d.log.Error("a dialect panicked", "provider", e.Provider, "route", route, "callback", record.ID, "cause", cause)
			reply = e.Unreadable(errPanic)
		}
	}()
	return handle(ctx, Request{ID: record.ID, Route: route, Header: r.Header, Body: body, At: record.At})
}

var errPanic = errors.New("a dialect panicked")

func write(w http.ResponseWriter, reply Reply) {
	if reply.Body != nil {
		w.Header().Set("Content-Type", "application/json")
	} else {
		w.Header().Set("Content-Length", "0")
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body) // a caller that went away calls again
}

func (d *Desk) finish(ctx context.Context, record callbacks.Record, reply Reply, route string, started time.Time) {
	record.Took = time.Since(started)
	record.Code = Code(reply.Err)
	if record.Code == "ok" && reply.Outcome.Repeat {
		record.Code = "repeat"
	}
	record.Answer = reply.Body
	if reply.Personal {
		record.Answer = []byte(`"left out: personal data"`)
	}
	record.Plain = reply.Plain
	for _, secret := range reply.Secrets {
		if secret != "" {
			record.Body = bytes.ReplaceAll(record.Body, []byte(secret), []byte("***"))
		}
	}
	record.Player = valid(reply.Outcome.Player)
	record.Transaction = valid(reply.Outcome.Transaction)
	record.Unproven = errors.Is(reply.Err, ErrUnauthentic)
	if kept := d.recorder.Keep(record); kept || !record.Unproven { // a flood of forgeries does not fill the log
		d.tell(ctx, record, reply)
	}
	if d.observe != nil {
		d.observe(record.Provider, route, record.Code, record.Took)
	}
}

// turnAway counts a call from an address that may not call: nothing of it is kept.
func (d *Desk) turnAway(ctx context.Context, record callbacks.Record, route string, started time.Time) {
	record.Code = Code(ErrNotAllowed)
	if d.recorder.Refuse(record.Source) {
		d.log.WarnContext(ctx, "a platform's call from an address that may not call", "provider", record.Provider, "path", record.Path, "source", record.Source)
	}
	if d.observe != nil {
		d.observe(record.Provider, route, record.Code, time.Since(started))
	}
}

// tell logs what somebody should look at; what a platform's players do every day is counted only.
func (d *Desk) tell(ctx context.Context, record callbacks.Record, reply Reply) {
	attributes := []any{
		"provider", record.Provider, "path", record.Path, "callback", record.ID, "code", record.Code, "source", record.Source,
	}
	if record.Player.Valid {
		attributes = append(attributes, "player", record.Player.UUID)
	}
	if errors.Is(reply.Err, context.Canceled) {
		d.log.InfoContext(ctx, "a platform hung up before its answer", attributes...)
		return
	}
	switch record.Code {
	case "ok", "repeat", "insufficient_funds", "player_blocked", "limit_exceeded":
		if reply.Outcome.Unmatched {
			d.log.WarnContext(ctx, "a win for a bet that is not known was paid", append(attributes, "transaction", record.Transaction.UUID)...)
		}
	case "internal", "unavailable":
		d.log.ErrorContext(ctx, "a platform's call failed", append(attributes, "error", reply.Err)...)
	default:
		d.log.WarnContext(ctx, "a platform's call was refused", attributes...)
	}
}

func valid(id uuid.UUID) uuid.NullUUID { return uuid.NullUUID{UUID: id, Valid: id != uuid.Nil} }

const longestHeader = 512

func headers(r *http.Request, names []string) map[string]string {
	kept := make(map[string]string, len(names))
	for _, name := range names {
		if value := r.Header.Get(name); value != "" && len(value) <= longestHeader {
			kept[name] = value
		}
	}
	return kept
}

package api

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"evens/internal/broadcast"
	"evens/internal/download"
)

const (
	// heartbeat is how often a silent stream shows that it lives, unless [Config] says otherwise.
	heartbeat = 15 * time.Second
	// heartbeatHeader tells whoever reads a stream how often that is, in milliseconds as the stream's own
	// `retry:` is. Nobody else needs to know the figure.
	heartbeatHeader = "Evens-Heartbeat"
	// maxGathered is how many changes are looked up together.
	maxGathered = 200
	// lookTimeout ends the reading of what has changed.
	lookTimeout = 5 * time.Second
)

// stream sends server-sent events until the client leaves, its bearer no longer counts, the
// server stops, or changes may have been missed.
func (s *server) stream(ctx context.Context, who *caller, l *listener) (*huma.StreamResponse, error) {
	leave, err := s.seats.take(who)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer leave()
		r, w := humago.Unwrap(hc)
		out := newEventWriter(w)
		w.Header().Set(heartbeatHeader, strconv.FormatInt(s.heartbeat.Milliseconds(), 10))
		defer out.end()
		if r.Method == http.MethodHead {
			_ = out.begin() // the headers, and nothing to wait for
			return
		}
		relay := s.join(l) // before the first look, so that no change falls between
		defer relay.leave(l)
		if out.begin() != nil {
			return
		}
		tick := time.NewTicker(s.heartbeat)
		defer tick.Stop()
		for {
			var err error
			select {
			case <-ctx.Done():
				return
			case <-s.cfg.Stop:
				return
			case <-tick.C:
				if _, err = s.resolve(ctx, who.secret); err == nil {
					err = out.comment()
				}
			case <-l.wake:
				err = s.pass(ctx, who, out, l)
			}
			if err != nil {
				return
			}
		}
	}}, nil
}

var errCut = errors.New("changes may have been missed")

// pass sends what waits. It was read before, and before anything is sent the bearer is asked about again:
// nothing is shown of after a logout.
func (s *server) pass(ctx context.Context, who *caller, out *eventWriter, l *listener) error {
	events, open := l.take()
	if len(events) > 0 {
		ctx, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		if _, err := s.resolve(ctx, who.secret); err != nil {
			return err // what was read is not sent
		}
		if err := out.events(events); err != nil {
			return err
		}
	}
	if !open {
		return errCut
	}
	return nil
}

// gather takes what waits behind a change, up to a bound, each wanted thing once.
func gather(change broadcast.Change, changes <-chan broadcast.Change, wants func(broadcast.Change) bool) []broadcast.Change {
	var gathered []broadcast.Change
	seen := make(map[broadcast.Change]struct{}, 1)
	for {
		if _, twice := seen[change]; !twice && wants(change) {
			seen[change] = struct{}{}
			gathered = append(gathered, change)
		}
		if len(gathered) == maxGathered {
			return gathered
		}
		select {
		case next, open := <-changes:
			if !open { // the caller sees it at its next turn
				return gathered
			}
			change = next
		default:
			return gathered
		}
	}
}

// eventWriter writes server-sent events, each piece within download.WriteTimeout.
type eventWriter struct {
	w    http.ResponseWriter
	conn *http.ResponseController
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	return &eventWriter{w: w, conn: http.NewResponseController(w)}
}

// Clients of a stream that was cut come back after some seconds, not all at once.
const (
	minRetry    = 500 * time.Millisecond
	retrySpread = 2500 * time.Millisecond
)

// begin sends the headers and how long to wait before connecting again.
func (e *eventWriter) begin() error {
	download.Lift(e.conn)
	h := e.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	e.w.WriteHeader(http.StatusOK)
	retry := minRetry + rand.N(retrySpread) //nolint:gosec // spreads clients, keeps no secret
	return e.write("retry: " + strconv.FormatInt(retry.Milliseconds(), 10) + "\n\n")
}

// events sends events, as they were rendered. The server's own buffer gathers them.
func (e *eventWriter) events(events []told) error {
	e.patience()
	for _, event := range events {
		if _, err := e.w.Write(event.text); err != nil {
			return err
		}
	}
	return e.conn.Flush()
}

func (e *eventWriter) comment() error { return e.write(": still here\n\n") }

func (e *eventWriter) write(text string) error {
	e.patience()
	if _, err := io.WriteString(e.w, text); err != nil {
		return err
	}
	return e.conn.Flush()
}

// patience is how long what is written next may stay untaken.
func (e *eventWriter) patience() {
	_ = e.conn.SetWriteDeadline(time.Now().Add(download.WriteTimeout)) // where there is no connection there is no wait
}

// end leaves the connection as it was.
func (e *eventWriter) end() { download.Lift(e.conn) }

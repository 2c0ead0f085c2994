package api

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"evens/internal/broadcast"
	"evens/internal/download"
)

const (
	// heartbeat is how often a silent stream shows that it lives.
	heartbeat = 15 * time.Second
	// maxGathered is how many changes are looked up together.
	maxGathered = 200
	// lookTimeout ends the reading of what has changed.
	lookTimeout = 5 * time.Second
)

// follow is what a stream shows.
type follow struct {
	subscribe func(context.Context) (<-chan broadcast.Change, func())
	wants     func(broadcast.Change) bool
	first     []broadcast.Change // shown before anything has changed
}

// stream sends server-sent events until the client leaves, its bearer no longer counts, the
// server stops, or changes may have been missed.
func (s *server) stream(ctx context.Context, who *caller, f follow) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		out := newEventWriter(w)
		defer out.end()
		if r.Method == http.MethodHead {
			_ = out.begin() // the headers, and nothing to wait for
			return
		}
		changes, cancel := f.subscribe(ctx) // before the first look, so that no change falls between
		defer cancel()
		if out.begin() != nil || s.show(ctx, who, out, f.first) != nil {
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
			case change, open := <-changes:
				if !open {
					return
				}
				err = s.show(ctx, who, out, gather(change, changes, f.wants))
			}
			if err != nil {
				return
			}
		}
	}}
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

// show reads the present state of what has changed and sends it, coupons first. Once it is read, and
// before anything is sent, the bearer is asked about again: nothing is shown of after a logout.
func (s *server) show(ctx context.Context, who *caller, out *eventWriter, changes []broadcast.Change) error {
	if len(changes) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var coupons, players []uuid.UUID
	for _, change := range changes {
		if change.Kind == broadcast.Coupon && change.Coupon.Valid {
			coupons = append(coupons, change.Coupon.UUID)
		} else if who.hearsWallets() {
			players = append(players, change.Player)
		}
	}
	if err := s.showCoupons(ctx, out, coupons); err != nil {
		return err
	}
	if err := s.showWallets(ctx, out, players); err != nil {
		return err
	}
	if _, err := s.resolve(ctx, who.secret); err != nil {
		return err // what was read is not sent
	}
	return out.flush()
}

func (s *server) showCoupons(ctx context.Context, out *eventWriter, ids []uuid.UUID) error {
	if len(ids) == 0 {
		return nil
	}
	found, err := s.cfg.Coupons.Many(ctx, ids)
	if err != nil {
		return s.refusal(ctx, err)
	}
	for i := range found {
		if err := out.event("coupon", viewCoupon(&found[i])); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) showWallets(ctx context.Context, out *eventWriter, players []uuid.UUID) error {
	if len(players) == 0 {
		return nil
	}
	found, err := s.cfg.Players.Balances(ctx, players)
	if err != nil {
		return s.refusal(ctx, err)
	}
	slices.SortFunc(players, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range slices.Compact(players) {
		if balance, known := found[id]; known {
			if err := out.event("wallet", viewWallet(balance)); err != nil {
				return err
			}
		}
	}
	return nil
}

// eventWriter writes server-sent events, each piece within download.WriteTimeout.
type eventWriter struct {
	w      http.ResponseWriter
	conn   *http.ResponseController
	buffer bytes.Buffer
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
	e.buffer.WriteString("retry: " + strconv.FormatInt(retry.Milliseconds(), 10) + "\n\n")
	return e.flush()
}

// event adds one event to what the next flush sends.
func (e *eventWriter) event(name string, data any) error {
	e.buffer.WriteString("event: " + name + "\ndata: ")
	if err := jsonFormat.Marshal(&e.buffer, data); err != nil { // one line, ended
		return err
	}
	e.buffer.WriteByte('\n')
	return nil
}

func (e *eventWriter) comment() error {
	e.buffer.WriteString(": still here\n\n")
	return e.flush()
}

func (e *eventWriter) flush() error {
	defer e.buffer.Reset()
	_ = e.conn.SetWriteDeadline(time.Now().Add(download.WriteTimeout)) // where there is no connection there is no wait
	if _, err := e.w.Write(e.buffer.Bytes()); err != nil {
		return err
	}
	return e.conn.Flush()
}

// end leaves the connection as it was.
func (e *eventWriter) end() { download.Lift(e.conn) }

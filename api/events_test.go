package api

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/coupon/bet"
)

// stream is an open event stream, read in the background.
type stream struct {
	lines chan string // closed at the stream's end
}

func (b bundle) stream(t *testing.T, path string, options ...option) stream {
	t.Helper()
	r := b.request(t, "GET", path, nil, append([]option{header("Accept", "text/event-stream")}, options...)...)
	response, err := http.DefaultClient.Do(r) //nolint:bodyclose // closed in the cleanup below
	if err != nil {
		t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || kind != "text/event-stream" {
		t.Fatalf("%s: %d %s, want an event stream", path, response.StatusCode, kind)
	}
	s := stream{lines: make(chan string, 10_000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(s.lines)
		scanner := bufio.NewScanner(response.Body)
		for scanner.Scan() {
			s.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		_ = response.Body.Close()
		<-done
	})
	if first := s.line(t); !strings.HasPrefix(first, "retry: ") { // the subscription stands
		t.Fatalf("%s begins with %q, want retry", path, first)
	}
	return s
}

const patience = 10 * time.Second

// line waits for the next line that is no comment and not empty; "" at the end.
func (s stream) line(t *testing.T) string {
	t.Helper()
	deadline := time.After(patience) // heartbeats do not put it off
	for {
		select {
		case line, open := <-s.lines:
			if !open {
				return ""
			}
			if line != "" && !strings.HasPrefix(line, ":") {
				return line
			}
		case <-deadline:
			t.Fatal("nothing came for 10 s")
		}
	}
}

// next waits for an event and decodes its data.
func (s stream) next(t *testing.T) (name string, data map[string]any) {
	t.Helper()
	name, isEvent := strings.CutPrefix(s.line(t), "event: ")
	text, isData := strings.CutPrefix(s.line(t), "data: ")
	if !isEvent || !isData {
		t.Fatalf("event %q with data %q", name, text)
	}
	if err := json.Unmarshal([]byte(text), &data); err != nil {
		t.Fatal(err)
	}
	return name, data
}

// ends waits for the stream's end.
func (s stream) ends(t *testing.T) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case _, open := <-s.lines:
			if !open {
				return
			}
		case <-deadline:
			t.Fatal("the stream did not end")
		}
	}
}

// heard returns when every change published so far has been delivered.
func (b bundle) heard(t *testing.T) {
	t.Helper()
	marker := uuid.New()
	changes, cancel := b.changes.SubscribePlayer(t.Context(), marker)
	defer cancel()
	b.changes.WalletsMoved([]uuid.UUID{marker})
	if _, open := <-changes; !open {
		t.Fatal("the subscription ended")
	}
}

func TestEventsFollowCouponAndWallet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "100"), b.player(t, "100")
	token := b.token(t, p.ID)
	streams := map[string]stream{
		"the player's":        b.stream(t, "/v1/events", bearing(token)),
		"a key's of a player": b.stream(t, "/v1/events?player_id="+p.ID),
		"everybody's":         b.stream(t, "/v1/events"),
	}
	foreign := b.place(t, other.ID)
	c := b.place(t, p.ID)
	want := b.call(t, "GET", "/v1/coupons/"+c.ID, nil)
	for name, s := range streams {
		accepted, paid, foreignSeen := false, false, name != "everybody's"
		for !accepted || !paid || !foreignSeen {
			kind, data := s.next(t)
			foreignSeen = foreignSeen || (kind == "coupon" && data["id"] == foreign.ID && data["status"] == "accepted")
			if name != "everybody's" && (data["player_id"] != p.ID || data["id"] == foreign.ID) {
				t.Errorf("%s stream shows %s %v, another player's", name, kind, data)
			}
			paid = paid || (kind == "wallet" && data["cash"] == "84.50")
			if kind == "coupon" && data["id"] == c.ID && data["status"] == "accepted" {
				accepted = true
				text, err := json.Marshal(data)
				if err != nil {
					t.Fatal(err)
				}
				var asEvent, asRead couponView
				answer{body: string(text)}.into(t, &asEvent)
				want.into(t, &asRead)
				if asEvent.PossibleWin != asRead.PossibleWin || asEvent.PlacedAt != asRead.PlacedAt || *asEvent.BetCode != *asRead.BetCode {
					t.Errorf("%s stream shows %s, want what GET answers: %s", name, text, want.body)
				}
			}
		}
	}
}

func TestCouponStreamBeginsWithThePresent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	c, another := b.place(t, p.ID), b.place(t, p.ID)
	b.heard(t)
	s := b.stream(t, "/v1/coupons/"+c.ID+"/events", bearing(b.token(t, p.ID)))
	if name, data := s.next(t); name != "coupon" || data["id"] != c.ID || data["status"] != "accepted" {
		t.Errorf("first event: %s %v, want the coupon as it is", name, data)
	}
	if name, data := s.next(t); name != "wallet" || data["cash"] != "69.00" {
		t.Errorf("second event: %s %v, want the wallet as it is", name, data)
	}
	b.changes.CouponChanged(uuid.MustParse(another.ID), uuid.MustParse(p.ID)) // not this stream's
	b.changes.CouponChanged(uuid.MustParse(c.ID), uuid.MustParse(p.ID))
	if name, data := s.next(t); name != "coupon" || data["id"] != c.ID {
		t.Errorf("third event: %s %v, want the coupon", name, data)
	}
	b.call(t, "POST", "/v1/players/"+p.ID+"/deposits", depositBody("1"), idempotent("k1"))
	if name, data := s.next(t); name != "wallet" || data["cash"] != "70.00" {
		t.Errorf("fourth event: %s %v, want the wallet", name, data)
	}
}

func TestSilentStreamShowsThatItLives(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.stream(t, "/v1/events")
	for beats := 0; beats < 3; {
		select {
		case line, open := <-s.lines:
			if !open {
				t.Fatal("the stream ended")
			}
			if strings.HasPrefix(line, ":") {
				beats++
			}
		case <-time.After(patience):
			t.Fatal("no heartbeat for 10 s")
		}
	}
}

func TestHeadOfAStreamIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.call(t, "HEAD", "/v1/events", nil)
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/event-stream" || got.body != "" {
		t.Errorf("HEAD: %d %v %q", got.status, got.header, got.body)
	}
	// Who reads a stream is told how long it may be silent.
	if want := strconv.FormatInt(testHeartbeat.Milliseconds(), 10); got.header.Get("Evens-Heartbeat") != want {
		t.Errorf("Evens-Heartbeat is %q, want %s", got.header.Get("Evens-Heartbeat"), want)
	}
}

func TestStreamEndsWithItsBearer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "100")
	token := b.token(t, p.ID)
	ofToken := b.stream(t, "/v1/events", bearing(token))
	ofKey := b.stream(t, "/v1/events", bearing(b.keyOf(t, "short-lived", "coupons")))
	b.call(t, "DELETE", "/v1/tokens/current", nil, bearing(token))
	if err := b.config.Keys.Revoke(t.Context(), "short-lived"); err != nil {
		t.Fatal(err)
	}
	c := b.place(t, p.ID)
	for name, s := range map[string]stream{"token": ofToken, "key": ofKey} {
		deadline := time.After(patience)
		for open := true; open; {
			var line string
			select {
			case line, open = <-s.lines: // what had happened before may still come
				if strings.Contains(line, c.ID) || strings.Contains(line, `"cash":"84.50"`) {
					t.Errorf("the stream of an ended %s shows %q", name, line)
				}
			case <-deadline:
				t.Fatalf("the stream of an ended %s goes on", name)
			}
		}
	}
}

func TestStreamEndsWhenTheServerStops(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.stream(t, "/v1/events")
	b.stop()
	s.ends(t)
}

func TestStreamEndsWhenChangesMayBeMissing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := b.stream(t, "/v1/events")
	b.changes.Close()
	s.ends(t)
}

func TestManyChangesAtOnceReachTheStream(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "10000")
	b.bookmaker.answers(func(bet.Ticket) (bet.Answer, error) { return bet.Answer{BetCode: uuid.NewString()}, nil })
	var ids []string
	for range 30 {
		ids = append(ids, b.place(t, p.ID).ID)
	}
	s := b.stream(t, "/v1/events", bearing(b.token(t, p.ID)))
	for range 5 {
		for _, id := range ids {
			b.changes.CouponChanged(uuid.MustParse(id), uuid.MustParse(p.ID))
		}
	}
	missing := map[any]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	for len(missing) > 0 {
		_, data := s.next(t)
		delete(missing, data["id"])
	}
}

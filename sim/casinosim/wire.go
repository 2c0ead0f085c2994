package casinosim

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Player is one who plays, as the platform knows them.
type Player struct {
	ID       string // the operator's own
	Token    string // of the game session, for platforms that send it
	Currency string
	Fun      bool // plays a demo, for nothing
}

// Spin is one bet and its win. Amounts are in cents.
type Spin struct {
	Bet, Win   string // ids, each of its own
	Round      string
	Game       string
	Stake, Pay int64
	Parent     string // the spin that won these free spins; the spin's own round where it won some
	Type       string
	LastFree   bool
}

// Call is one request to the operator.
type Call struct {
	Path   string
	Header http.Header
	Body   []byte
}

// Verdict is what an operator says of a call.
type Verdict int

// The verdicts. Repeated is Done for platforms whose answers do not tell them apart.
const (
	Done Verdict = iota + 1
	Repeated
	Funds  // too little money
	Gone   // it was rolled back
	Failed // anything else
)

// Answer is what the operator said. Balance counts ten-thousandths: operators may show that many.
type Answer struct {
	Verdict Verdict
	Balance int64
	Shown   int64 // what Balance is rounded down to, in ten-thousandths
}

// Wire is one platform's dialect.
type Wire interface {
	Name() string
	// Paths is where the operator takes the calls, before each call's own path.
	Balance(p Player) Call
	Bet(p Player, s Spin) Call
	// Settle pays the spin; ok = false for platforms whose Bet does that too.
	Settle(p Player, s Spin) (call Call, ok bool)
	Rollback(p Player, s Spin) Call
	// Read reads the answer to any of them.
	Read(status int, body []byte) (Answer, error)
}

// Platform is a dialect and the server behind it.
type Platform interface {
	Wire
	http.Handler
	// Arrivals has fn told of each player who opens a game for money, from now on.
	Arrivals(fn func(Player))
	book() *book
}

// errAnswer says that an answer is not of the dialect's form.
var errAnswer = errors.New("the answer is not of the form it should have")

// cents writes an amount with two decimals.
func cents(amount int64) string {
	return fmt.Sprintf("%d.%02d", amount/100, amount%100)
}

// tenThousandths reads a decimal of up to four decimals.
func tenThousandths(text string) (int64, error) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(fraction) > 4 {
		return 0, errAnswer
	}
	n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", 4-len(fraction)), 10, 64)
	if err != nil {
		return 0, errAnswer
	}
	if negative {
		n = -n
	}
	return n, nil
}

// book is what the platform remembers having played.
type book struct {
	mu   sync.Mutex
	rows []row
	at   map[string]int // by id

	listing Listing
	lagged  bool
}

// row is one instruction, as the platform's own list shows it.
type row struct {
	id, kind string // bet, win, both
	player   Player
	spin     Spin
	status   string // ok, open, failed, rolled back
	word     string // the status in the platform's own words, where it is none of these
	broken   bool
	at       time.Time
}

func (b *book) put(r row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at == nil {
		b.at = make(map[string]int)
	}
	if i, has := b.at[r.id]; has {
		b.rows[i].status = r.status
		return
	}
	b.at[r.id] = len(b.rows)
	b.rows = append(b.rows, r)
}

func (b *book) mark(id, status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, has := b.at[id]; has {
		b.rows[i].status = status
	}
}

// between lists a part of the rows of a window, and whether there are more.
func (b *book) between(from, to time.Time, skip, limit int) (rows []row, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if skip > 0 && b.listing.Lag > 0 && !b.lagged {
		skip, b.lagged = max(skip-b.listing.Lag, 0), true
	}
	shown := func(at time.Time) bool { return b.listing.Late == 0 || time.Since(at) > b.listing.Late }
	for _, r := range b.rows {
		if r.at.Before(from) || !r.at.Before(to) || !shown(r.at) {
			continue
		}
		r.broken = b.listing.Broken[r.id]
		if skip > 0 {
			skip--
			continue
		}
		if len(rows) == limit {
			return rows, true
		}
		rows = append(rows, r)
	}
	return rows, false
}

// game is one line of a simulated catalogue.
type game struct{ code, name, studio, category string }

package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"evens/internal/jsonin"
)

const (
	maxBody = 1 << 20
	// maxPlayersBody is for calls with a player's token: nothing that a player says is longer.
	maxPlayersBody = 64 << 10
	// maxValues is how many values a body may have, all told: none of our calls takes a tenth of it, and
	// each one that is wrong is an error to be told.
	maxValues = 1000
	// bodyTimeout is how long a body may take to arrive.
	bodyTimeout = 10 * time.Second
	// drainTimes is how much more of a body that is too large is read and thrown away: many clients
	// look at the answer only when they have sent all.
	drainTimes = 64
)

// largestBody is how large a caller's body may be.
func (c *caller) largestBody() int64 {
	if c.player.Valid {
		return maxPlayersBody
	}
	return maxBody
}

// sizeText is a bound as people read it.
func sizeText(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}

var errManyValues = errors.New("the body has more than 1,000 values")

// unmarshal reads a body that does not have too many values.
func unmarshal(data []byte, v any) error {
	if values(data) > maxValues {
		return errManyValues
	}
	return jsonin.Unmarshal(data, v)
}

// values counts, without reading them, the values in a text of JSON, up to a few more than maxValues.
func values(data []byte) (n int) {
	quoted := false
	for i := 0; i < len(data) && n <= maxValues; i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '[' || c == '{'):
			n++
		}
	}
	return n
}

// limitBody lets no more than largest bytes of a request's body through, within bodyTimeout. Reading
// beyond is an *http.MaxBytesError.
func limitBody(w http.ResponseWriter, r *http.Request, largest int64) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	r.Body = &limitedBody{body: r.Body, conn: http.NewResponseController(w), largest: largest, left: largest}
}

type limitedBody struct {
	body    io.ReadCloser
	conn    *http.ResponseController
	largest int64
	left    int64
	started bool
	err     error
}

// Read implements io.Reader. The connection's read deadline is set with the first byte asked for
// and taken away at the end: left in place it would end the request's context.
func (b *limitedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if !b.started {
		b.started = true
		_ = b.conn.SetReadDeadline(time.Now().Add(bodyTimeout)) // where there is no connection there is no wait
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if int64(n) > b.left {
		n, err = int(b.left), &http.MaxBytesError{Limit: b.largest}
		_, _ = io.CopyN(io.Discard, b.body, b.largest*drainTimes) // as far as it goes
	}
	b.left -= int64(n)
	if err != nil {
		b.err = err
		_ = b.conn.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Close implements io.Closer.
func (b *limitedBody) Close() error { return b.body.Close() }

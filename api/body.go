package api

import (
	"io"
	"net/http"
	"time"
)

const (
	maxBody = 1 << 20
	// bodyTimeout is how long a body may take to arrive.
	bodyTimeout = 10 * time.Second
	// maxDrain is how much of a body that is too large is read and thrown away: many clients look
	// at the answer only when they have sent all.
	maxDrain = 64 << 20
)

// limitBody lets no more than 1 MiB of a request's body through, within bodyTimeout. Reading
// beyond is an *http.MaxBytesError.
func limitBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	r.Body = &limitedBody{body: r.Body, conn: http.NewResponseController(w), left: maxBody}
}

type limitedBody struct {
	body    io.ReadCloser
	conn    *http.ResponseController
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
		n, err = int(b.left), &http.MaxBytesError{Limit: maxBody}
		_, _ = io.CopyN(io.Discard, b.body, maxDrain) // as far as it goes
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

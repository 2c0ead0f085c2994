package callbacks

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"

	"evens/internal/jsonin"
)

// ErrManyLarge says that too many large bodies are being read at once: the caller should try again.
var ErrManyLarge = errors.New("too many large calls at once")

// ordinaryBody is more than any provider's call has; mostLarge bounds how many of those with more are
// read at once.
const (
	ordinaryBody = 16 << 10
	mostLarge    = 64
)

// Bodies bounds what the bodies of callers who have proved nothing yet take of the memory together: of one
// door, or of several. The zero Bodies is ready for use, and safe for concurrent use.
type Bodies struct {
	large atomic.Int64 // how many large ones are being read
}

// Read reads a body whole, or answers ErrManyLarge. length is what the call says of it, -1 where it says nothing, and
// largest is where the body ends in an error.
func (b *Bodies) Read(body io.Reader, length, largest int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(body, ordinaryBody))
	if err != nil || len(text) < ordinaryBody {
		return text, err
	}
	defer b.large.Add(-1)
	if b.large.Add(1) > mostLarge {
		return nil, ErrManyLarge
	}
	return jsonin.ReadAll(io.MultiReader(bytes.NewReader(text), body), min(length, largest))
}

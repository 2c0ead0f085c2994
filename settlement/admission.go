package settlement

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// LargestPush bounds a push's body.
	LargestPush = 16 << 20
	// MostHeads bounds a push's Heads: a body of nothing but the shortest that can be read holds no more.
	MostHeads = 100_000

	// bytesAtOnce and headsAtOnce bound what is in memory together: two or three of the largest pushes.
	bytesAtOnce = 3 * LargestPush
	headsAtOnce = 2 * MostHeads

	// admissionTimeout ends the wait for them.
	admissionTimeout = 10 * time.Second
)

// admission bounds what pushes take of the memory together. Who has to wait does so with its body still on
// its way: nobody is refused for it while the caller is patient.
type admission struct {
	bytes *semaphore.Weighted
	heads *semaphore.Weighted
}

func newAdmission() *admission {
	return &admission{bytes: semaphore.NewWeighted(bytesAtOnce), heads: semaphore.NewWeighted(headsAtOnce)}
}

// body waits for room for a request's body, which done gives back. One that does not say its length takes
// as much as it may have.
func (a *admission) body(ctx context.Context, r *http.Request) (done func(), err error) {
	size := r.ContentLength
	if size < 0 || size > LargestPush || r.Header.Get("Content-Encoding") != "" { // what is larger is refused once it is read that far, what is packed may grow
		size = LargestPush
	}
	return take(ctx, a.bytes, size)
}

// parse waits for room for a push's Heads, which done gives back.
func (a *admission) parse(ctx context.Context, heads int) (done func(), err error) {
	return take(ctx, a.heads, int64(heads))
}

func take(ctx context.Context, room *semaphore.Weighted, n int64) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, admissionTimeout)
	defer cancel()
	if err := room.Acquire(ctx, n); err != nil {
		return nil, err
	}
	return func() { room.Release(n) }, nil
}

// longestList is how many values the longest list (or object) in a push has, without reading them; it stops
// counting beyond MostHeads. It looks at the text only: what is no JSON is for the parser.
func longestList(body []byte) int {
	const deepest = 3           // the body, Heads, a Head
	var values [deepest + 1]int // of what is open at each depth
	longest, depth, quoted := 0, 0, false
	for i := 0; i < len(body) && longest <= MostHeads; i++ {
		c := body[i]
		if quoted {
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
			continue
		}
		switch c {
		case '"':
			quoted = true
		case '{', '[':
			if depth++; depth <= deepest {
				values[depth] = 1 //nolint:gosec // depth is at most deepest
				longest = max(longest, 1)
			}
		case '}', ']':
			depth = max(depth-1, 0)
		case ',':
			if depth >= 0 && depth <= deepest {
				values[depth]++
				longest = max(longest, values[depth])
			}
		}
	}
	return longest
}

package postgres

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Tries are how often something is done, and the pause before the second time; it grows from one to the next, with
// jitter.
type Tries struct {
	Most  int
	Pause time.Duration
}

// Conflict is for a transaction that others got in the way of: they are gone after a moment.
var Conflict = Tries{Most: 5, Pause: 2 * time.Millisecond}

// longerPause bounds how much longer than the first a pause becomes.
const longerPause = 20

// Retry does a whole transaction, as long as again says of its error that another try may go better: [Retriable],
// mostly. do starts from nothing each time; the error is its last.
func Retry(ctx context.Context, tries Tries, again func(error) bool, do func() error) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = tries.Pause, longerPause*tries.Pause
	for try := 1; ; try++ {
		err := do()
		if err == nil || try >= tries.Most || !again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pauses.NextBackOff()):
		}
	}
}

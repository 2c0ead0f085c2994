package statement

import (
	"context"
	"time"
)

// Page is one page of a provider's list.
type Page struct {
	Lines []Line
	// Unreadable are lines that could not be read. They are kept, and stop nothing.
	Unreadable []Unreadable
	// Raw is what came, kept as it is.
	Raw []byte
	// Next is where the list goes on; "" at its end.
	Next string
}

// Source is a provider's own list.
type Source interface {
	// Page returns the page at a cursor of a window, from included, to not. The first has cursor "".
	// An error is tried again.
	Page(ctx context.Context, from, to time.Time, cursor string) (Page, error)
	// ByRound says that its ids are those of rounds: bet and win of one id.
	ByRound() bool
}

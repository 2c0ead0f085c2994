package casino

import (
	"time"

	"github.com/google/uuid"

	"evens/money"
	"evens/player"
)

// Event is something that happened at a platform, as far as whoever tells of it knows: a callback, the
// platform's list, a file. What is not known stays zero.
type Event struct {
	// ID is the platform's own for what happened; where one bet and its win share it, the bet's.
	ID string
	// Other is a second id of the same, at platforms that have two; it is ID where it came alone.
	Other string
	// Transaction is the platform's id of this one movement, where ID is that of the bet.
	Transaction string
	Player      player.Identity // missing where a rollback names nobody
	Currency    money.Currency  // "" where it is not told
	Game        string
	Round       string
	Parent      string // the round that won or bought these free spins
	Type        string // the platform's word for the kind of bet
	LastFree    bool   // the last of a chain of free spins
	Stake, Win  money.Amount
	Details     Details
	Session     uuid.NullUUID // the game session that a bet claims to come from
	Comment     string
	At          time.Time
}

// Dialect says under which key, and in which round, each event of a platform is done. It is the only
// place where that is said: whoever does an event, by a callback, a list, a file or by hand, asks it,
// so that the same event told twice is one. A function is nil where the platform has no such event.
type Dialect struct {
	Bet          func(Event) Bet
	Win          func(Event) Win
	BetAndSettle func(Event) BetAndSettle
	Rollback     func(Event) Rollback
}

// Call is what every instruction made of the event comes with, under the platform's own id.
func (e Event) Call(provider string) Call {
	return Call{
		Provider: provider, ID: e.ID, Player: e.Player, Currency: e.Currency, Game: e.Game,
		Session: e.Session, Comment: e.Comment, At: e.At,
	}
}

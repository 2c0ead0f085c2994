package casino

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// Call is what every instruction of a platform comes with.
type Call struct {
	Provider string
	// Space tells apart ids that a platform uses twice, for a bet and for its win; "" otherwise.
	Space string
	// ID is the platform's own for this instruction, at most MaxID characters.
	ID     string
	Player player.Identity
	// TwoNames says that the platform has two ids for one instruction, of which a call may have either or
	// both. Other is the second; it is ID too where it came alone, and "" where it did not come.
	TwoNames bool
	Other    string
	// Currency as the platform states it; "" where its dialect has none: the player's then.
	Currency money.Currency
	Game     string
	Round    Round
	// Session, where valid, is the game session that the instruction claims to come from. Only bets
	// ask for it to be open.
	Session uuid.NullUUID
	Comment string
	At      time.Time
	// List says that this was read in a platform's own list or file: what it does not tell (the round,
	// the bet) is not known, and no difference to what a call says. Happened is when it was, there.
	List     bool
	Happened time.Time

	first string // the ID that it came with, where it was done under another
}

// Round says to which round of a game an instruction belongs. The zero value: its dialect has none.
type Round struct {
	ID string
	// Parent is the round that won or bought these free spins.
	Parent string
	// Type is the platform's word for the kind of bet.
	Type string
	// Transaction is the platform's id of this instruction where ID of the Call is the bet's.
	Transaction string
	// Closes says that nothing but a rollback follows.
	Closes bool
	// ClosesParent says that the last of a chain of free spins has been played.
	ClosesParent bool
	// Once says that a round takes one bet and one win, and none when it is closed.
	Once bool
}

var errNegative = errors.New("is below zero")

// ReadAmount reads the sum of a call: exact, and not below zero. The verb says which way it goes.
func ReadAmount(number money.Number) (money.Amount, error) {
	amount, err := number.Amount()
	if err == nil && amount < 0 {
		err = errNegative
	}
	if err != nil {
		return 0, err
	}
	return amount, nil
}

// TwoDecimals is a balance for platforms that hold no finer one: never more than there is.
func TwoDecimals(balance money.Amount) string {
	const unit = money.Scale / 100
	rest := balance % unit
	if rest < 0 {
		rest += unit
	}
	return (balance - rest).String()
}

// MaxID is the longest id of an instruction, round or game that is taken.
const MaxID = 255

func (c Call) key() ledger.Key { return keyOf(c.Provider, c.Space, c.ID) }

func keyOf(provider, space, id string) ledger.Key {
	if space != "" {
		provider += ":" + space
	}
	return ledger.Key{Source: provider, ExternalID: id}
}

// rollbacks is the space of rollbacks, within that of what they undo; their ids are the same.
const rollbacks = "rollback"

// rollbackOf is the key of what undoes the instruction of a key.
func rollbackOf(key ledger.Key) ledger.Key {
	return ledger.Key{Source: key.Source + ":" + rollbacks, ExternalID: key.ExternalID}
}

// Bet takes a stake. Zero is a free spin's.
type Bet struct {
	Call
	Stake money.Amount
}

// Win pays. Zero is a lost round's, and closes it like any other.
type Win struct {
	Call
	Amount money.Amount
	// Bet is the id of the bet that is won, where the platform names one. A win for a bet that was
	// rolled back is refused.
	Bet string
	// Strict refuses a win whose bet, or whose round's bet, is not known. Otherwise it is paid and
	// marked.
	Strict bool
}

// BetAndSettle takes a stake and pays its win in one instruction. The stake must be there before
// the win.
type BetAndSettle struct {
	Call
	Stake   money.Amount
	Win     money.Amount
	Details Details
}

// Details is what a platform says of a bet besides its stake and its win. They move nothing.
type Details struct {
	// ValidStake is what of the stake counts as turnover there; nil: it does not say.
	ValidStake *money.Amount
	// JackpotWin is the part of the win that a jackpot paid.
	JackpotWin money.Amount
}

// tells reports whether there is anything to keep: a stake that counts in full says nothing new.
func (d Details) tells(stake money.Amount) bool {
	return d.JackpotWin != 0 || d.ValidStake != nil && *d.ValidStake != stake
}

// Rollback undoes the instruction of an ID, whatever it moved. A rollback of what is not known
// leaves a tombstone: the id is refused should it still come.
type Rollback struct {
	Call // Player may be missing: who moved the money is then looked up
	// Amount, where it is given, must be what the instruction moved.
	Amount *money.Amount
	// Stands refuses to undo a bet whose round has been won or lost.
	Stands bool
	// TakesWins takes back, with the last bet of a round that stands, what the round has won: a win that
	// came after the rollback would have been refused.
	TakesWins bool
	// WinSpace is the space of wins, at platforms where a win may have its bet's id and nothing else says
	// whose it is: undone with such a win, or won when undone, is left to a person.
	WinSpace string
}

// Outcome is what became of an instruction.
type Outcome struct {
	wallet.Balance
	// Transaction is the ledger's id for what was moved or noted, at first or now.
	Transaction uuid.UUID
	// Repeat says that it had been done before; nothing moved this time.
	Repeat bool
	// Unmatched marks a win whose bet is not known.
	Unmatched bool
	// Unknown marks a rollback of something that is not known: a tombstone was left.
	Unknown bool
}

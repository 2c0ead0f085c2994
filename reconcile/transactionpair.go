package reconcile

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"evens/money"
)

// Theirs is what a provider's list says of one id.
type Theirs struct {
	Net       money.Amount `json:"-"` // what its lines moved to the player
	Listed    money.Amount `json:"-"` // what they would have, whatever their status
	Amount    string       `json:"amount"`
	Player    string       `json:"player_id,omitempty"`
	Currency  string       `json:"currency,omitempty"`
	Status    Status       `json:"status"`
	Word      string       `json:"their_status,omitempty"` // the provider's own
	Undone    bool         `json:"rolled_back,omitempty"`
	Reversed  money.Amount `json:"-"` // how much was undone; 0 where the list does not say
	At        time.Time    `json:"at"`
	Round     string       `json:"round_id,omitempty"`
	Debit     bool         `json:"-"`
	Credit    bool         `json:"-"`
	Moved     bool         `json:"-"` // has a line that says ok, or open
	Open      bool         `json:"-"` // has a bet that stands and is not over
	Pending   bool         `json:"-"` // has a line that proves nothing yet, or lines that contradict each other
	Duplicate bool         `json:"duplicate,omitempty"`
}

// Ours is what our ledger says of one id.
type Ours struct {
	ID       string       `json:"transaction_id,omitempty"` // where it is another than theirs
	Net      money.Amount `json:"-"`
	Amount   string       `json:"amount"`
	Player   string       `json:"player_id"`
	Currency string       `json:"currency"`
	Kind     string       `json:"type"`
	Undone   bool         `json:"rolled_back,omitempty"`
	At       time.Time    `json:"at"`
	PlayerID uuid.UUID    `json:"-"`
	Round    string       `json:"round_id,omitempty"`
	Won      bool         `json:"-"` // has paid something
}

// unproven reports whether nobody can tell yet what became of it there.
func (t *Theirs) unproven() bool { return t.Pending || t.Open }

// loneReversal reports whether the list has nothing of the id but that it was undone.
func (t *Theirs) loneReversal() bool { return t.Undone && !t.Debit && !t.Credit }

// reversedWhole reports whether what was undone there is all that ours moved: the reversal of a part undoes
// no bet. What a bet and win in one instruction took is not told by what they moved together.
func (p *transactionPair) reversedWhole() bool {
	t, o := p.theirs, p.ours
	return !t.Undone || t.Reversed == 0 || o.Kind == "bet_win" || t.Reversed == o.Net || t.Reversed == -o.Net
}

// transactionPair is what moved money under one id, on both sides; a side may be missing.
type transactionPair struct {
	id     string
	theirs *Theirs
	ours   *Ours
}

// pairOf is the pair of a break, of transactions or payments.
func pairOf(b *Break) *transactionPair { return b.of.(*transactionPair) }

// classify implements record.
func (p *transactionPair) classify() []Kind {
	t, o := p.theirs, p.ours
	switch {
	case t == nil:
		if o.Undone {
			return nil // taken back here, and never happened there
		}
		return []Kind{MissingThere}
	case o == nil:
		if t.unproven() || t.loneReversal() {
			return []Kind{MissingHere}
		}
		if !t.Moved || t.Undone {
			return nil // it failed, or was undone, and never happened here
		}
		return []Kind{MissingHere}
	}
	var kinds []Kind
	theirDone, ourDone := t.Moved && !t.Undone, !o.Undone
	switch {
	case t.Pending && ourDone, t.Open && !t.Pending && (!ourDone || t.Net != o.Net), !t.unproven() && theirDone != ourDone:
		kinds = append(kinds, StatusDiffers)
	}
	if t.Duplicate {
		kinds = append(kinds, Duplicate)
	} else if t.Moved && !t.unproven() && t.Net != o.Net || !p.reversedWhole() {
		kinds = append(kinds, AmountDiffers)
	}
	if t.Currency != "" && t.Currency != o.Currency {
		kinds = append(kinds, CurrencyDiffers)
	}
	if t.Player != "" && t.Player != o.Player {
		kinds = append(kinds, PlayerDiffers)
	}
	return kinds
}

// describe implements record. What is booked here goes before what a list says.
func (p *transactionPair) describe(b *Break) (err error) {
	b.TransactionID = p.id
	if t := p.theirs; t != nil {
		b.Player, b.Currency, b.Amount, b.At = t.Player, t.Currency, t.Net, t.At
		b.Theirs, err = json.Marshal(t)
	}
	if o := p.ours; o != nil && err == nil {
		b.Player, b.Currency, b.Amount, b.At = o.Player, o.Currency, o.Net, o.At
		b.Ours, err = json.Marshal(o)
	}
	return err
}

// unproven reports whether nobody can tell yet what a break of that kind comes to. What a list has twice is one,
// whatever becomes of it.
func (p *transactionPair) unproven(kind Kind) bool {
	return p.theirs != nil && p.theirs.unproven() && kind != Duplicate
}

// remedy is what heals a difference: a rollback gives a player back what we took for nothing, a post pays what
// was never paid. Whatever takes money from a player waits for a person.
func (p *transactionPair) remedy(kind Kind) Action {
	t, o := p.theirs, p.ours
	switch {
	case t != nil && t.unproven():
	case kind == MissingHere && t.Net > 0 && !t.Debit && !t.Duplicate:
		return ActPost
	case kind == MissingThere && o.Net < 0:
		return ActRollback
	case kind == StatusDiffers && p.sameEvent() && p.reversedWhole() && !o.Undone && o.Net < 0 &&
		(t.Undone || !t.Moved && t.Debit): // a win that failed is none of the bet's
		return ActRollback
	}
	return ActPerson
}

// sameEvent reports whether both sides speak of the same player, currency and sum: what a list says of
// another proves nothing of ours.
func (p *transactionPair) sameEvent() bool {
	t, o := p.theirs, p.ours
	return (t.Player == "" || t.Player == o.Player) && (t.Currency == "" || t.Currency == o.Currency) && (!t.Debit || t.Listed == o.Net)
}

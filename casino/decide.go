package casino

import (
	"errors"

	"evens/ledger"
	"evens/wallet"
)

// decision is one instruction on its way through a batch. Decide may run more than once; each run
// starts afresh.
type decision struct {
	call        Call
	instruction instruction
	key         ledger.Key

	outcome Outcome
	refusal error // decided, and kept by the commit
}

// keys are what must be read to decide: the instruction's own, and those of the bet it names.
func (d *decision) keys() []ledger.Key {
	keys := []ledger.Key{d.key}
	if d.instruction.bet != "" {
		keys = append(keys, d.betKey(), d.betRollback())
	}
	return keys
}

func (d *decision) betKey() ledger.Key {
	return keyOf(d.call.Provider, "", d.instruction.bet)
}

func (d *decision) betRollback() ledger.Key {
	return keyOf(d.call.Provider, rollbacks, d.instruction.bet)
}

func (d *decision) decide(batch *wallet.Batch) error {
	d.outcome, d.refusal = Outcome{}, nil
	purse := batch.Purse(d.call.Player.ID)
	if purse == nil {
		return wallet.ErrUnknownPlayer
	}
	if earlier := batch.Known(d.key); earlier != nil {
		d.outcome = outcomeOf(earlier, purse)
		d.outcome.Repeat = true
		return d.again(earlier)
	}
	d.outcome.Balance = balanceOf(purse)
	rounds := roundsOf(batch)
	round := rounds.find(d.call)
	if err := d.allowed(batch, rounds, round); err != nil {
		return d.refuse(batch, err)
	}
	posted, err := d.post(batch)
	if err != nil {
		return err
	}
	unmatched := d.outcome.Unmatched
	d.outcome = outcomeOf(posted, batch.Purse(d.call.Player.ID))
	d.outcome.Unmatched = unmatched
	rounds.played(d.call, d.instruction)
	return nil
}

// again answers an id that has been used: as at first, if it stands for the same.
func (d *decision) again(earlier *ledger.Transaction) error {
	if earlier.Kind == ledger.Tombstone {
		return ErrRolledBack
	}
	if earlier.Payload != d.instruction.payload(d.call) {
		return ledger.ErrConflict
	}
	if earlier.Kind == ledger.Refused {
		d.refusal = refusedFor[earlier.Comment]
		if d.refusal == nil {
			d.refusal = ErrUnavailable
		}
	}
	return nil
}

// allowed asks the rules, the bet's before the money's.
func (d *decision) allowed(batch *wallet.Batch, rounds *roundSet, round *roundRow) error {
	if d.instruction.kind == ledger.Win {
		return d.mayWin(batch, round)
	}
	if d.call.Session.Valid && !rounds.open(d.call.Session.UUID, d.call.At) {
		return ErrSession
	}
	if d.call.Round.Once && round != nil {
		return ErrRoundClosed
	}
	return batch.MayStake(d.call.Player.ID, d.call.Player.Currency, d.instruction.stake)
}

func (d *decision) mayWin(batch *wallet.Batch, round *roundRow) error {
	known := round != nil && round.bets > 0
	gone := known && round.rolledBack == round.bets
	if d.instruction.bet != "" {
		bet := batch.Known(d.betKey())
		gone = gone || bet != nil && bet.Kind == ledger.Tombstone || batch.Known(d.betRollback()) != nil
		known = bet != nil && bet.Kind != ledger.Refused && bet.Player == d.call.Player.ID
	}
	switch {
	case gone:
		return ErrRolledBack
	case d.call.Round.Once && round != nil && round.wins > 0:
		return ErrSettled
	case !known && d.instruction.strict:
		return ErrUnknownBet
	}
	d.outcome.Unmatched = !known && (d.instruction.bet != "" || d.call.Round.ID != "")
	return nil
}

// refuse keeps a refusal that must stay one; others are forgotten with the work.
func (d *decision) refuse(batch *wallet.Batch, err error) error {
	code := Code(err)
	if refusedFor[code] == nil {
		return err
	}
	t := d.transaction(ledger.Refused)
	t.Comment = code
	noted, _, noteErr := batch.Note(t)
	if noteErr != nil {
		return errors.Join(err, noteErr)
	}
	d.outcome.Transaction = noted.ID
	d.refusal = err
	return nil
}

// unmatchedComment marks, in the ledger, a win without a known bet.
const unmatchedComment = "no bet known"

func (d *decision) transaction(kind ledger.Kind) ledger.Transaction {
	c := d.call
	return ledger.Transaction{
		Key: d.key, Kind: kind, Player: c.Player.ID, Provider: c.Provider, Game: c.Game, Round: c.Round.ID,
		Comment: c.Comment, Payload: d.instruction.payload(c), At: c.At,
	}
}

func (d *decision) post(batch *wallet.Batch) (*ledger.Transaction, error) {
	t := d.transaction(d.instruction.kind)
	if d.outcome.Unmatched {
		t.Comment = unmatchedComment
	}
	var moves []ledger.Move
	if d.instruction.stake > 0 {
		moves = append(moves, ledger.Move{From: ledger.Cash, To: ledger.Casino, Amount: d.instruction.stake})
	}
	if d.instruction.win > 0 {
		moves = append(moves, ledger.Move{From: ledger.Casino, To: ledger.Cash, Amount: d.instruction.win})
	}
	if len(moves) == 0 {
		posted, _, err := batch.Note(t)
		return posted, err
	}
	posted, _, err := batch.Post(t, moves...)
	return posted, err
}

func balanceOf(purse *ledger.Purse) wallet.Balance {
	return wallet.Balance{Player: purse.Player, Currency: purse.Currency, Cash: purse.Cash.Balance, Bonus: purse.Bonus.Balance}
}

func outcomeOf(t *ledger.Transaction, purse *ledger.Purse) Outcome {
	return Outcome{Balance: balanceOf(purse), Transaction: t.ID}
}

package casino

import (
	"evens/ledger"
	"evens/wallet"
)

// What one set of messages ends in may depend on their order where a round has several bets and wins that name none
// of them. Where it does a person is left a break: docs/providers/betao.md.

// doubtPockets leaves a round to a person of which one bet is undone and others stand, where the player has a bonus or
// one has paid a part: which pocket paid for the others, and which has the round's wins, hangs on when the rollback
// came.
func (d *reversal) doubtPockets(batch *wallet.Batch, round *roundRow, original *ledger.Transaction, again bool) {
	if !d.back.TakesWins || original.Kind != ledger.Bet || round == nil {
		return
	}
	others := round.bets - round.rolledBack
	if !again {
		others-- // this one is still among them
	}
	purse := batch.Purse(original.Player)
	if others <= 0 || purse == nil || purse.Bonus.Balance == 0 && round.bonusStaked == 0 && original.Bonus == 0 {
		return
	}
	size, err := original.Amount.Abs()
	if err != nil {
		return
	}
	d.doubt = &doubt{
		provider: d.back.Provider, kind: doubtStatus, id: d.back.ID, player: d.back.Player.ExternalID, currency: d.back.Player.Currency,
		amount: size, code: Code(ErrRolledBack), at: d.back.At, again: again,
		message: "a bet was rolled back whose round has others, and there is a bonus: look at the split between cash and bonus",
	}
}

// doubtBereft leaves a bet to a person whose round has lost its wins with its other bets: had it come before, they
// would stand. errUnread where that has not been looked for.
func (d *decision) doubtBereft(rounds *roundSet, round *roundRow) error {
	if !d.late() || round == nil || round.bets == 0 || round.rolledBack < round.bets {
		return nil
	}
	if !d.looked {
		return errUnread
	}
	if rounds.bereft[roundKey{d.call.Provider, d.call.Round.ID, d.call.Player.ID}] {
		d.doubt = &doubt{
			provider: d.call.Provider, kind: doubtStatus, id: d.call.ID, player: d.call.Player.ExternalID, currency: d.call.Player.Currency,
			amount: d.instruction.stake, code: Code(ErrRolledBack), at: d.call.At,
			message: "what the round had won was taken back with its other bets before this one came",
		}
	}
	return nil
}

// doubtSpin leaves the win of a free spin to a person whose parent was undone before it came.
func (d *decision) doubtSpin(rounds *roundSet, round *roundRow) {
	if d.instruction.kind != ledger.Win || d.instruction.win == 0 {
		return
	}
	parent := rounds.parent(d.call, round)
	if parent == nil || parent.bets == 0 || parent.rolledBack < parent.bets {
		return
	}
	d.doubt = &doubt{
		provider: d.call.Provider, kind: doubtStatus, id: d.call.ID, player: d.call.Player.ExternalID, currency: d.call.Player.Currency,
		amount: d.instruction.win, code: Code(ErrRolledBack), at: d.call.At,
		message: "a free spin won whose parent bet was rolled back; the win stands, as cash",
	}
}

package casino

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/wallet"
)

// healedBy begins the comment of what reconciliation did by itself.
const healedBy = "break "

// HealedBy is the comment of what heals a break.
func HealedBy(id uuid.UUID) string { return healedBy + id.String() }

// toldSpace is that of rollbacks which a platform asked for after reconciliation had made them.
const toldSpace = "told"

func toldKey(provider, id string) ledger.Key { return keyOf(provider, toldSpace, id) }

func (d *reversal) toldKey() ledger.Key { return toldKey(d.back.Provider, d.back.ID) }

// told notes that the platform, too, takes back what a healing has: only now is a win of it refused.
func (d *reversal) told(batch *wallet.Batch, earlier *ledger.Transaction) error {
	if d.back.List || !strings.HasPrefix(earlier.Comment, healedBy) {
		return nil
	}
	_, _, err := batch.Note(ledger.Transaction{
		Key: d.toldKey(), Kind: ledger.Tombstone, Player: earlier.Player, Provider: d.back.Provider,
		Payload: ledger.HashOf("told", d.back.ID), At: d.back.At,
	})
	return err
}

// betUndone reports whether the platform has taken back the bet that a win names. What only a healing
// has taken back may be won all the same: the platform knows better.
func (d *decision) betUndone(batch *wallet.Batch) bool {
	back := batch.Known(d.betRollback())
	if back == nil {
		return false
	}
	return !strings.HasPrefix(back.Comment, healedBy) || batch.Known(toldKey(d.call.Provider, d.instruction.bet)) != nil
}

// Index: transactions_round, where anything was rolled back at all.
const countHealed = `CASE WHEN r.rolled_back = 0 THEN 0 ELSE (
	           SELECT count(*) FROM transactions x
	            WHERE x.round_id = r.round_id AND x.player_id = r.player_id AND x.provider = r.provider AND x.kind = 'rollback'
	              AND starts_with(x.comment, '` + healedBy + `')
	              AND NOT EXISTS (SELECT FROM transactions y WHERE y.source = r.provider || ':` + toldSpace + `' AND y.external_id = x.external_id)
	       ) END::integer`

// same reports whether an id stands for the same as before. A list may tell less than a call: what
// only one of the two knows is no difference.
func (d *decision) same(earlier *ledger.Transaction) bool {
	if earlier.Payload == d.instruction.payload(d.call) {
		return true
	}
	byList := strings.HasPrefix(earlier.Comment, healedBy) || earlier.Payload == d.listed().payload(d.call.listed())
	if !byList && !d.call.List || d.instruction.kind != ledger.Win || earlier.Kind != ledger.Win || earlier.Player != d.call.Player.ID {
		return false
	}
	rounds := sameRound(earlier.Round, d.call.Round.ID) || earlier.Round == "" || d.call.Round.ID == ""
	return rounds && earlier.Amount == d.instruction.win
}

// listed is an instruction, or a call, as the barest list tells of it.
func (d *decision) listed() instruction {
	bare := d.instruction
	bare.bet = ""
	return bare
}

func (c Call) listed() Call {
	c.Round = Round{}
	return c
}

// when is when an instruction was given: a list tells of it later.
func (c Call) when() time.Time {
	if c.Happened.IsZero() {
		return c.At
	}
	return c.Happened
}

// clockSkew is how far a platform's clock may be from ours.
const clockSkew = 5 * time.Second

// until is what ids are smaller than that were there when the instruction was given.
func (c Call) until() uuid.UUID {
	if c.Happened.IsZero() {
		return uuid.Max
	}
	return postgres.IDAt(c.Happened.Add(clockSkew))
}

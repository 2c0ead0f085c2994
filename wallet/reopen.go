package wallet

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"evens/ledger"
)

// endID is the external id of the transaction that ends a bonus: one for each time that it ends.
func (b *Bonus) endID() string {
	if b.Reopened == 0 {
		return b.ID.String() + ":end"
	}
	return fmt.Sprintf("%s:end:%d", b.ID, b.Reopened)
}

// reopen takes a completion back where a stake that it counted was: what became cash goes back, below
// zero if it must, and the bonus is active again with what it had released. The same stakes in another
// order would have left it so. Where its time is over it expires at once, and where the player has
// another bonus it is forfeited, for there is one at a time.
func (b *Batch) reopen(a *allowance, bonus *Bonus, t *ledger.Transaction) error {
	if bonus.Status != BonusCompleted || bonus.Wagered >= bonus.Required {
		return nil
	}
	b.save(a)
	b.change(bonus)
	back := Split{Cash: bonus.Converted}
	status, left := BonusForfeited, bonus.Released
	if a.active == nil {
		back.Bonus = -left
		status = BonusActive
	}
	moves := back.Moves(ledger.Promotions)
	bonus.Reopened++
	bonus.Status, bonus.Released, bonus.Converted = status, 0, 0
	if status == BonusActive {
		bonus.EndedAt = time.Time{}
	}
	comment := "a stake that completed it was taken back"
	b.tell(bonusEvent(bonus, "", comment, t.At), false)
	if len(moves) > 0 {
		_, _, err := b.Book.Post(ledger.Transaction{
			Key:  ledger.Key{Source: BonusSource, ExternalID: fmt.Sprintf("%s:reopened:%d", bonus.ID, bonus.Reopened)},
			Kind: ledger.BonusCorrection, Player: bonus.Player, BonusID: uuid.NullUUID{UUID: bonus.ID, Valid: true},
			Payload: ledger.HashOf(t.ID.String()), Coupon: t.Coupon, Game: t.Game, Round: t.Round, Comment: comment, At: t.At,
		}, moves...)
		if err != nil {
			return err
		}
	}
	if status != BonusActive {
		return nil
	}
	a.active, a.wagered, a.reopened, a.counted, a.turned = bonus, bonus.Wagered, bonus.Reopened, true, true
	return b.lapse(a, t.At)
}

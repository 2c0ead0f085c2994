package wallet

import "evens/money"

// Agree is asked what a person's decision moves, before it moves: an error refuses it. The rows it returns are
// written in the commit that moves the money, and where they cannot be written nothing moves; nil where nothing is
// to be written. A nil Agree agrees to everything.
type Agree func(moved money.Amount, currency money.Currency) (RowSet, error)

// agreed has what agree returns written in the batch.
func (b *Batch) agreed(agree Agree, moved money.Amount, currency money.Currency) error {
	if agree == nil {
		return nil
	}
	rows, err := agree(moved, currency)
	if err == nil {
		b.AlsoWrite(rows)
	}
	return err
}

// AlsoWrite has rows written in the batch's commit; nil is nothing. They are those of one work alone, and are added
// once everything it posts has been accepted.
func (b *Batch) AlsoWrite(rows RowSet) {
	if rows != nil {
		b.Rows(rows, func() RowSet { return rows })
	}
}

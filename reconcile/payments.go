package reconcile

import (
	"context"
	"time"

	"github.com/google/uuid"

	"evens/money"
	"evens/wallet"
)

// payments compares deposits and withdrawals as transactions, but for this: a gateway's word may be what is
// missing, and a bank's dates are rough.
type payments struct{ transactions }

// bankDays is how far a bank's date may be from ours; a game platform's clock is minutes off.
const bankDays = 7 * 24 * time.Hour

// match implements comparison.
func (p *payments) match(ctx context.Context, f *findings) error {
	if err := p.transactions.match(ctx, f); err != nil {
		return err
	}
	return p.paidButHeld(ctx, f)
}

// decide implements comparison: deposits are booked. A withdrawal that failed there is a person's.
func (p *payments) decide(ctx context.Context, breaks []*Break) error {
	return p.propose(ctx, breaks, func(b *Break) bool { return b.Action == ActPost }, bankDays)
}

// Indexes: statement_lines_statement, transactions_key.
const readPaidButHeld = `
	SELECT l.transaction_id, x.amount, x.at, x.player_id, p.external_id, p.currency
	  FROM statement_lines l
	  JOIN transactions x ON x.source = $2 AND x.external_id = l.transaction_id AND x.kind = 'withdrawal'
	  JOIN players p ON p.id = x.player_id
	 WHERE l.statement_id = $1 AND l.type = 'debit' AND l.status = 'ok' AND l.amount = -x.amount
	   AND EXISTS (SELECT FROM transfers t JOIN accounts a ON a.id = t.credit_account AND a.kind = 'withdrawals_held'
	                WHERE t.transaction_id = x.id)
	   AND NOT EXISTS (SELECT FROM transactions e
	                    WHERE e.source IN ($2 || ':paid', $2 || ':failed', $2 || ':returned') AND e.external_id = x.external_id)`

// paidButHeld finds withdrawals that were paid there and are only held here: their gateway's word is
// missing.
func (p *payments) paidButHeld(ctx context.Context, f *findings) error {
	held := query{"look for withdrawals that are held", readPaidButHeld, []any{p.statement.id, p.provider}}
	var id string
	o := Ours{Kind: "withdrawal held"}
	return p.each(ctx, held, []any{&id, &o.Net, &o.At, &o.PlayerID, &o.Player, &o.Currency}, func() error {
		ours := o
		ours.Amount, ours.At = ours.Net.String(), ours.At.UTC()
		theirs := Theirs{
			Net: o.Net, Listed: o.Net, Amount: ours.Amount, Status: OK, At: ours.At, Debit: true, Moved: true, Player: o.Player, Currency: o.Currency,
		}
		pair := &transactionPair{id: id, theirs: &theirs, ours: &ours}
		if !p.statement.judges(pair) {
			return nil
		}
		return f.add(pair, []Kind{StatusDiffers})
	})
}

// Index: transactions_key.
const readDeposit = `SELECT id FROM transactions WHERE source = $1 AND external_id = $2`

// heal implements comparison: a deposit that has happened is booked, and no limit of the player's refuses it.
func (p *payments) heal(ctx context.Context, b *Break) (id uuid.UUID, ended bool, err error) {
	t := pairOf(b).theirs
	who, err := p.players.Find(ctx, t.Player)
	if err != nil {
		return uuid.Nil, false, err
	}
	_, err = wallet.Tell(ctx, p.poster, wallet.Cash{
		Player: who.ID, Amount: t.Net, Currency: money.Currency(t.Currency), Method: "reconciliation", TransactionID: b.TransactionID, At: p.now(),
	}, wallet.DepositSucceeded)
	if err == nil {
		err = p.db.Pool.QueryRow(ctx, readDeposit, wallet.CashSource, b.TransactionID).Scan(&id)
	}
	return id, err == nil, err
}

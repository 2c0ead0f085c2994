package wallet

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/ledger"
	"evens/money"
)

// What a gateway says of one payment has a key each, beside that of the payment itself. Once told it
// is known for good, in whatever order it came; what has moved is always what all of it says together
// (docs/decisions/0039).
const (
	paidSource     = CashSource + ":paid"
	failedSource   = CashSource + ":failed"
	returnedSource = CashSource + ":returned"
	// unreservedSource gives a payment back at once whose end was told before it.
	unreservedSource = CashSource + ":unreserved"
)

var endSources = [...]string{paidSource, failedSource, returnedSource, unreservedSource}

// payment is a deposit or a withdrawal on its way through a batch.
type payment struct {
	Cash
	kind ledger.Kind // Deposit or Withdrawal
	// Who assigned it to its player, and why; "" where the gateway did.
	by, comment string
	agree       Agree
	used        []*pending // rows of the suspense account whose money has moved on
}

func (c Cash) key(source string) ledger.Key {
	return ledger.Key{Source: source, ExternalID: c.TransactionID}
}

// payment is a work about a payment, with everything loaded that may be known of it.
func (p *Poster) payment(cash Cash) *Work {
	keys := []ledger.Key{cash.key(CashSource)}
	for _, source := range endSources {
		keys = append(keys, cash.key(source))
	}
	return &Work{
		Players: []uuid.UUID{cash.Player}, Keys: keys, At: cash.At,
		Reader: paymentReader{offers: p.books.Offers != nil}, Data: cash.TransactionID,
	}
}

// hash is the payment's content. What it was paid with is no part of it: a gateway, a list and a caller
// name the same method differently.
func (p *payment) hash() ledger.Hash {
	return ledger.HashOf(string(p.kind), p.Player.String(), p.Amount.String(), string(p.Currency))
}

// same returns the payload under which a stored payment is this one; ok = false where it is another.
// The releases before counted the method, which is the stored comment, as content.
func (p *payment) same(stored *ledger.Transaction) (payload ledger.Hash, ok bool) {
	before := ledger.HashOf(string(p.kind), p.Player.String(), p.Amount.String(), string(p.Currency), stored.Comment)
	return stored.Payload, stored.Payload == p.hash() || stored.Payload == before
}

// endHash is the content of what ends the payment.
func (p *payment) endHash() ledger.Hash {
	return ledger.HashOf("end of "+string(p.kind), p.Amount.String())
}

// payer returns the payment's purse, or why there can be none: ErrUnknownPlayer, ledger.ErrConflict
// where the id has been told of with other content, ErrCurrency.
func (b *Batch) payer(p *payment) (*ledger.Purse, error) {
	purse := b.Purse(p.Player)
	if purse == nil {
		return nil, ErrUnknownPlayer
	}
	if stored := b.Known(p.key(CashSource)); stored != nil {
		if _, ok := p.same(stored); !ok {
			return nil, ledger.ErrConflict
		}
	}
	for _, source := range endSources {
		if end := b.Known(p.key(source)); end != nil && (end.Player != p.Player || end.Payload != p.endHash()) {
			return nil, ledger.ErrConflict
		}
	}
	if purse.Currency != p.Currency {
		return nil, ErrCurrency
	}
	return purse, nil
}

// begin posts a payment, unless it is known, and brings it to where its ends, if they are known, lead.
// It returns the balances that the payment left.
func (b *Batch) begin(p *payment, to ledger.AccountKind) (Split, error) {
	key, purse := p.key(CashSource), b.Purse(p.Player)
	if stored := b.Known(key); stored != nil {
		return Split{stored.CashTo, stored.BonusTo}, nil
	}
	t := ledger.Transaction{
		Key: key, Kind: p.kind, Player: p.Player, Provider: CashSource, Comment: p.Method, At: p.At, Payload: p.hash(),
	}
	move := ledger.Move{From: ledger.Cash, To: to, Amount: p.Amount}
	if p.kind == ledger.Deposit {
		t.Effective = p.At
		move = ledger.Move{From: b.outside(p, DepositSucceeded), To: ledger.Cash, Amount: p.Amount}
	} else if err := b.forfeitByWithdrawal(p.Cash); err != nil {
		return Split{}, err
	}
	if _, _, err := b.Post(t, move); err != nil {
		return Split{}, err
	}
	paymentsOf(b).held[p.TransactionID] = to == ledger.WithdrawalsHeld
	if p.kind == ledger.Deposit {
		if err := b.offer(p.Cash); err != nil {
			return Split{}, err
		}
	}
	if err := b.unreserve(p); err != nil {
		return Split{}, err
	}
	return Split{purse.Cash.Balance, purse.Bonus.Balance}, nil
}

// told says which ends of a payment are known.
func (b *Batch) told(p *payment, source string) bool { return b.Known(p.key(source)) != nil }

// sum is what a payment has moved to the player so far, with its ends.
func (b *Batch) sum(p *payment) (sum money.Amount) {
	for _, source := range append([]string{CashSource}, endSources[:]...) {
		if t := b.Known(p.key(source)); t != nil {
			sum += t.Amount
		}
	}
	return sum
}

// shall is what a payment that is known moves once all that was said of it counts, with what is told
// now: nothing where it was returned, or called failed and not paid. A deposit that succeeded stays,
// whatever attempt at it failed.
func (b *Batch) shall(p *payment, now string) money.Amount {
	told := func(source string) bool { return source == now || b.told(p, source) }
	switch {
	case told(returnedSource):
		return 0
	case p.kind == ledger.Deposit:
		return p.Amount
	case told(failedSource) && !told(paidSource):
		return 0
	default:
		return -p.Amount
	}
}

// back reports whether a payment was undone.
func (b *Batch) back(p *payment) bool { return b.told(p, CashSource) && b.shall(p, "") == 0 }

// reserved reports whether a withdrawal's money is held: it was asked for, and nothing has ended it.
func (b *Batch) reserved(p *payment) bool {
	for _, source := range endSources {
		if b.told(p, source) {
			return false
		}
	}
	return paymentsOf(b).held[p.TransactionID]
}

// unreserve undoes a payment at once whose end was told before.
func (b *Batch) unreserve(p *payment) error {
	if b.sum(p) == b.shall(p, "") {
		return nil
	}
	return b.finish(p, unreservedSource, returnedOf(p.kind), paymentsOf(b).held[p.TransactionID])
}

// finish records what ends a payment, with what it has to move. held says that the money is in the
// account of what is held; else it is outside, or with the player.
func (b *Batch) finish(p *payment, source string, said Said, held bool) error {
	t := ledger.Transaction{
		Key: p.key(source), Kind: ledger.WithdrawalReturn, Player: p.Player, Provider: CashSource, Comment: p.Method, At: p.At, Payload: p.endHash(),
	}
	switch {
	case source == paidSource:
		t.Kind = ledger.WithdrawalPaid
	case p.kind == ledger.Deposit:
		t.Kind = ledger.DepositReturn
	}
	var due money.Amount
	if b.told(p, CashSource) {
		due = b.shall(p, source) - b.sum(p)
	}
	from := ledger.WithdrawalsHeld
	if !held && due != 0 {
		from = b.outside(p, said)
	}
	var move ledger.Move
	switch {
	case source == paidSource && held:
		move = ledger.Move{From: from, To: b.outside(p, said), Amount: p.Amount}
	case due > 0:
		move = ledger.Move{From: from, To: ledger.Cash, Amount: due}
	case due < 0:
		move = ledger.Move{From: ledger.Cash, To: from, Amount: -due}
	default:
		if source != paidSource {
			t.Kind = ledger.Tombstone
		}
		_, _, err := b.Note(t)
		return err
	}
	_, _, err := b.Post(t, move)
	return err
}

// payments is what a batch knows of payments beyond the ledger's transactions.
type payments struct {
	held  map[string]bool          // withdrawals that went into the account of those held
	open  map[suspenseKey]*pending // rows of the suspense account, by what they are about
	added []SuspenseRow
	ended []endedSuspense
}

type paymentsKey struct{}

func paymentsOf(batch *Batch) *payments {
	return batch.Rows(paymentsKey{}, func() RowSet {
		return &payments{held: make(map[string]bool), open: make(map[suspenseKey]*pending)}
	}).(*payments)
}

// paymentReader reads what decides about payments.
type paymentReader struct{ offers bool }

// Indexes: transactions_key, transfers_pkey, accounts_pkey.
const readHeld = `
	SELECT x.external_id
	  FROM unnest($1::text[]) k (id)
	  JOIN transactions x ON x.source = 'cashier' AND x.external_id = k.id
	  JOIN transfers t ON t.transaction_id = x.id AND t.leg = 1
	  JOIN accounts a ON a.id = t.credit_account
	 WHERE a.kind = 'withdrawals_held'`

// QueueReads implements Reader.
func (r paymentReader) QueueReads(statements *pgx.Batch, batch *Batch, works []*Work) {
	found := paymentsOf(batch)
	players, ids := make([]uuid.UUID, 0, len(works)), make([]string, 0, len(works))
	for _, work := range works {
		players, ids = append(players, work.Players...), append(ids, work.Data.(string))
	}
	statements.Queue(readHeld, ids).Query(func(rows pgx.Rows) error {
		var id string
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			found.held[id] = true
			return nil
		})
		return err
	})
	statements.Queue(readOpenSuspense, ids).Query(found.scan)
	if r.offers {
		queueDepositors(statements, batch, players)
	}
}

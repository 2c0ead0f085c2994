package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/money"
)

// Book is the part of the ledger that one database transaction has loaded and locked, with what
// has been decided on it so far. It is used by one goroutine and ends with its transaction.
type Book struct {
	ledger *Ledger
	purses map[uuid.UUID]*Purse
	known  map[Key]*Transaction
	posted []posting
}

type posting struct {
	*Transaction
	legs []leg
}

type leg struct {
	debit, credit int64
	amount        money.Amount
	// Of the player's account, where one is touched.
	touched       bool
	balanceAfter  money.Amount
	versionAfter  int64
	account       *Account
	balanceBefore money.Amount
}

// The cash account is the player's lock: whoever moves the player's money holds it. Rows are
// locked in the order of player ids, the same everywhere, so that no two batches deadlock.
// Index: accounts_player.
const lockCash = `
	SELECT player_id, currency, id, balance, version,
	       tally_revision, tally_quarter, tally_deposited, tally_lost, tally_staked, tally_wagered
	  FROM accounts
	 WHERE player_id = ANY ($1) AND kind = 'cash'
	 ORDER BY player_id
	   FOR UPDATE`

// Read after the lock is held, so it is the latest.
const readBonus = `
	SELECT player_id, id, balance, version
	  FROM accounts
	 WHERE player_id = ANY ($1) AND kind = 'bonus'`

// Index: transactions_key.
const readKnown = `
	SELECT t.id, t.source, t.external_id, t.kind, t.player_id, t.amount, t.cash_after, t.bonus_after,
	       t.coupon_id, coalesce(t.round_id, ''), coalesce(t.comment, ''), t.payload_hash, t.at,
	       coalesce(t.bonus_amount, 0), t.bonus_id, coalesce(t.contribution, 0), coalesce(t.staked, 0), t.effective_at
	  FROM unnest($1::text[], $2::text[]) k (source, external_id)
	  JOIN transactions t ON t.source = k.source AND t.external_id = k.external_id`

// Load locks the purses of players and reads the transactions already known under keys, in one
// round trip. Unknown players are simply not in the book. It must run in a transaction.
func (l *Ledger) Load(ctx context.Context, tx postgres.Querier, players []uuid.UUID, keys []Key) (*Book, error) {
	statements := &pgx.Batch{}
	book := l.QueueLoad(statements, players, keys)
	if err := book.Loaded(ctx, tx, statements); err != nil {
		return nil, err
	}
	return book, nil
}

// QueueLoad is Load's first half: it adds the statements to those of a caller, which share their
// round trip. [Book.Loaded] sends them all.
func (l *Ledger) QueueLoad(statements *pgx.Batch, players []uuid.UUID, keys []Key) *Book {
	book := &Book{
		ledger: l,
		purses: make(map[uuid.UUID]*Purse, len(players)),
		known:  make(map[Key]*Transaction, len(keys)),
	}
	if len(players) > 0 {
		ids := postgres.UUIDs(sortedUnique(players))
		statements.Queue(lockCash, ids).Query(book.scanCash)
		statements.Queue(readBonus, ids).Query(book.scanBonus)
	}
	if len(keys) > 0 {
		sources, externals := make([]string, len(keys)), make([]string, len(keys))
		for i, key := range keys {
			sources[i], externals[i] = key.Source, key.ExternalID
		}
		statements.Queue(readKnown, sources, externals).Query(book.scanKnown)
	}
	return book
}

// Loaded sends the statements and makes the book ready to post to.
func (b *Book) Loaded(ctx context.Context, tx postgres.Querier, statements *pgx.Batch) error {
	if statements.Len() > 0 {
		if err := tx.SendBatch(ctx, statements).Close(); err != nil {
			return fmt.Errorf("load purses: %w", err)
		}
	}
	for _, purse := range b.purses {
		if err := b.ledger.houseAccount(ctx, tx, purse.Currency); err != nil {
			return err
		}
	}
	return nil
}

// Blank returns a book of purses that no database has lent, all in one currency: what is decided on
// it can be looked at, and never written.
func Blank(purses ...*Purse) *Book {
	l := New()
	book := &Book{ledger: l, purses: make(map[uuid.UUID]*Purse, len(purses)), known: make(map[Key]*Transaction)}
	for _, purse := range purses {
		book.purses[purse.Player] = purse
		for i, kind := range houseKinds {
			l.house.Store(houseKey{purse.Currency, kind}, int64(-1-i))
		}
	}
	return book
}

func sortedUnique(ids []uuid.UUID) []uuid.UUID {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(sorted)
}

func (b *Book) scanCash(rows pgx.Rows) error {
	for rows.Next() {
		purse := &Purse{}
		var revision pgtype.Int4
		var quarter pgtype.Timestamptz
		var deposited, lost, staked, wagered pgtype.Int8
		err := rows.Scan(&purse.Player, &purse.Currency, &purse.Cash.ID, &purse.Cash.Balance, &purse.Cash.Version,
			&revision, &quarter, &deposited, &lost, &staked, &wagered)
		if err != nil {
			return err
		}
		if revision.Valid {
			purse.Tally = Tally{
				Revision: revision.Int32, Quarter: quarter.Time.UTC(), Deposited: money.Amount(deposited.Int64),
				Lost: money.Amount(lost.Int64), Staked: money.Amount(staked.Int64), Wagered: money.Amount(wagered.Int64),
			}
		}
		b.purses[purse.Player] = purse
	}
	return rows.Err()
}

func (b *Book) scanBonus(rows pgx.Rows) error {
	for rows.Next() {
		var player uuid.UUID
		var account Account
		if err := rows.Scan(&player, &account.ID, &account.Balance, &account.Version); err != nil {
			return err
		}
		if purse := b.purses[player]; purse != nil {
			purse.Bonus = account
		}
	}
	return rows.Err()
}

func (b *Book) scanKnown(rows pgx.Rows) error {
	for rows.Next() {
		t := &Transaction{}
		var hash []byte
		var effective pgtype.Timestamptz
		err := rows.Scan(&t.ID, &t.Source, &t.ExternalID, &t.Kind, &t.Player, &t.Amount, &t.CashTo, &t.BonusTo,
			&t.Coupon, &t.Round, &t.Comment, &hash, &t.At,
			&t.Bonus, &t.BonusID, &t.Contribution, &t.Staked, &effective)
		if err != nil {
			return err
		}
		copy(t.Payload[:], hash)
		t.Effective = effective.Time
		b.known[t.Key] = t
	}
	return rows.Err()
}

// Purse returns a loaded player's purse with everything posted so far, or nil for a player that
// does not exist or was not loaded. The caller reads it and leaves it as it is.
func (b *Book) Purse(player uuid.UUID) *Purse { return b.purses[player] }

// Purses lists the loaded purses, in no order.
func (b *Book) Purses() iter.Seq[*Purse] { return maps.Values(b.purses) }

// Known returns the transaction of that key, from the database or from this book, or nil.
func (b *Book) Known(key Key) *Transaction { return b.known[key] }

// ErrNoPurse says that a transaction's player has not been loaded, or does not exist.
var ErrNoPurse = errors.New("no such player in the book")

// Post records a transaction and its transfers, and moves the balances in the book. It asks
// nothing but that the sums can be represented: whether the player can afford it is decided
// before. A key that is known already is ErrConflict or, with the same content, returned as it
// is with fresh = false; nothing moves then.
func (b *Book) Post(t Transaction, moves ...Move) (posted *Transaction, fresh bool, err error) {
	if earlier, err := b.earlier(t); earlier != nil || err != nil {
		return earlier, false, err
	}
	purse := b.purses[t.Player]
	if purse == nil {
		return nil, false, fmt.Errorf("%w: %s", ErrNoPurse, t.Player)
	}
	before := *purse
	entry := posting{Transaction: &t, legs: make([]leg, 0, len(moves))}
	for _, move := range moves {
		made, err := b.transfer(purse, move)
		if err != nil {
			*purse = before
			return nil, false, fmt.Errorf("post %s %s: %w", t.Source, t.ExternalID, err)
		}
		entry.legs = append(entry.legs, made)
		if made.touched {
			t.Amount += made.balanceAfter - made.balanceBefore
			if made.account == &purse.Bonus {
				t.Bonus += made.balanceAfter - made.balanceBefore
			}
		}
	}
	t.ID = dbclock.NewID()
	t.CashTo, t.BonusTo = purse.Cash.Balance, purse.Bonus.Balance
	b.known[t.Key] = &t
	b.posted = append(b.posted, entry)
	return &t, true, nil
}

// earlier returns the transaction that has used the key before, nil for a new one, or ErrConflict
// where it had another content. A kind that nobody has described is ErrKind.
func (b *Book) earlier(t Transaction) (*Transaction, error) {
	if _, known := t.Kind.Traits(); !known {
		return nil, fmt.Errorf("%w: %q", ErrKind, t.Kind)
	}
	earlier := b.known[t.Key]
	if earlier != nil && earlier.Payload != t.Payload {
		return nil, fmt.Errorf("%w: %s %s", ErrConflict, t.Source, t.ExternalID)
	}
	return earlier, nil
}

// Note records a transaction that moves nothing: a bet of nothing, a refusal that must stay one, a
// tombstone. Its player need not be known. Otherwise it does as Post.
func (b *Book) Note(t Transaction) (noted *Transaction, fresh bool, err error) {
	if earlier, err := b.earlier(t); earlier != nil || err != nil {
		return earlier, false, err
	}
	if purse := b.purses[t.Player]; purse != nil {
		t.CashTo, t.BonusTo = purse.Cash.Balance, purse.Bonus.Balance
	}
	t.ID = dbclock.NewID()
	b.known[t.Key] = &t
	b.posted = append(b.posted, posting{Transaction: &t})
	return &t, true, nil
}

func (b *Book) transfer(purse *Purse, move Move) (leg, error) {
	if move.Amount <= 0 {
		return leg{}, fmt.Errorf("a transfer of %s", move.Amount)
	}
	if move.From.ofPlayer() && move.To.ofPlayer() {
		return leg{}, fmt.Errorf("a transfer between two pockets (%s, %s) goes through the house", move.From, move.To)
	}
	made := leg{amount: move.Amount}
	var err error
	if made.debit, err = b.accountID(purse, move.From); err != nil {
		return leg{}, err
	}
	if made.credit, err = b.accountID(purse, move.To); err != nil {
		return leg{}, err
	}
	kind, change := move.To, move.Amount
	if move.From.ofPlayer() {
		kind, change = move.From, -move.Amount
	}
	if kind.ofPlayer() {
		account := purse.account(kind)
		made.touched, made.account, made.balanceBefore = true, account, account.Balance
		if account.Balance, err = account.Balance.Add(change); err != nil {
			return leg{}, err
		}
		account.Version++
		made.balanceAfter, made.versionAfter = account.Balance, account.Version
	}
	return made, nil
}

func (b *Book) accountID(purse *Purse, kind AccountKind) (int64, error) {
	if kind.ofPlayer() {
		return purse.account(kind).ID, nil
	}
	return b.ledger.houseID(purse.Currency, kind)
}

// Mark remembers how far the book has come, for [Book.Undo].
func (b *Book) Mark() int { return len(b.posted) }

// Undo forgets everything posted since the mark, last first: the instruction that posted it
// turned out to be refused.
func (b *Book) Undo(mark int) {
	for i := len(b.posted) - 1; i >= mark; i-- {
		entry := b.posted[i]
		delete(b.known, entry.Key)
		for j := len(entry.legs) - 1; j >= 0; j-- {
			if made := entry.legs[j]; made.touched {
				made.account.Balance = made.balanceBefore
				made.account.Version--
			}
		}
	}
	b.posted = b.posted[:mark]
}

// byKey orders postings the way every batch inserts them, so that two batches that meet on a
// unique key wait for each other instead of deadlocking.
func byKey(a, b posting) int {
	if order := strings.Compare(a.Source, b.Source); order != 0 {
		return order
	}
	return strings.Compare(a.ExternalID, b.ExternalID)
}

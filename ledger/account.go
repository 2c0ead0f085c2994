package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"evens/internal/postgres"
	"evens/money"
)

// AccountKind names a pocket of a player or a purpose of the house.
type AccountKind string

// The kinds of account. Cash and Bonus belong to a player, the others to the house, one a currency.
const (
	Cash       AccountKind = "cash"
	Bonus      AccountKind = "bonus"
	Cashier    AccountKind = "cashier"     // the world outside: its balance is minus what players brought in
	StakesHeld AccountKind = "stakes_held" // stakes of coupons without a result
	Sportsbook AccountKind = "sportsbook"  // stakes won less payouts
	Casino     AccountKind = "casino"      // bets on games less wins
	// WithdrawalsHeld has what players have asked for and the payment gateway has not paid yet.
	WithdrawalsHeld AccountKind = "withdrawals_held"
	Promotions      AccountKind = "promotions"  // bonuses taken back less those given and converted
	Adjustments     AccountKind = "adjustments" // what was put right by hand
	// Suspense has what was paid in or out and belongs to no player that we know of.
	Suspense AccountKind = "suspense"
)

func (k AccountKind) ofPlayer() bool { return k == Cash || k == Bonus }

var houseKinds = []AccountKind{Cashier, StakesHeld, Sportsbook, Casino, WithdrawalsHeld, Promotions, Adjustments, Suspense}

// Account is one player's pocket as loaded, and as it will be written.
type Account struct {
	ID      int64
	Balance money.Amount
	Version int64 // number of transfers that have touched the account
}

// Purse is all that a player has, in the player's one currency.
type Purse struct {
	Player   uuid.UUID
	Currency money.Currency
	Cash     Account
	Bonus    Account
	// Tally is what the caller counts of this player; [Purse.Count] has it written.
	Tally   Tally
	counted bool
}

// Tally is what a caller counts of a player beside the balances. It is read and written with the cash
// account, whose row each movement writes anyway; what the numbers mean is the caller's to say.
type Tally struct {
	Revision                         int32     // 0: nothing is counted of this player
	Quarter                          time.Time // when Deposited, Lost and Staked are counted
	Deposited, Lost, Staked, Wagered money.Amount
}

// Count has a tally written with the batch.
func (p *Purse) Count(t Tally) { p.Tally, p.counted = t, true }

func (p *Purse) account(kind AccountKind) *Account {
	if kind == Bonus {
		return &p.Bonus
	}
	return &p.Cash
}

// Ledger finds house accounts. One serves a whole process; it is safe for concurrent use.
type Ledger struct {
	house sync.Map // houseKey → account id
}

type houseKey struct {
	currency money.Currency
	kind     AccountKind
}

// New returns a ledger with an empty memory of house accounts.
func New() *Ledger { return &Ledger{} }

const openHouse = `
	INSERT INTO accounts (currency, kind)
	SELECT $1, kind FROM unnest($2::text[]) kind
	    ON CONFLICT DO NOTHING`

const openPurse = `
	INSERT INTO accounts (player_id, currency, kind, balance)
	SELECT $1, $2, kind, 0 FROM unnest($3::text[]) kind`

// OpenCurrency makes the house accounts of a currency where they are missing. It commits by
// itself, so that a player's accounts never wait for another transaction's house accounts.
func OpenCurrency(ctx context.Context, pool *pgxpool.Pool, currency money.Currency) error {
	if _, err := pool.Exec(ctx, openHouse, string(currency), kindNames(houseKinds)); err != nil {
		return fmt.Errorf("open house accounts in %s: %w", currency, err)
	}
	return nil
}

// OpenPurse makes a new player's accounts, empty. The currency's house accounts must exist.
func OpenPurse(ctx context.Context, tx pgx.Tx, player uuid.UUID, currency money.Currency) error {
	_, err := tx.Exec(ctx, openPurse, player, string(currency), kindNames([]AccountKind{Cash, Bonus}))
	if err != nil {
		return fmt.Errorf("open accounts of player %s: %w", player, err)
	}
	return nil
}

func kindNames(kinds []AccountKind) []string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	return names
}

const selectHouse = `SELECT kind, id FROM accounts WHERE currency = $1 AND player_id IS NULL`

// houseAccount answers from memory, or reads the currency's house accounts within tx.
func (l *Ledger) houseAccount(ctx context.Context, tx postgres.Querier, currency money.Currency) error {
	if _, known := l.house.Load(houseKey{currency, StakesHeld}); known {
		return nil
	}
	rows, err := tx.Query(ctx, selectHouse, string(currency))
	if err != nil {
		return fmt.Errorf("read house accounts in %s: %w", currency, err)
	}
	var kind string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&kind, &id}, func() error {
		l.house.Store(houseKey{currency, AccountKind(kind)}, id)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read house accounts in %s: %w", currency, err)
	}
	return nil
}

func (l *Ledger) houseID(currency money.Currency, kind AccountKind) (int64, error) {
	id, ok := l.house.Load(houseKey{currency, kind})
	if !ok {
		return 0, fmt.Errorf("the house has no %s account in %s", kind, currency)
	}
	return id.(int64), nil
}

package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/ledger"
	"evens/money"
)

func TestMain(m *testing.M) { testbed.Main(m) }

func open(t testing.TB) (*postgres.DB, uuid.UUID) {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 3, HotConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	player := uuid.New()
	if err := ledger.OpenCurrency(t.Context(), db.Pool, "USD"); err != nil {
		t.Fatal(err)
	}
	err = postgres.InTx(t.Context(), db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO players (id, external_id, name, email, currency, created_at) VALUES ($1, 'p', '', '', 'USD', now())`, player)
		if err != nil {
			return err
		}
		return ledger.OpenPurse(ctx, tx, player, "USD")
	})
	if err != nil {
		t.Fatal(err)
	}
	return db, player
}

// with opens a book on the player and commits what do posts.
func with(t testing.TB, db *postgres.DB, player uuid.UUID, keys []ledger.Key, do func(book *ledger.Book)) error {
	t.Helper()
	return postgres.InTx(t.Context(), db.Hot, func(ctx context.Context, tx pgx.Tx) error {
		book, err := ledger.New().Load(ctx, tx, []uuid.UUID{player}, keys)
		if err != nil {
			return err
		}
		do(book)
		batch := &pgx.Batch{}
		book.Queue(batch)
		return tx.SendBatch(ctx, batch).Close()
	})
}

func transaction(player uuid.UUID, id, content string) ledger.Transaction {
	return ledger.Transaction{
		Key: ledger.Key{Source: "test", ExternalID: id}, Kind: ledger.Deposit, Player: player,
		Payload: ledger.HashOf(content), At: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC),
	}
}

func in(amount money.Amount) ledger.Move {
	return ledger.Move{From: ledger.Cashier, To: ledger.Cash, Amount: amount}
}

func audit(t testing.TB, db *postgres.DB) {
	t.Helper()
	err := postgres.InTx(context.Background(), db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		report, err := ledger.Begin(ctx, tx, time.Now())
		if err == nil && !report.Clean {
			err = fmt.Errorf("violations: %+v", report.Checks)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPostTwice(t *testing.T) {
	t.Parallel()
	db, player := open(t)
	key := ledger.Key{Source: "test", ExternalID: "a"}
	var first *ledger.Transaction
	err := with(t, db, player, nil, func(book *ledger.Book) {
		var fresh bool
		var err error
		if first, fresh, err = book.Post(transaction(player, "a", "ten"), in(100_000)); err != nil || !fresh {
			t.Errorf("Post() = fresh %t, %v", fresh, err)
		}
		if again, fresh, err := book.Post(transaction(player, "a", "ten"), in(100_000)); err != nil || fresh || again != first {
			t.Errorf("again in the same book: fresh %t, %v", fresh, err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	err = with(t, db, player, []ledger.Key{key}, func(book *ledger.Book) {
		again, fresh, err := book.Post(transaction(player, "a", "ten"), in(100_000))
		if err != nil || fresh || again.ID != first.ID || again.CashTo != 100_000 {
			t.Errorf("again in another book = %+v, fresh %t, %v", again, fresh, err)
		}
		if _, _, err := book.Post(transaction(player, "a", "eleven"), in(110_000)); !errors.Is(err, ledger.ErrConflict) {
			t.Errorf("other content: %v, want ErrConflict", err)
		}
		if got := book.Purse(player).Cash.Balance; got != 100_000 {
			t.Errorf("cash = %s, want 10.00", got)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	// Without having looked the key up, the database itself refuses the second.
	err = with(t, db, player, nil, func(book *ledger.Book) {
		if _, _, err := book.Post(transaction(player, "a", "ten"), in(100_000)); err != nil {
			t.Error(err)
		}
	})
	if !postgres.Violates(err, "transactions_key") {
		t.Errorf("a second transaction under the key: %v, want a violation of transactions_key", err)
	}
	audit(t, db)
}

func TestPostRefuses(t *testing.T) {
	t.Parallel()
	db, player := open(t)
	err := with(t, db, player, nil, func(book *ledger.Book) {
		for _, test := range []struct {
			name   string
			player uuid.UUID
			moves  []ledger.Move
			want   error
		}{
			{"nothing", player, []ledger.Move{in(0)}, nil},
			{"less than nothing", player, []ledger.Move{in(-1)}, nil},
			{"pocket to pocket", player, []ledger.Move{{From: ledger.Cash, To: ledger.Bonus, Amount: 1}}, nil},
			{"an account the house has not", player, []ledger.Move{{From: "piggy bank", To: ledger.Cash, Amount: 1}}, nil},
			{"more than can be counted", player, []ledger.Move{in(math.MaxInt64), in(1)}, money.ErrOverflow},
			{"a stranger", uuid.New(), []ledger.Move{in(1)}, ledger.ErrNoPurse},
		} {
			_, _, err := book.Post(transaction(test.player, test.name, ""), test.moves...)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		}
		if purse := book.Purse(player); purse.Cash.Balance != 0 || purse.Cash.Version != 0 {
			t.Errorf("refused posts left %+v", purse.Cash)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	audit(t, db)
}

// The database refuses what would change the past, whoever asks.
func TestThePastStands(t *testing.T) {
	t.Parallel()
	db, player := open(t)
	if err := with(t, db, player, nil, func(book *ledger.Book) {
		if _, _, err := book.Post(transaction(player, "a", ""), in(1)); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE transfers SET amount = 2`, `DELETE FROM transfers`, `TRUNCATE transfers`,
		`UPDATE transactions SET amount = 2`, `DELETE FROM transactions`, `TRUNCATE transactions`,
		`UPDATE settlements SET payout_after = 1`, `DELETE FROM settlements`, `TRUNCATE settlements`,
		`INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, at) VALUES (gen_random_uuid(), 1, 1, 2, 0, now())`,
		`INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, at) VALUES (gen_random_uuid(), 1, 1, 2, -5, now())`,
		`INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount, at) VALUES (gen_random_uuid(), 1, 1, 1, 5, now())`,
	} {
		if _, err := db.Pool.Exec(t.Context(), statement); err == nil {
			t.Errorf("done: %s", statement)
		}
	}
	audit(t, db)
}

// Each tampering breaks a rule that the audit knows.
func TestAuditFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]string{
		"a balance changed":             `UPDATE accounts SET balance = balance + 1 WHERE kind = 'cash'`,
		"a version skipped":             `UPDATE accounts SET version = version + 1 WHERE kind = 'cash'`,
		"a transfer without its cause":  `INSERT INTO transfers SELECT gen_random_uuid(), leg, debit_account, credit_account, amount, balance_after, account_version, at FROM transfers`,
		"a transaction without effect":  `INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after, payload_hash, at) SELECT gen_random_uuid(), 'x', 'x', kind, player_id, 5, 5, 0, payload_hash, at FROM transactions`,
		"a transfer changed underneath": `ALTER TABLE transfers DISABLE TRIGGER USER; UPDATE transfers SET amount = amount + 1`,
		"a transfer lost underneath":    `ALTER TABLE transfers DISABLE TRIGGER USER; DELETE FROM transfers`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, player := open(t)
			if err := with(t, db, player, nil, func(book *ledger.Book) {
				if _, _, err := book.Post(transaction(player, "a", ""), in(5)); err != nil {
					t.Error(err)
				}
			}); err != nil {
				t.Fatal(err)
			}
			audit(t, db)
			if _, err := db.Pool.Exec(t.Context(), tamper, pgx.QueryExecModeSimpleProtocol); err != nil {
				t.Fatal(err)
			}
			err := postgres.InTx(t.Context(), db.Pool, func(ctx context.Context, tx pgx.Tx) error {
				report, err := ledger.Begin(ctx, tx, time.Now())
				if err == nil && report.Clean {
					t.Error("the audit is clean")
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Posts and undos in any order leave the book where a plain sum says.
func TestUndoRestoresTheBook(t *testing.T) {
	t.Parallel()
	db, player := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		err := postgres.InTx(t.Context(), db.Hot, func(ctx context.Context, tx pgx.Tx) error {
			book, err := ledger.New().Load(ctx, tx, []uuid.UUID{player}, nil)
			if err != nil {
				return err
			}
			type state struct {
				mark    int
				cash    money.Amount
				version int64
			}
			history := []state{{}}
			for i := range rapid.IntRange(1, 30).Draw(rt, "steps") {
				now := history[len(history)-1]
				if len(history) > 1 && rapid.IntRange(0, 2).Draw(rt, "undo") == 0 {
					back := rapid.IntRange(0, len(history)-1).Draw(rt, "to")
					book.Undo(history[back].mark)
					history = history[:back+1]
				} else {
					amount := money.Amount(rapid.Int64Range(1, 1_000_000).Draw(rt, "amount"))
					move, change := in(amount), amount
					if rapid.Bool().Draw(rt, "out") {
						move, change = ledger.Move{From: ledger.Cash, To: ledger.StakesHeld, Amount: amount}, -amount
					}
					if _, _, err := book.Post(transaction(player, fmt.Sprint(i), ""), move); err != nil {
						return err
					}
					history = append(history, state{mark: book.Mark(), cash: now.cash + change, version: now.version + 1})
				}
				want := history[len(history)-1]
				if purse := book.Purse(player); purse.Cash.Balance != want.cash || purse.Cash.Version != want.version {
					rt.Fatalf("cash = %s version %d, want %s version %d", purse.Cash.Balance, purse.Cash.Version, want.cash, want.version)
				}
			}
			return pgx.ErrTxCommitRollback // nothing is kept
		})
		if err != nil && !errors.Is(err, pgx.ErrTxCommitRollback) {
			rt.Fatal(err)
		}
	})
}

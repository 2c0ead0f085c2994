package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
)

// plain is the ledger as a child would keep it: one number a pocket.
type plain struct {
	pockets map[pocket]money.Amount
	touches map[pocket]int64
	amounts map[string]money.Amount // of the transactions known, by id
}

type pocket struct {
	player uuid.UUID
	kind   ledger.AccountKind
}

func newPlain() plain {
	return plain{map[pocket]money.Amount{}, map[pocket]int64{}, map[string]money.Amount{}}
}

func (p plain) clone() plain {
	return plain{maps.Clone(p.pockets), maps.Clone(p.touches), maps.Clone(p.amounts)}
}

// Any mix of posts, repetitions, refusals and undos over several commits leaves the book, and
// the database, as the plain one has it.
func TestBookIsAPlainSum(t *testing.T) {
	t.Parallel()
	db, first := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		// A second player of each run's own; the first's balances go on from run to run.
		players := []uuid.UUID{first, newPlayer(t, db)}
		run := uuid.NewString()
		model := newPlain()
		err := commit(t, db, players, nil, func(book *ledger.Book) { model = plainOf(book, players) })
		if err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(1, 3).Draw(rt, "commits") {
			keys := make([]ledger.Key, 0, len(model.amounts))
			for id := range model.amounts {
				keys = append(keys, ledger.Key{Source: "test", ExternalID: id})
			}
			err := commit(t, db, players, keys, func(book *ledger.Book) { model = play(rt, book, players, run, model) })
			if err != nil {
				rt.Fatal(err)
			}
			same(rt, book(t, db, players), players, model)
		}
	})
	audit(t, db)
}

func newPlayer(t testing.TB, db *postgres.DB) uuid.UUID {
	t.Helper()
	id := uuid.New()
	err := postgres.InTx(t.Context(), db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		return ledger.OpenPurse(ctx, tx, id, "USD")
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func commit(t testing.TB, db *postgres.DB, players []uuid.UUID, keys []ledger.Key, do func(book *ledger.Book)) error {
	return postgres.InTx(t.Context(), db.Hot, func(ctx context.Context, tx pgx.Tx) error {
		book, err := ledger.New().Load(ctx, tx, players, keys)
		if err != nil {
			return err
		}
		do(book)
		batch := &pgx.Batch{}
		book.Queue(batch)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// book is the players' purses as the database has them.
func book(t testing.TB, db *postgres.DB, players []uuid.UUID) (loaded *ledger.Book) {
	t.Helper()
	if err := commit(t, db, players, nil, func(book *ledger.Book) { loaded = book }); err != nil {
		t.Fatal(err)
	}
	return loaded
}

func plainOf(book *ledger.Book, players []uuid.UUID) plain {
	model := newPlain()
	for _, player := range players {
		purse := book.Purse(player)
		model.pockets[pocket{player, ledger.Cash}], model.touches[pocket{player, ledger.Cash}] = purse.Cash.Balance, purse.Cash.Version
		model.pockets[pocket{player, ledger.Bonus}], model.touches[pocket{player, ledger.Bonus}] = purse.Bonus.Balance, purse.Bonus.Version
	}
	return model
}

// play takes random steps with the book and the model, and answers with the model at the end.
func play(rt *rapid.T, book *ledger.Book, players []uuid.UUID, run string, model plain) plain {
	type state struct {
		mark  int
		model plain
	}
	history := []state{{book.Mark(), model.clone()}}
	for range rapid.IntRange(0, 25).Draw(rt, "steps") {
		switch rapid.IntRange(0, 9).Draw(rt, "what") {
		case 0, 1:
			back := rapid.IntRange(0, len(history)-1).Draw(rt, "undo to")
			book.Undo(history[back].mark)
			model, history = history[back].model.clone(), history[:back+1]
		case 2:
			// Refused at the last of its transfers: the first moves nothing either.
			player := rapid.SampledFrom(players).Draw(rt, "player")
			_, _, err := book.Post(transaction(player, run+"refused", ""), in(1), in(math.MaxInt64-1), in(math.MaxInt64))
			if !errors.Is(err, money.ErrOverflow) {
				rt.Fatalf("Post() = %v, want an overflow", err)
			}
		default:
			model = model.clone()
			post(rt, book, players, run, model)
			history = append(history, state{book.Mark(), model.clone()})
		}
		same(rt, book, players, model)
	}
	return model
}

// post posts one transaction of one to three transfers under one of a few ids, so that many
// have been used before.
func post(rt *rapid.T, book *ledger.Book, players []uuid.UUID, run string, model plain) {
	player := rapid.SampledFrom(players).Draw(rt, "player")
	id := run + fmt.Sprint(rapid.IntRange(0, 12).Draw(rt, "id"))
	var moves []ledger.Move
	var amount money.Amount
	changes := map[pocket]money.Amount{}
	touches := map[pocket]int64{}
	for range rapid.IntRange(1, 3).Draw(rt, "transfers") {
		size := money.Amount(rapid.Int64Range(1, 1_000_000).Draw(rt, "amount"))
		kind := rapid.SampledFrom([]ledger.AccountKind{ledger.Cash, ledger.Bonus}).Draw(rt, "pocket")
		house := rapid.SampledFrom([]ledger.AccountKind{ledger.Cashier, ledger.StakesHeld, ledger.Sportsbook}).Draw(rt, "house")
		move, change := ledger.Move{From: house, To: kind, Amount: size}, size
		if rapid.Bool().Draw(rt, "out") {
			move, change = ledger.Move{From: kind, To: house, Amount: size}, -size
		}
		moves = append(moves, move)
		changes[pocket{player, kind}] += change
		touches[pocket{player, kind}]++
		amount += change
	}
	t := transaction(player, id, "content of "+id)
	t.Kind = ledger.Resettlement // which may take a balance below zero
	earlier, used := model.amounts[id]
	posted, fresh, err := book.Post(t, moves...)
	if err != nil || fresh == used {
		rt.Fatalf("Post(%s) = fresh %t, %v; used before: %t", id, fresh, err, used)
	}
	if !used {
		earlier = amount
		model.amounts[id] = amount
		for at, change := range changes {
			model.pockets[at] += change
			model.touches[at] += touches[at]
		}
	}
	if posted.Amount != earlier {
		rt.Fatalf("Post(%s) amount = %s, want %s", id, posted.Amount, earlier)
	}
	if _, _, err := book.Post(transaction(player, id, "other content"), moves...); !errors.Is(err, ledger.ErrConflict) {
		rt.Fatalf("other content under %s: %v, want ErrConflict", id, err)
	}
}

func same(rt *rapid.T, book *ledger.Book, players []uuid.UUID, want plain) {
	got := plainOf(book, players)
	if !maps.Equal(got.pockets, want.pockets) || !maps.Equal(got.touches, want.touches) {
		rt.Fatalf("pockets %v, touches %v, want %v, %v", got.pockets, got.touches, want.pockets, want.touches)
	}
}

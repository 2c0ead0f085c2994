package ledger

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/money"
)

// One statement a table, whatever the number of rows: columns travel as arrays.
const insertTransactions = `
	INSERT INTO transactions (id, source, external_id, kind, player_id, amount, cash_after, bonus_after,
	       provider, game_id, round_id, coupon_id, payload_hash, operator, comment, at,
	       bonus_amount, bonus_id, contribution, staked, effective_at)
	SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::bigint[], $7::bigint[],
	       $8::bigint[], $9::text[], $10::text[], $11::text[], $12::uuid[], $13::bytea[], $14::text[], $15::text[],
	       $16::timestamptz[], $17::bigint[], $18::uuid[], $19::bigint[], $20::bigint[], $21::timestamptz[])`

const insertTransfers = `
	INSERT INTO transfers (transaction_id, leg, debit_account, credit_account, amount,
	       balance_after, account_version, at)
	SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[],
	       $6::bigint[], $7::bigint[], $8::timestamptz[])`

// The rows are locked since Load; the version is asked for all the same, so that a mistake in
// locking would stop here instead of losing a movement. Index: accounts_pkey.
const updateBalances = `
	UPDATE accounts a
	   SET balance = u.balance, version = u.version
	  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) u (id, balance, version, was)
	 WHERE a.id = u.id AND a.version = u.was`

// The same for a cash account whose player's tally has changed, whether its balance has or not.
const updateTallies = `
	UPDATE accounts a
	   SET balance = u.balance, version = u.version, tally_revision = u.revision, tally_quarter = u.quarter,
	       tally_deposited = u.deposited, tally_lost = u.lost, tally_staked = u.staked, tally_wagered = u.wagered
	  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[], $6::timestamptz[], $7::bigint[], $8::bigint[],
	              $9::bigint[], $10::bigint[])
	       u (id, balance, version, was, revision, quarter, deposited, lost, staked, wagered)
	 WHERE a.id = u.id AND a.version = u.was`

// Queue adds the statements that write what was posted and counted to batch: the caller sends them,
// with its own rows behind, and commits. Afterwards the book is spent.
func (b *Book) Queue(batch *pgx.Batch) {
	if len(b.posted) > 0 {
		slices.SortStableFunc(b.posted, byKey)
		b.queueTransactions(batch)
		b.queueTransfers(batch)
	}
	b.queueBalances(batch)
}

func (b *Book) queueTransactions(batch *pgx.Batch) {
	n := len(b.posted)
	ids, players, coupons := make([]pgtype.UUID, n), make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	sources, externals, kinds := make([]string, n), make([]string, n), make([]string, n)
	amounts, cash, bonus := make([]int64, n), make([]int64, n), make([]int64, n)
	providers, games, rounds := make([]pgtype.Text, n), make([]pgtype.Text, n), make([]pgtype.Text, n)
	operators, comments := make([]pgtype.Text, n), make([]pgtype.Text, n)
	hashes, at := make([][]byte, n), make([]time.Time, n)
	bonusAmounts, contributions, staked := make([]pgtype.Int8, n), make([]pgtype.Int8, n), make([]pgtype.Int8, n)
	bonuses, effective := make([]pgtype.UUID, n), make([]pgtype.Timestamptz, n)
	for i, p := range b.posted {
		t := p.Transaction
		ids[i], players[i] = postgres.UUID(t.ID), postgres.UUID(t.Player)
		coupons[i] = postgres.NullUUID(t.Coupon)
		sources[i], externals[i], kinds[i] = t.Source, t.ExternalID, string(t.Kind)
		amounts[i], cash[i], bonus[i] = int64(t.Amount), int64(t.CashTo), int64(t.BonusTo)
		providers[i], games[i], rounds[i] = optional(t.Provider), optional(t.Game), optional(t.Round)
		operators[i], comments[i] = optional(t.Operator), optional(t.Comment)
		hashes[i], at[i] = t.Payload[:], t.At
		bonusAmounts[i], contributions[i], staked[i] = unlessZero(t.Bonus), unlessZero(t.Contribution), unlessZero(t.Staked)
		bonuses[i] = postgres.NullUUID(t.BonusID)
		effective[i] = pgtype.Timestamptz{Time: t.Effective, Valid: !t.Effective.IsZero()}
	}
	array := postgres.Array[pgtype.Text]
	batch.Queue(insertTransactions, postgres.Array(ids), sources, externals, kinds, postgres.Array(players), amounts, cash, bonus,
		array(providers), array(games), array(rounds), postgres.Array(coupons), postgres.Array(hashes), array(operators), array(comments), at,
		postgres.Array(bonusAmounts), postgres.Array(bonuses), postgres.Array(contributions), postgres.Array(staked), postgres.Array(effective))
}

// unlessZero is null for what most transactions don't have.
func unlessZero(amount money.Amount) pgtype.Int8 {
	return pgtype.Int8{Int64: int64(amount), Valid: amount != 0}
}

func optional(text string) pgtype.Text { return pgtype.Text{String: text, Valid: text != ""} }

func (b *Book) queueTransfers(batch *pgx.Batch) {
	n := 0
	for _, p := range b.posted {
		n += len(p.legs)
	}
	transactions, legs := make([]pgtype.UUID, 0, n), make([]int16, 0, n)
	debits, credits, amounts := make([]int64, 0, n), make([]int64, 0, n), make([]int64, 0, n)
	balances, versions := make([]pgtype.Int8, 0, n), make([]pgtype.Int8, 0, n)
	at := make([]time.Time, 0, n)
	for _, p := range b.posted {
		for i, made := range p.legs {
			transactions, legs = append(transactions, postgres.UUID(p.ID)), append(legs, int16(i+1))
			debits, credits = append(debits, made.debit), append(credits, made.credit)
			amounts = append(amounts, int64(made.amount))
			balances = append(balances, pgtype.Int8{Int64: int64(made.balanceAfter), Valid: made.touched})
			versions = append(versions, pgtype.Int8{Int64: made.versionAfter, Valid: made.touched})
			at = append(at, p.At)
		}
	}
	if len(transactions) > 0 {
		batch.Queue(insertTransfers, postgres.Array(transactions), legs, debits, credits, amounts,
			postgres.Array(balances), postgres.Array(versions), at)
	}
}

func (b *Book) queueBalances(batch *pgx.Batch) {
	touched := make(map[*Account]int64)
	order := []*Account{}
	for _, p := range b.posted {
		for _, made := range p.legs {
			if made.touched {
				if touched[made.account] == 0 {
					order = append(order, made.account)
				}
				touched[made.account]++
			}
		}
	}
	b.queueTallies(batch, touched)
	ids, balances, versions, were := []int64{}, []int64{}, []int64{}, []int64{}
	for _, account := range order {
		if touches := touched[account]; touches > 0 {
			ids, balances = append(ids, account.ID), append(balances, int64(account.Balance))
			versions, were = append(versions, account.Version), append(were, account.Version-touches)
		}
	}
	if len(ids) > 0 {
		postgres.QueueExactly(batch, len(ids), "balances", updateBalances, ids, balances, versions, were)
	}
}

// queueTallies writes the cash accounts of purses that were counted, and takes them out of touched.
func (b *Book) queueTallies(batch *pgx.Batch, touched map[*Account]int64) {
	ids, balances, versions, were := []int64{}, []int64{}, []int64{}, []int64{}
	revisions, quarters := []int32{}, []time.Time{}
	deposited, lost, staked, wagered := []int64{}, []int64{}, []int64{}, []int64{}
	for _, purse := range b.purses {
		if !purse.counted {
			continue
		}
		cash, t := &purse.Cash, purse.Tally
		ids, balances = append(ids, cash.ID), append(balances, int64(cash.Balance))
		versions, were = append(versions, cash.Version), append(were, cash.Version-touched[cash])
		revisions, quarters = append(revisions, t.Revision), append(quarters, t.Quarter)
		deposited, lost = append(deposited, int64(t.Deposited)), append(lost, int64(t.Lost))
		staked, wagered = append(staked, int64(t.Staked)), append(wagered, int64(t.Wagered))
		delete(touched, cash)
	}
	if len(ids) > 0 {
		postgres.QueueExactly(batch, len(ids), "tallies", updateTallies, ids, balances, versions, were, revisions, quarters, deposited, lost, staked, wagered)
	}
}

// Moved lists the players whose balances this book changed.
func (b *Book) Moved() []uuid.UUID {
	seen := make(map[uuid.UUID]bool)
	var players []uuid.UUID
	for _, p := range b.posted {
		for _, made := range p.legs {
			if made.touched && !seen[p.Player] {
				seen[p.Player] = true
				players = append(players, p.Player)
			}
		}
	}
	return players
}

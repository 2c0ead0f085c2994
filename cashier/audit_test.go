package cashier

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// even fills the books with a payment of every fate.
func (d desk) even() {
	d.t.Helper()
	ctx, poster := d.t.Context(), d.poster()
	tell := func(kind, id string, statuses ...string) {
		d.t.Helper()
		for _, status := range statuses {
			if answer, err := d.gateway().Tell(ctx, d.notice(kind, id, "10.00", status)); err != nil || answer.Status != 200 {
				d.t.Fatalf("%s %s %s: %+v, %v", kind, id, status, answer, err)
			}
		}
	}
	tell("deposit", "d", "succeeded")
	tell("deposit", "d-back", "succeeded", "returned")
	tell("deposit", "d-odd", "failed", "succeeded")
	for _, id := range []string{"more-1", "more-2", "more-3"} {
		tell("deposit", id, "succeeded")
	}
	tell("withdrawal", "w-paid", "requested", "paid")
	tell("withdrawal", "w-failed", "requested", "failed")
	tell("withdrawal", "w-late", "failed", "requested")
	tell("withdrawal", "w-odd", "paid", "failed")
	tell("withdrawal", "w-back", "paid", "returned")
	tell("withdrawal", "w-held", "requested")
	if _, err := wallet.Withdraw(ctx, poster, d.order("w-direct", "5")); err != nil {
		d.t.Fatal(err)
	}
	stranger := d.notice("deposit", "nobody", "3.00", "succeeded")
	stranger.Player = "nobody"
	d.tell(stranger, 200, "suspense")
	grant := wallet.Grant{Player: d.who.ID, Currency: "BRL", Amount: money.MustParse("1"), Wagering: 0, Terms: wallet.OpenTerms(), At: time.Now()}
	if _, err := wallet.GiveBonus(ctx, poster, grant, wallet.Request{}); err != nil {
		d.t.Fatal(err)
	}
}

const (
	copyTransaction = `INSERT INTO transactions SELECT gen_random_uuid(), $SOURCE, $ID, kind, player_id, amount, cash_after, bonus_after,
		provider, game_id, round_id, coupon_id, payload_hash, operator, comment, at, bonus_amount, bonus_id, contribution, staked, effective_at
		FROM transactions WHERE source = $OF AND external_id = $ID`
	copyTransfers = `INSERT INTO transfers SELECT x.id, t.leg, t.debit_account, t.credit_account, t.amount, t.balance_after, t.account_version, t.at
		FROM transactions x, transactions o JOIN transfers t ON t.transaction_id = o.id
		WHERE x.source = $SOURCE AND x.external_id = $ID AND o.source = $OF AND o.external_id = $ID`
)

// again is a transaction with its transfers under another source.
func again(of, id, source string) string {
	text := strings.NewReplacer("$SOURCE", "'"+source+"'", "$ID", "'"+id+"'", "$OF", "'"+of+"'")
	return text.Replace(copyTransaction) + ";" + text.Replace(copyTransfers)
}

// Whatever is bent about payments, the suspense account and completed bonuses, the audit names it.
func TestTheAuditSeesBentPayments(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.even()
	const (
		held     = "held withdrawals are those neither paid nor returned"
		twice    = "no more than its amount was held of a withdrawal, nor given away twice"
		stranger = "what was said of a payment's end is about a payment of that player, or moved nothing"
		together = "a payment has moved what its messages say together"
		suspense = "the suspense account has what its open rows say"
		rows     = "every row of the suspense account has its transaction"
		odd      = "a gateway's contradiction is shown to somebody"
		bonus    = "a completed bonus was wagered, and what it left became cash as its terms say"
	)
	for name, test := range map[string]struct{ sql, rule string }{
		"nothing":                             {`SELECT 1`, ""},
		"a held withdrawal without a request": {`DELETE FROM transactions WHERE source = 'cashier' AND external_id = 'w-held'`, held},
		"a request whose money isn't held":    {`DELETE FROM transfers USING transactions x WHERE x.id = transaction_id AND x.external_id = 'w-held'`, "every transaction has its transfers, but for those of nothing"},
		"an end that is gone":                 {`DELETE FROM transactions WHERE source = 'cashier:paid' AND external_id = 'w-paid'`, held},
		"paid twice":                          {again("cashier:paid", "w-paid", "cashier:failed"), twice},
		"paid and given back":                 {`UPDATE transactions SET source = 'cashier:returned' WHERE source = 'cashier:paid' AND external_id = 'w-paid'`, together},
		"one paid that was direct": {
			again("cashier:paid", "w-paid", "cashier:unreserved") + `; UPDATE transactions SET external_id = 'w-direct' WHERE source = 'cashier:unreserved' AND external_id = 'w-paid'`, twice,
		},
		"an end of another's":              {`UPDATE transactions SET player_id = gen_random_uuid() WHERE source = 'cashier:failed' AND external_id = 'w-failed'`, stranger},
		"an end of no payment":             {`UPDATE transactions SET external_id = 'w-none' WHERE source = 'cashier:failed' AND external_id = 'w-failed'`, stranger},
		"an end of another amount":         {`UPDATE transactions SET amount = amount - 1 WHERE source = 'cashier:returned' AND external_id = 'w-back'`, together},
		"a note that is gone":              {`DELETE FROM transactions WHERE source = 'cashier:failed' AND external_id = 'w-late'`, together},
		"a chargeback that is gone":        {`DELETE FROM transactions WHERE source = 'cashier:returned' AND external_id = 'd-back'`, "every transfer has its transaction"},
		"a row of another sum":             {`UPDATE suspense SET booked = booked + 1 WHERE reason = 'unknown_player'`, suspense},
		"a row that is gone":               {`DELETE FROM suspense WHERE reason = 'unknown_player'`, rows},
		"a row that ended by itself":       {`UPDATE suspense SET ended_at = now() WHERE reason = 'unknown_player'`, suspense},
		"a row of another currency":        {`UPDATE suspense SET currency = 'USD' WHERE reason = 'unknown_player'`, suspense},
		"a row of nothing":                 {`INSERT INTO suspense SELECT gen_random_uuid(), 'x', event, reason, player, currency, amount, booked, method, at, now() FROM suspense WHERE reason = 'unknown_player'`, rows},
		"a row's transaction that is gone": {`DELETE FROM transactions WHERE source = 'cashier:suspense'`, rows},
		"a contradiction nobody sees":      {`DELETE FROM suspense WHERE transaction_id = 'w-odd'`, odd},
		"a deposit's, too":                 {`DELETE FROM suspense WHERE transaction_id = 'd-odd'`, odd},
		"a bonus that asks for more":       {`UPDATE bonuses SET required = 1`, bonus},
		"a bonus that wagered less":        {`UPDATE bonuses SET wagered = -1`, bonus},
		"a debt without a cause": {
			`UPDATE transactions SET source = 'x' WHERE source = 'cashier:paid' AND external_id = 'w-paid';
			 UPDATE transfers SET balance_after = -1 FROM transactions x WHERE x.id = transaction_id AND x.source = 'cashier' AND x.external_id = 'w-paid'`,
			"only a correction, or what has happened outside, takes a balance below zero",
		},
	} {
		if broken := d.bent(test.sql); test.rule == "" && len(broken) > 0 || test.rule != "" && !slices.Contains(broken, test.rule) {
			t.Errorf("%s: the audit names %q, want %q", name, broken, test.rule)
		}
	}
}

// bent plants a corruption, lets the audit look, and takes it back.
func (d desk) bent(sql string) (broken []string) {
	d.t.Helper()
	ctx := d.t.Context()
	tx, err := d.db.Pool.Begin(ctx)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	for _, statement := range []string{"SET LOCAL session_replication_role = replica", sql} {
		if _, err := tx.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			d.t.Fatalf("%s: %v", sql, err)
		}
	}
	report, err := ledger.Begin(ctx, tx, time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, check := range slices.Concat(wallet.WithdrawalChecks, wallet.PlayerChecks) {
		if err := report.Add(ctx, tx, check); err != nil {
			d.t.Fatal(err)
		}
	}
	for _, check := range report.Checks {
		if check.Total > 0 {
			broken = append(broken, check.Name)
		}
	}
	return broken
}

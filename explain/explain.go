// Package explain tells the story of a coupon or of a balance, step by step: the message that caused
// each step, the rule that applied, and the transfers it made. It reads, and changes nothing.
package explain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// Step is one thing that happened.
type Step struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
	// Why is the rule that applied.
	Why string `json:"why,omitempty"`
	// Message is what caused it: a callback, a result, a request.
	Message     string     `json:"message,omitempty"`
	Transaction *uuid.UUID `json:"transaction_id,omitempty"`
	Transfers   []Transfer `json:"transfers,omitempty"`
	Balance     string     `json:"balance,omitempty"` // the player's cash afterwards
	Bonus       string     `json:"bonus,omitempty"`   // and the bonus pocket, where there is or was something in it
}

// Transfer is one movement between two accounts.
type Transfer struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Amount string `json:"amount"`
}

var (
	// ErrNoCoupon says that there is no coupon of that id or bet code.
	ErrNoCoupon = errors.New("no such coupon")
	// ErrSeveral says that bookmakers have the same code for coupons of theirs: one is named by its id.
	ErrSeveral = errors.New("several coupons have that bet code, name one by its id")
	// ErrNoPlayer says that there is no player of that id or external id.
	ErrNoPlayer = errors.New("no such player")
)

// rules say, for each kind of transaction, why it was made.
//
//exhaustive:enforce
var rules = map[ledger.Kind]string{
	ledger.Deposit:          "the payment side says it was paid",
	ledger.Withdrawal:       "the player takes money out",
	ledger.WithdrawalPaid:   "the payment gateway has paid it",
	ledger.WithdrawalReturn: "the payment gateway has not paid it, or it came back",
	ledger.DepositReturn:    "the payment gateway says it went back to the payer",
	ledger.Stake:            "a coupon's stake is reserved before BeT is asked",
	ledger.StakeReturn:      "a coupon that was rejected or refunded gives its stake back",
	ledger.Payout:           "the first result says it won: stake to the book, payout to the player",
	ledger.Loss:             "the first result says it lost: the stake goes to the book",
	ledger.Resettlement:     "a later word holds: the difference to what was paid moves",
	ledger.Bet:              "a game takes a stake",
	ledger.Win:              "a game pays",
	ledger.BetWin:           "a game takes a stake and pays its win",
	ledger.Rollback:         "what an instruction moved goes back",
	ledger.Adjustment:       "an operator put it right by hand",
	ledger.BonusGrant:       "the house gives a bonus",
	ledger.BonusConversion:  "it is wagered: what is left becomes cash",
	ledger.BonusExpiry:      "its time is over: the house takes back what is left",
	ledger.BonusForfeiture:  "it was given up: the house takes back what is left",
	ledger.BonusCorrection:  "what a stake of an ended bonus gave goes where that bonus went",
	ledger.Refused:          "refused for good: the same id is answered so again",
	ledger.Tombstone:        "rolled back before it came: the id is kept out",
	ledger.SuspenseBooked:   "a payment of no player that we know of is kept aside",
	ledger.SuspenseEnded:    "it ends without a player",
}

// Index: transactions_player.
const readTransactions = `
	SELECT x.id, x.at, x.kind, x.amount, x.cash_after, x.bonus_after, coalesce(x.bonus_amount, 0), coalesce(x.contribution, 0), coalesce(x.provider, x.source), x.external_id, coalesce(x.game_id, ''), coalesce(x.round_id, ''),
	       coalesce(x.operator, ''), coalesce(x.comment, ''), d.valid_stake, coalesce(d.jackpot_win, 0)
	  FROM transactions x LEFT JOIN bet_details d ON d.transaction_id = x.id
	 WHERE x.player_id = $1 AND x.at <= $2 AND ($3::uuid IS NULL OR x.coupon_id = $3)
	 ORDER BY x.id`

// Index: transfers_pkey.
const readTransfers = `
	SELECT t.transaction_id, d.kind, c.kind, t.amount
	  FROM transfers t JOIN accounts d ON d.id = t.debit_account JOIN accounts c ON c.id = t.credit_account
	 WHERE t.transaction_id = ANY ($1) ORDER BY t.transaction_id, t.leg`

// Index: callbacks_pkey: the ids of calls are as old as what they made, give or take seconds.
const readCallbacks = `SELECT transaction_id, id FROM callbacks WHERE id >= $2 AND id < $3 AND transaction_id = ANY ($1)`

// some is how many transactions are looked up at once.
const some = 500

// transactions are the steps of a player, or of one coupon of theirs, up to a time.
func transactions(ctx context.Context, tx pgx.Tx, player uuid.UUID, coupon uuid.NullUUID, until time.Time) ([]Step, error) {
	rows, err := tx.Query(ctx, readTransactions, pgx.QueryExecModeExec, player, until, coupon)
	if err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	var steps []Step
	var id uuid.UUID
	var at time.Time
	var kind ledger.Kind
	var provider, external, game, round, operator, comment string
	var amount, cash, bonus, ofBonus, counts, jackpot money.Amount
	var valid *money.Amount
	_, err = pgx.ForEachRow(rows, []any{&id, &at, &kind, &amount, &cash, &bonus, &ofBonus, &counts, &provider, &external, &game, &round, &operator, &comment, &valid, &jackpot}, func() error {
		transaction := id
		step := Step{
			At: at.UTC(), What: fmt.Sprintf("%s %s of %s", kind, amount, provider), Why: rules[kind], Message: provider + " " + external,
			Transaction: &transaction, Balance: cash.String(),
		}
		for _, part := range [][2]string{{"game", game}, {"round", round}, {"by", operator}, {"comment", comment}} {
			if part[1] != "" {
				step.Message += ", " + part[0] + " " + part[1]
			}
		}
		if bonus != 0 || ofBonus != 0 {
			step.Bonus = bonus.String()
		}
		if counts != 0 {
			step.Why = join(step.Why, counts.String()+" counts towards the bonus")
		}
		if jackpot != 0 {
			step.Why = join(step.Why, jackpot.String()+" of the win was paid by a jackpot")
		}
		if valid != nil {
			step.Why = join(step.Why, valid.String()+" of the stake counts as turnover there")
		}
		steps = append(steps, step)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	for chunk := range slices.Chunk(steps, some) {
		if err := fill(ctx, tx, chunk); err != nil {
			return nil, err
		}
	}
	return steps, nil
}

// fill adds the transfers and the callbacks of transactions.
func fill(ctx context.Context, tx pgx.Tx, steps []Step) error {
	ids := make([]uuid.UUID, len(steps))
	byID := make(map[uuid.UUID]*Step, len(steps))
	for i := range steps {
		ids[i] = *steps[i].Transaction
		byID[ids[i]] = &steps[i]
	}
	rows, err := tx.Query(ctx, readTransfers, ids)
	if err != nil {
		return fmt.Errorf("read transfers: %w", err)
	}
	var id, callback uuid.UUID
	var from, to string
	var amount money.Amount
	if _, err = pgx.ForEachRow(rows, []any{&id, &from, &to, &amount}, func() error {
		byID[id].Transfers = append(byID[id].Transfers, Transfer{From: from, To: to, Amount: amount.String()})
		return nil
	}); err != nil {
		return fmt.Errorf("read transfers: %w", err)
	}
	const around = 10 * time.Second
	rows, err = tx.Query(ctx, readCallbacks, ids, postgres.IDAt(steps[0].At.Add(-around)), postgres.IDAt(steps[len(steps)-1].At.Add(around)))
	if err != nil {
		return fmt.Errorf("read callbacks: %w", err)
	}
	if _, err = pgx.ForEachRow(rows, []any{&id, &callback}, func() error {
		byID[id].Message += ", callback " + callback.String()
		return nil
	}); err != nil {
		return fmt.Errorf("read callbacks: %w", err)
	}
	return nil
}

// Index: players_pkey.
const findPlayer = `
	SELECT external_id, currency, status, created_at FROM players WHERE id = $1`

// Player tells how a player's balance came to be, up to a time. The player is named by id or
// external id.
func Player(ctx context.Context, db *postgres.DB, name string, until time.Time) (steps []Step, err error) {
	err = postgres.Snapshot(ctx, db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		id, err := player.Meant(ctx, tx, name)
		if errors.Is(err, wallet.ErrUnknownPlayer) {
			return ErrNoPlayer
		}
		if err != nil {
			return fmt.Errorf("player %s: %w", name, err)
		}
		var external, currency, status string
		var created time.Time
		if err := tx.QueryRow(ctx, findPlayer, id).Scan(&external, &currency, &status, &created); err != nil {
			return fmt.Errorf("find player: %w", err)
		}
		moved, err := transactions(ctx, tx, id, uuid.NullUUID{}, until)
		if err != nil {
			return err
		}
		steps = append([]Step{{At: created.UTC(), What: fmt.Sprintf("player %s is opened in %s", external, currency), Message: "player " + id.String()}}, moved...)
		decided, err := decisions(ctx, tx, uuid.NullUUID{UUID: id, Valid: true}, uuid.NullUUID{}, until)
		steps = append(steps, decided...)
		return err
	})
	slices.SortStableFunc(steps, func(a, b Step) int { return a.At.Compare(b.At) })
	return steps, err
}

const findCoupon = `
	SELECT id, player_id, status, stake, sent_amount, nominal, currency, coef, possible_win, payout, coalesce(bet_code, ''), coalesce(error_code, ''),
	       coalesce(error_message, ''), placed_at, pointers, rate_mode, provider,
	       CASE WHEN id IS DISTINCT FROM $1 THEN (SELECT string_agg(o.provider || ' ' || o.id, ', ' ORDER BY o.provider)
	                                                FROM coupons o WHERE o.bet_code = $2 HAVING count(*) > 1) END
	  FROM coupons WHERE id = $1 OR bet_code = $2 ORDER BY (id = $1) DESC NULLS LAST LIMIT 1`

// Coupon tells what became of a coupon, up to a time. It is named by id or bet code.
func Coupon(ctx context.Context, db *postgres.DB, name string, until time.Time) (steps []Step, err error) {
	err = postgres.Snapshot(ctx, db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		var c struct {
			id, player                             uuid.UUID
			status, currency, code, errorCode, why string
			stake, sent, possible, payout          money.Amount
			coef                                   money.Coef
			nominal                                bool
			placed                                 time.Time
			pointers                               []string
			mode, provider                         string
			several                                pgtype.Text // coupons with that code
		}
		own, is := player.OwnID(name)
		err := tx.QueryRow(ctx, findCoupon, uuid.NullUUID{UUID: own, Valid: is}, name).Scan(&c.id, &c.player, &c.status, &c.stake, &c.sent, &c.nominal, &c.currency, &c.coef, &c.possible,
			&c.payout, &c.code, &c.errorCode, &c.why, &c.placed, &c.pointers, &c.mode,
			&c.provider, &c.several)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNoCoupon
		}
		if err != nil {
			return fmt.Errorf("find coupon: %w", err)
		}
		if c.several.Valid {
			return fmt.Errorf("%w: %s", ErrSeveral, c.several.String)
		}
		steps = append(steps, Step{
			At: c.placed.UTC(), What: fmt.Sprintf("coupon %s is placed: %v, %s %s", c.id, c.pointers, c.stake, c.currency),
			Why: fmt.Sprintf("BeT is told %s, rate_mode %s", c.sent, c.mode), Message: "player " + c.player.String(),
		})
		moved, err := transactions(ctx, tx, c.player, uuid.NullUUID{UUID: c.id, Valid: true}, until)
		if err != nil {
			return err
		}
		told, err := results(ctx, tx, c.id, c.provider, c.code, until)
		if err != nil {
			return err
		}
		decided, err := decisions(ctx, tx, uuid.NullUUID{}, uuid.NullUUID{UUID: c.id, Valid: true}, until)
		if err != nil {
			return err
		}
		kept, err := keptAnswer(ctx, tx, c.id, until)
		if err != nil {
			return err
		}
		steps = append(append(append(append(steps, moved...), kept...), told...), decided...)
		slices.SortStableFunc(steps, func(a, b Step) int { return a.At.Compare(b.At) })
		var at time.Time
		if err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&at); err != nil {
			return err
		}
		now := Step{At: at.UTC(), What: fmt.Sprintf("it is %s, coefficient %s, could win %s, has paid %s", c.status, c.coef, c.possible, c.payout)}
		if c.code != "" {
			now.Message = "BeT's code " + c.code
		}
		if c.errorCode != "" {
			now.Why = c.errorCode + ": " + c.why
		}
		if until.After(now.At) {
			steps = append(steps, now)
		}
		return nil
	})
	return steps, err
}

// Indexes: results_once, settlements_pkey.
const (
	readResults = `
	SELECT id, received_at, decided_at, status, ext_status, amount_out, state, coalesce(attention, ''), coalesce(reason, '')
	  FROM results WHERE bar_code = $1 AND provider = $3 AND received_at <= $2 ORDER BY id`
	readSettlements = `
	SELECT n, at, outcome, payout_before, payout_after, coalesce(result_id, 0), transaction_id, coalesce(operator, ''), coalesce(comment, '')
	  FROM settlements WHERE coupon_id = $1 AND at <= $2 ORDER BY n`
)

// results are the bookmaker's words on a coupon and what each did.
func results(ctx context.Context, tx pgx.Tx, coupon uuid.UUID, provider, code string, until time.Time) ([]Step, error) {
	var steps []Step
	rows, err := tx.Query(ctx, readResults, code, until, provider)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	var id int64
	var received, decided time.Time
	var status, ext int
	var amount pgtype.Int8
	var state, attention, reason string
	if _, err = pgx.ForEachRow(rows, []any{&id, &received, &decided, &status, &ext, &amount, &state, &attention, &reason}, func() error {
		text := "no amount"
		if amount.Valid {
			text = money.Amount(amount.Int64).String()
		}
		steps = append(steps, Step{
			At: received.UTC(), What: fmt.Sprintf("BeT says %d/%d, %s: %s", status, ext, text, state), Why: join(attention, reason),
			Message: fmt.Sprintf("result %d, decided %s", id, decided.UTC().Format(time.RFC3339)),
		})
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	rows, err = tx.Query(ctx, readSettlements, coupon, until)
	if err != nil {
		return nil, fmt.Errorf("read settlements: %w", err)
	}
	var n int
	var at time.Time
	var outcome, operator, comment string
	var before, after money.Amount
	var result int64
	var transaction *uuid.UUID
	if _, err = pgx.ForEachRow(rows, []any{&n, &at, &outcome, &before, &after, &result, &transaction, &operator, &comment}, func() error {
		step := Step{
			At: at.UTC(), What: fmt.Sprintf("settlement %d: %s, paid %s, shall have paid %s", n, outcome, before, after),
			Why: "the last word holds; the difference moves", Message: fmt.Sprintf("result %d", result), Transaction: transaction,
		}
		if result == 0 {
			step.Message = "no result"
		}
		if operator != "" {
			step.Why = "decided by " + operator + ": " + comment
		}
		steps = append(steps, step)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read settlements: %w", err)
	}
	return steps, nil
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}

// Index: activity_log_player.
const readActivity = `
	SELECT at, event, operator, comment, detail::text FROM activity_log
	 WHERE ($1::uuid IS NOT NULL AND player_id = $1 OR $2::uuid IS NOT NULL AND coupon_id = $2) AND at <= $3 ORDER BY id`

// decisions are what people did by hand.
func decisions(ctx context.Context, tx pgx.Tx, player, coupon uuid.NullUUID, until time.Time) ([]Step, error) {
	rows, err := tx.Query(ctx, readActivity, pgx.QueryExecModeExec, player, coupon, until)
	if err != nil {
		return nil, fmt.Errorf("read the activity log: %w", err)
	}
	var steps []Step
	var at time.Time
	var event, operator, comment, detail string
	_, err = pgx.ForEachRow(rows, []any{&at, &event, &operator, &comment, &detail}, func() error {
		what := event
		if operator != "" {
			what += " by " + operator
		}
		steps = append(steps, Step{At: at.UTC(), What: what, Why: comment, Message: detail})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the activity log: %w", err)
	}
	return steps, nil
}

// Print writes a story for people.
func Print(w io.Writer, steps []Step) error {
	for _, step := range steps {
		text := fmt.Sprintf("%s  %s\n", step.At.Format("2006-01-02 15:04:05.000"), step.What)
		for _, line := range []struct{ name, value string }{{"because", step.Why}, {"by", step.Message}} {
			if line.value != "" {
				text += fmt.Sprintf("    %-8s %s\n", line.name, line.value)
			}
		}
		for _, t := range step.Transfers {
			text += fmt.Sprintf("    %-8s %s from %s to %s\n", "moved", t.Amount, t.From, t.To)
		}
		if step.Balance != "" {
			text += fmt.Sprintf("    %-8s %s\n", "cash", step.Balance)
		}
		if step.Bonus != "" {
			text += fmt.Sprintf("    %-8s %s\n", "bonus", step.Bonus)
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

package reconcile

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// event is what one event has on both sides, whatever its id.
type event struct {
	net      money.Amount
	currency string
}

// sameUnderTwoIDs makes one break, a person's, of two that are one event: missing here under their id and
// there under ours. A spreadsheet rounds ids, cuts zeros and changes letters; healed one by one the bet
// would come back and its win be paid again.
func (r *Reconciler) sameUnderTwoIDs(s *statement, breaks []*Break) ([]*Break, error) {
	ours := make(map[event][]*Break)
	for _, b := range breaks {
		if b.Kind == MissingThere {
			o := b.heal.pair.ours
			ours[event{o.Net, o.Currency}] = append(ours[event{o.Net, o.Currency}], b)
		}
	}
	if len(ours) == 0 {
		return breaks, nil
	}
	gone := make(map[*Break]bool)
	for _, b := range breaks {
		if b.Kind != MissingHere || b.heal.pair.theirs.loneReversal() {
			continue
		}
		t := b.heal.pair.theirs
		partner := findPartner(t, b.TransactionID, candidates(ours, t), gone, s.tolerance())
		if partner == nil {
			continue
		}
		of := *partner.heal.pair.ours
		of.ID = partner.TransactionID
		joined, err := r.newBreak(b.Provider, IDDiffers, pair{id: b.TransactionID, theirs: t, ours: &of})
		if err != nil {
			return nil, err
		}
		*b, gone[partner] = *joined, true
	}
	if len(gone) == 0 {
		return breaks, nil
	}
	left := breaks[:0]
	for _, b := range breaks {
		if !gone[b] {
			left = append(left, b)
		}
	}
	return left, nil
}

// tolerance is how far the times of one event may lie apart.
func (s *statement) tolerance() time.Duration {
	if s.days {
		return 24 * time.Hour
	}
	return Skew
}

func candidates(ours map[event][]*Break, t *Theirs) []*Break {
	if t.Currency != "" {
		return ours[event{t.Net, t.Currency}]
	}
	var all []*Break
	for of, some := range ours {
		if of.net == t.Net {
			all = append(all, some...)
		}
	}
	return all
}

// findPartner finds our side of an event: of the same player, and with the same letters in its id, in the
// same round, or about the same time.
func findPartner(t *Theirs, id string, among []*Break, gone map[*Break]bool, tolerance time.Duration) *Break {
	for _, b := range among {
		o := b.heal.pair.ours
		if gone[b] || t.Player != "" && t.Player != o.Player {
			continue
		}
		apart := t.At.Sub(o.At).Abs()
		if alike(id, b.TransactionID) || t.Round != "" && t.Round == o.Round || apart <= tolerance {
			return b
		}
	}
	return nil
}

// alike reports whether two ids differ only by what spreadsheets and people change.
func alike(a, b string) bool { return bare(a) == bare(b) && bare(a) != "" }

func bare(id string) string {
	id = strings.ToLower(strings.Trim(id, "'\"` \u00a0"))
	if whole, found := strings.CutSuffix(id, ".0"); found {
		id = whole
	}
	return strings.TrimLeft(id, "0")
}

// Index: transactions_key.
var readKeptOut = `
	SELECT x.external_id FROM unnest($2::text[]) k (id)
	 CROSS JOIN unnest(ARRAY[$1, $1 || ':win']) s (source)
	  JOIN transactions x ON x.source = s.source AND x.external_id = k.id AND x.kind IN (` + ledger.Where(func(t ledger.Traits) bool { return t.Class == ledger.KeptOut }) + `)`

// keptOut tells which of the events that a list only undoes never moved anything here either.
func (r *Reconciler) keptOut(ctx context.Context, provider string, pairs []pair) (map[string]bool, error) {
	var ids []string
	for _, p := range pairs {
		if p.theirs.loneReversal() {
			ids = append(ids, p.id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := r.db.Pool.Query(ctx, readKeptOut, provider, ids)
	if err != nil {
		return nil, fmt.Errorf("look for ids that are kept out: %w", err)
	}
	kept := make(map[string]bool)
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		kept[id] = true
		return nil
	})
	return kept, err
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
func (r *Reconciler) paidButHeld(ctx context.Context, s *statement, found *findings) error {
	rows, err := r.db.Pool.Query(ctx, readPaidButHeld, s.id, found.provider)
	if err != nil {
		return fmt.Errorf("look for withdrawals that are held: %w", err)
	}
	var id string
	o := Ours{Kind: "withdrawal held"}
	var player uuid.UUID
	_, err = pgx.ForEachRow(rows, []any{&id, &o.Net, &o.At, &player, &o.Player, &o.Currency}, func() error {
		ours := o
		ours.Amount, ours.PlayerID, ours.At = ours.Net.String(), player, ours.At.UTC()
		theirs := Theirs{
			Net: o.Net, Listed: o.Net, Amount: o.Net.String(), Status: OK, At: ours.At, Debit: true, Moved: true, Player: o.Player, Currency: o.Currency,
		}
		p := pair{id: id, theirs: &theirs, ours: &ours}
		if !s.judges(p) {
			return nil
		}
		b, err := r.newBreak(found.provider, StatusDiffers, p)
		if err == nil {
			b.Action = ActPerson
			found.breaks, found.differ = append(found.breaks, b), found.differ+1
		}
		return err
	})
	return err
}

// A bank's date may be days from ours; a game platform's clock is minutes off.
const bankDays = 7 * 24 * time.Hour

// Indexes: players_external_id, transactions_player, statement_lines_statement.
var readLookalikes = `
	SELECT k.n, x.external_id, x.amount, x.at, x.kind, x.player_id, p.external_id, p.currency
	  FROM unnest($1::integer[], $2::text[], $3::bigint[]) k (n, player, amount)
	  JOIN players p ON p.external_id = k.player
	  JOIN transactions x ON x.player_id = p.id AND x.amount = k.amount AND x.provider = $4 AND x.kind IN (` + credits + `)
	 WHERE NOT EXISTS (SELECT FROM statement_lines l WHERE l.statement_id = $5 AND l.transaction_id = x.external_id)
	 ORDER BY k.n, x.id DESC`

// paidUnderAnotherID leaves to a person what would be paid and looks as if it had been, under an id that
// the list does not have: one that differs in what spreadsheets change, at any time; or, where a bank wrote
// the list, of about that day.
func (r *Reconciler) paidUnderAnotherID(ctx context.Context, provider string, s *statement, breaks []*Break) error {
	var numbers []int32
	var players []string
	var amounts []int64
	for i, b := range breaks {
		if b.Action == ActPost && b.heal.pair.theirs.Player != "" {
			numbers, players, amounts = append(numbers, int32(i)), append(players, b.heal.pair.theirs.Player), append(amounts, int64(b.heal.pair.theirs.Net))
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	rows, err := r.db.Pool.Query(ctx, readLookalikes, numbers, players, amounts, provider, s.id)
	if err != nil {
		return fmt.Errorf("look for payments under other ids: %w", err)
	}
	tolerance := time.Duration(0) // lists and files of platforms: their times have been compared
	if provider == wallet.CashSource {
		tolerance = bankDays
	}
	var n int32
	var o Ours
	_, err = pgx.ForEachRow(rows, []any{&n, &o.ID, &o.Net, &o.At, &o.Kind, &o.PlayerID, &o.Player, &o.Currency}, func() error {
		b := breaks[n]
		if b.Kind == IDDiffers || !alike(b.TransactionID, o.ID) && o.At.Sub(b.At).Abs() > tolerance {
			return nil
		}
		ours := o
		ours.Amount, ours.At = ours.Net.String(), ours.At.UTC()
		joined, err := r.newBreak(provider, IDDiffers, pair{id: b.TransactionID, theirs: b.heal.pair.theirs, ours: &ours})
		if err == nil {
			*b = *joined
		}
		return err
	})
	return err
}

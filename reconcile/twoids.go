package reconcile

import (
	"context"
	"slices"
	"strings"
	"time"

	"evens/ledger"
	"evens/money"
)

// sameUnderTwoIDs makes one break, a person's, of two that are one event: missing here under their id and
// there under ours. A spreadsheet rounds ids, cuts zeros and changes letters; healed one by one the bet
// would come back and its win be paid again.
func (t *transactions) sameUnderTwoIDs(breaks []*Break) ([]*Break, error) {
	ours := make(map[money.Amount][]*Break)
	for _, b := range breaks {
		if b.Kind == MissingThere {
			net := pairOf(b).ours.Net
			ours[net] = append(ours[net], b)
		}
	}
	gone := make(map[*Break]bool)
	for _, b := range breaks {
		if b.Kind != MissingHere || pairOf(b).theirs.loneReversal() {
			continue
		}
		theirs := pairOf(b).theirs
		partner := findPartner(theirs, b.TransactionID, ours[theirs.Net], gone, t.statement.tolerance())
		if partner == nil {
			continue
		}
		of := *pairOf(partner).ours
		of.ID = partner.TransactionID
		joined, err := newBreak(b.Provider, IDDiffers, &transactionPair{id: b.TransactionID, theirs: theirs, ours: &of})
		if err != nil {
			return nil, err
		}
		*b, gone[partner] = *joined, true
	}
	return slices.DeleteFunc(breaks, func(b *Break) bool { return gone[b] }), nil
}

// tolerance is how far the times of one event may lie apart.
func (s *statement) tolerance() time.Duration {
	if s.days {
		return 24 * time.Hour
	}
	return Skew
}

// findPartner finds our side of an event: of the same player, and with the same letters in its id, in the
// same round, or about the same time.
func findPartner(t *Theirs, id string, among []*Break, gone map[*Break]bool, tolerance time.Duration) *Break {
	for _, b := range among {
		o := pairOf(b).ours
		if gone[b] || t.Player != "" && t.Player != o.Player || t.Currency != "" && t.Currency != o.Currency {
			continue
		}
		if alike(id, b.TransactionID) || t.Round != "" && t.Round == o.Round || t.At.Sub(o.At).Abs() <= tolerance {
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
func (t *transactions) keptOut(ctx context.Context, pairs []*transactionPair) (map[string]bool, error) {
	var ids []string
	for _, p := range pairs {
		if p.theirs.loneReversal() {
			ids = append(ids, p.id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	kept := make(map[string]bool)
	var id string
	err := t.each(ctx, query{"look for ids that are kept out", readKeptOut, []any{t.provider, ids}}, []any{&id}, func() error {
		kept[id] = true
		return nil
	})
	return kept, err
}

// Indexes: players_external_id, transactions_player, statement_lines_statement.
var readLookalikes = `
	SELECT k.n, x.external_id, x.amount, x.at, x.kind, x.player_id, p.external_id, p.currency
	  FROM unnest($1::integer[], $2::text[], $3::bigint[]) k (n, player, amount)
	  JOIN players p ON p.external_id = k.player
	  JOIN transactions x ON x.player_id = p.id AND x.amount = k.amount AND x.provider = $4 AND x.kind IN (` + credits + `)
	 WHERE NOT EXISTS (SELECT FROM statement_lines l WHERE l.statement_id = $5 AND l.transaction_id = x.external_id)
	 ORDER BY k.n, x.id DESC`

// paidUnderAnotherID leaves to a person what would be paid and looks as if it had been, under an id that
// the list does not have: one that differs in what spreadsheets change, at any time; or whose time is not apart.
func (t *transactions) paidUnderAnotherID(ctx context.Context, breaks []*Break, apart time.Duration) error {
	var numbers []int32
	var players []string
	var amounts []int64
	for i, b := range breaks {
		if theirs := pairOf(b).theirs; b.Action == ActPost && theirs.Player != "" {
			numbers, players, amounts = append(numbers, int32(i)), append(players, theirs.Player), append(amounts, int64(theirs.Net))
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	var n int32
	var o Ours
	booked := query{"look for payments under other ids", readLookalikes, []any{numbers, players, amounts, t.provider, t.statement.id}}
	return t.each(ctx, booked, []any{&n, &o.ID, &o.Net, &o.At, &o.Kind, &o.PlayerID, &o.Player, &o.Currency}, func() error {
		b := breaks[n]
		if b.Kind == IDDiffers || !alike(b.TransactionID, o.ID) && o.At.Sub(b.At).Abs() > apart {
			return nil
		}
		ours := o
		ours.Amount, ours.At = ours.Net.String(), ours.At.UTC()
		joined, err := newBreak(t.provider, IDDiffers, &transactionPair{id: b.TransactionID, theirs: pairOf(b).theirs, ours: &ours})
		if err == nil {
			*b = *joined
		}
		return err
	})
}

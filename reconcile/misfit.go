package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrMisfit says that a file does not fit our books: it is another provider's, of other players, in another
// scale or of another time. Nothing of it counts.
var ErrMisfit = errors.New("this file does not fit our books, and nothing was done")

// When a file is taken for another one.
const (
	// enough lines tell by the share of known ids; fewer may all be what we never got.
	enough = 10
	// future is how far ahead of our clock a line may be.
	future = time.Hour
	// several players of whom hardly one is ours are strangers; a few may be new.
	several = 3
)

// fit is how well a file fits our books.
type fit struct {
	lines, known, elsewhere int64 // ids: all of them, ours of this provider, ours of another one alone
	players, ours           int64 // players whom the file names, and of those the ones that are ours
	ahead                   int64 // lines of the future
	same, scaled            int64 // amounts of known ids: as ours, and another by a power of ten
	factor                  string
}

// Indexes: statement_lines_statement, transactions_key, players_external_id, coupons_bookmaker_code.
const readFit = `
	WITH lines AS (
	    SELECT transaction_id AS id, max(player) AS player, max(amount) FILTER (WHERE type <> 'rollback') AS amount, max(at) AS at
	      FROM statement_lines WHERE statement_id = $1 GROUP BY transaction_id
	), known AS (
	    SELECT l.id, l.amount, (SELECT abs(x.amount) FROM unnest(ARRAY[$2, $2 || ':win', $2 || ':rollback', $2 || ':win:rollback']) s (source)
	                              JOIN transactions x ON x.source = s.source AND x.external_id = l.id
	                             ORDER BY abs(x.amount) <> l.amount, s.source LIMIT 1) AS ours,
	           EXISTS (SELECT FROM rounds r WHERE r.provider = $2 AND r.round_id = l.id)
	             OR EXISTS (SELECT FROM coupons c WHERE c.provider = $2 AND c.bet_code = l.id) AS other,
	           EXISTS (SELECT FROM unnest($3::text[]) p (name)
	                    CROSS JOIN unnest(ARRAY[p.name, p.name || ':win']) s (source)
	                     JOIN transactions x ON x.source = s.source AND x.external_id = l.id AND x.provider IS DISTINCT FROM $2) AS elsewhere
	      FROM lines l
	), scale AS (
	    SELECT ours, amount, CASE WHEN ours IS NULL OR ours = 0 OR amount = 0 OR amount IS NULL THEN NULL
	                              WHEN amount = ours THEN '1'
	                              WHEN amount IN (ours * 10::numeric, ours * 100::numeric, ours * 1000::numeric, ours * 10000::numeric) THEN (amount / ours)::text
	                              WHEN ours IN (amount * 10::numeric, amount * 100::numeric, amount * 1000::numeric, amount * 10000::numeric) THEN '1/' || (ours / amount)::text
	                              ELSE '' END AS factor
	      FROM known
	), named AS (SELECT DISTINCT player FROM lines WHERE player <> '')
	SELECT (SELECT count(*) FROM lines), (SELECT count(*) FROM known WHERE ours IS NOT NULL OR other),
	       (SELECT count(*) FROM known WHERE ours IS NULL AND NOT other AND elsewhere),
	       (SELECT count(*) FROM named), (SELECT count(*) FROM named n JOIN players p ON p.external_id = n.player),
	       (SELECT count(*) FROM lines WHERE at > $4),
	       (SELECT count(*) FROM scale WHERE factor = '1' OR factor = ''),
	       (SELECT count(*) FROM scale WHERE factor NOT IN ('', '1')),
	       coalesce((SELECT max(factor) FROM scale WHERE factor NOT IN ('', '1') HAVING count(DISTINCT factor) = 1), '')`

// fits refuses a file that is somebody else's, in another scale or of another time, with ErrMisfit.
func (r *Reconciler) fits(ctx context.Context, provider string, s *statement) error {
	var f fit
	err := r.db.Pool.QueryRow(ctx, readFit, s.id, provider, Providers(r.platforms), r.now().Add(future)).Scan(
		&f.lines, &f.known, &f.elsewhere, &f.players, &f.ours, &f.ahead, &f.same, &f.scaled, &f.factor)
	if err != nil {
		return fmt.Errorf("look whether the file fits: %w", err)
	}
	if reason := f.misfit(provider); reason != "" {
		return fmt.Errorf("%w: %s", ErrMisfit, reason)
	}
	return nil
}

// misfit says why a file does not fit; "" where it does.
func (f fit) misfit(provider string) string {
	switch {
	case f.ahead > 0:
		return fmt.Sprintf("%d of its lines are of the future: is the zone right?", f.ahead)
	case f.elsewhere > f.known:
		return fmt.Sprintf("%d of its %d ids are another provider's here, %d are %s's", f.elsewhere, f.lines, f.known, provider)
	case f.players >= several && f.ours*2 < f.players:
		return fmt.Sprintf("%d of the %d players that it names are none of ours", f.players-f.ours, f.players)
	case f.scaled > 0 && f.same == 0 && f.factor != "":
		return fmt.Sprintf("the amounts of all %d ids that we have too are %s times ours", f.scaled, f.factor)
	case f.scaled >= 3 && f.scaled > 4*f.same && f.factor != "":
		return fmt.Sprintf("the amounts of %d of %d ids that we have too are %s times ours", f.scaled, f.scaled+f.same, f.factor)
	case f.lines >= enough && f.known*10 < f.lines:
		return fmt.Sprintf("of its %d ids %d are known here", f.lines, f.known)
	}
	return ""
}

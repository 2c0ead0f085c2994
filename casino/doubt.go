package casino

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/money"
)

// doubt is what a platform's messages leave open and nobody but a person can decide. It is kept as a
// break, beside the differences to the platform's own list.
type doubt struct {
	provider string
	kind     string // one of those of breaks
	id       string // the platform's
	player   string // as the platform knows them
	currency money.Currency
	amount   money.Amount // what it is about, to the player
	code     string       // why
	message  string       // what the platform said
	at       time.Time
	// again says that it may have been raised before: one that was ended since stays so.
	again bool
}

// Kinds of doubt, in the words of breaks.
const (
	doubtMissing    = "missing_here" // they were told it is done, and it is not
	doubtStatus     = "status"
	doubtDuplicate  = "duplicate" // one id for two things
	doubtPlayer     = "player"
	doubtCurrency   = "currency"
	doubtUnreadable = "unreadable"
)

// Index: breaks_once. One that a person ignores stays so. No statement has seen it.
const raiseDoubt = `
	WITH kept AS (
	    INSERT INTO breaks (id, provider, kind, transaction_id, player, currency, amount, theirs, action, at, first_seen, last_seen, statement_id)
	    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'person', $9, $10, $10, '00000000-0000-0000-0000-000000000000')
	        ON CONFLICT ON CONSTRAINT breaks_once DO UPDATE
	       SET last_seen = excluded.last_seen, theirs = excluded.theirs, state = CASE breaks.state WHEN 'resolved' THEN 'open' ELSE breaks.state END
	     WHERE NOT $12
	    RETURNING id, xmax = 0 OR (SELECT b.state FROM breaks b WHERE b.id = breaks.id) = 'resolved' AS opened
	)
	INSERT INTO break_events (break_id, at, event, comment) SELECT id, $10, 'opened', $11 FROM kept WHERE opened`

// raise keeps a doubt. The same doubt again is one.
func raise(ctx context.Context, tx postgres.Querier, d doubt, now time.Time) error {
	theirs, err := json.Marshal(map[string]string{"message": d.message, "code": d.code, "transaction_id": d.id})
	if err == nil {
		_, err = tx.Exec(ctx, raiseDoubt, dbclock.NewID(), d.provider, d.kind, d.id, d.player, string(d.currency), int64(d.amount), theirs,
			d.at, now, d.message+": "+d.code, d.again)
	}
	if err != nil {
		return fmt.Errorf("raise a doubt about %s %s: %w", d.provider, d.id, err)
	}
	return nil
}

// Index: breaks_once.
const settleDoubts = `
	WITH settled AS (
	    UPDATE breaks SET state = 'resolved'
	     WHERE provider = $1 AND transaction_id = $2 AND kind = ANY ($3) AND state = 'open'
	       AND statement_id = '00000000-0000-0000-0000-000000000000'
	    RETURNING id
	)
	INSERT INTO break_events (break_id, at, event, comment) SELECT id, $4, 'agreed', $5 FROM settled`

// settle ends the doubts of some kinds about an id that no list has seen.
func settle(ctx context.Context, tx postgres.Querier, provider, id string, kinds []string, comment string, now time.Time) error {
	if _, err := tx.Exec(ctx, settleDoubts, provider, id, kinds, now, comment); err != nil {
		return fmt.Errorf("settle doubts about %s %s: %w", provider, id, err)
	}
	return nil
}

// tell keeps a doubt that a decision has left, where there is one: the platform is answered only then.
func (f *Floor) tell(ctx context.Context, d *doubt) error {
	if d == nil {
		return nil
	}
	return raise(ctx, f.db.Pool, *d, f.now())
}

// wonAndUndone is the doubt about a bet that was undone and a win that may be its own.
func wonAndUndone(c Call, won money.Amount, again bool) *doubt {
	return &doubt{
		provider: c.Provider, kind: doubtStatus, id: c.ID, player: c.Player.ExternalID, currency: c.Player.Currency, amount: won,
		code: Code(ErrRolledBack), message: "the bet was rolled back and the win stands", at: c.At, again: again,
	}
}

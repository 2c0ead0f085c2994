package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/money"
)

// Kind is how our books and theirs differ.
type Kind string

// The kinds of break.
const (
	MissingHere     Kind = "missing_here"
	MissingThere    Kind = "missing_there"
	AmountDiffers   Kind = "amount"
	StatusDiffers   Kind = "status"
	CurrencyDiffers Kind = "currency"
	PlayerDiffers   Kind = "player"
	Duplicate       Kind = "duplicate"
	// Terms is BeT's answer to a placement: it names another stake, number of selections or coefficient than was
	// sent. No list tells it, and none ends it.
	Terms Kind = "terms"
	// IDDiffers is one event under two ids: of a player, sum and time that each side has once.
	IDDiffers Kind = "id"
	// UnreadableLine is a line of their list that could not be read, and was left aside.
	UnreadableLine Kind = "unreadable"
)

// State is where a break stands.
type State string

// The states of a break.
const (
	StateOpen     State = "open"
	StateHealing  State = "healing"
	StateResolved State = "resolved"
	StateIgnored  State = "ignored"
)

// Break is a difference between our books and a provider's.
type Break struct {
	ID            uuid.UUID       `json:"id"`
	Provider      string          `json:"provider"`
	Kind          Kind            `json:"kind"`
	TransactionID string          `json:"transaction_id"`
	Player        string          `json:"player_id"`
	Currency      string          `json:"currency"`
	Amount        money.Amount    `json:"-"`
	Ours          json.RawMessage `json:"ours"`
	Theirs        json.RawMessage `json:"theirs"`
	State         State           `json:"state"`
	Action        Action          `json:"action"`
	Owner         string          `json:"owner,omitempty"`
	At            time.Time       `json:"at"`
	FirstSeen     time.Time       `json:"first_seen"`
	LastSeen      time.Time       `json:"last_seen"`
	HealedBy      *uuid.UUID      `json:"healed_by,omitempty"`
	// Sightings counts the runs that saw it in a list that may be believed; LaterAt is when such a list
	// first showed what is later than it. Absence and open statuses need both to count.
	Sightings int        `json:"sightings"`
	LaterAt   *time.Time `json:"later_at,omitempty"`

	of      record       // what differs; nil where nothing can be compared
	waits   bool         // it rests on what may still come
	playing bool         // the round of its bet is not over
	gain    money.Amount // what settling would pay
}

// Event is one step of a break's history.
type Event struct {
	At       time.Time `json:"at"`
	Event    string    `json:"event"`
	Operator string    `json:"operator,omitempty"`
	Comment  string    `json:"comment,omitempty"`
}

var (
	// ErrNoBreak says that there is no break of that id.
	ErrNoBreak = errors.New("no such break")
	// ErrEnded says that a break has been ended already.
	ErrEnded = errors.New("the break has ended already")
	// ErrComment says that a decision lacks its reason or its author.
	ErrComment = errors.New("a decision needs a comment and the operator's name")
)

// Index: breaks_once. One that was resolved and is seen again is open again, and one whose healing has
// become a person's; one that a person ignores stays so.
const upsertBreaks = `
	INSERT INTO breaks (id, provider, kind, transaction_id, player, currency, amount, ours, theirs, action, at, first_seen, last_seen, statement_id,
	       sightings, later_at)
	SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::jsonb[], $9::jsonb[],
	       $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::uuid[], $15::integer[], $16::timestamptz[])
	    ON CONFLICT ON CONSTRAINT breaks_once DO UPDATE
	   SET last_seen = excluded.last_seen, statement_id = excluded.statement_id, ours = excluded.ours, theirs = excluded.theirs,
	       amount = excluded.amount, action = excluded.action, sightings = excluded.sightings, later_at = excluded.later_at,
	       state = CASE WHEN breaks.state = 'resolved' OR breaks.state = 'healing' AND excluded.action IN ('person', 'wait') THEN 'open'
	                    ELSE breaks.state END
	RETURNING id, provider, kind, transaction_id, state, (xmax = 0), (SELECT b.state FROM breaks b WHERE b.id = breaks.id)`

// keep writes the breaks of a run, fills in their ids and states, and writes their history.
func (r *Reconciler) keep(ctx context.Context, s *statement, breaks []*Break) error {
	for some := range slices.Chunk(breaks, keptAtOnce) {
		if err := r.keepSome(ctx, s, some); err != nil {
			return err
		}
	}
	return nil
}

const keptAtOnce = 1000

type breakKey struct {
	kind Kind
	id   string
}

func (r *Reconciler) keepSome(ctx context.Context, s *statement, breaks []*Break) error {
	n := len(breaks)
	ids, statements := make([]uuid.UUID, n), make([]uuid.UUID, n)
	providers, kinds, transactions, players, currencies, actions := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	amounts, ours, theirs := make([]int64, n), make([][]byte, n), make([][]byte, n)
	at, first, last := make([]time.Time, n), make([]time.Time, n), make([]time.Time, n)
	sightings, later := make([]int32, n), make([]pgtype.Timestamptz, n)
	byKey := make(map[breakKey]*Break, n)
	now := r.now()
	for i, b := range breaks {
		ids[i], statements[i] = dbclock.NewID(), s.id
		providers[i], kinds[i], transactions[i], players[i], currencies[i], actions[i] = b.Provider, string(b.Kind), b.TransactionID, b.Player, b.Currency, string(b.Action)
		amounts[i], ours[i], theirs[i] = int64(b.Amount), b.Ours, b.Theirs
		at[i], first[i], last[i] = b.At, now, now
		sightings[i] = int32(min(b.Sightings, math.MaxInt32))
		if b.LaterAt != nil {
			later[i] = pgtype.Timestamptz{Time: *b.LaterAt, Valid: true}
		}
		byKey[breakKey{b.Kind, b.TransactionID}] = b
	}
	return postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, upsertBreaks, ids, providers, kinds, transactions, players, currencies, amounts, ours, theirs, actions,
			at, first, last, statements, sightings, later) // the rows tell its error
		var fresh []uuid.UUID
		var id uuid.UUID
		var provider string
		var key breakKey
		var state State
		var isNew bool
		var before pgtype.Text
		_, err := pgx.ForEachRow(rows, []any{&id, &provider, &key.kind, &key.id, &state, &isNew, &before}, func() error {
			if b := byKey[key]; b != nil {
				b.ID, b.State, b.LastSeen = id, state, now
			}
			if isNew || state == StateOpen && State(before.String) != StateOpen {
				fresh = append(fresh, id)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("keep breaks: %w", err)
		}
		return history(ctx, tx, fresh, now, "opened", "", "")
	})
}

const insertEvents = `
	INSERT INTO break_events (break_id, at, event, operator, comment)
	SELECT id, $2, $3, nullif($4, ''), nullif($5, '') FROM unnest($1::uuid[]) id`

func history(ctx context.Context, tx postgres.Querier, ids []uuid.UUID, at time.Time, event, operator, comment string) error {
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, insertEvents, ids, at, event, operator, comment); err != nil {
		return fmt.Errorf("write a break's history: %w", err)
	}
	return nil
}

// Index: breaks_open. A break closes where its id stands in the list, or the list is the whole of its
// window ($5); where it is an answer about our own codes ($6), what is missing there likewise. An
// id that could not be read stays as it is.
const closeAgreed = `
	UPDATE breaks SET state = 'resolved'
	 WHERE provider = $1 AND state IN ('open', 'healing') AND statement_id <> $2 AND at >= $3 AND at < $4 AND kind <> 'terms'
	   AND ($5 OR $6 AND kind = 'missing_there'
	        OR transaction_id IN (SELECT l.transaction_id FROM statement_lines l WHERE l.statement_id = $2))
	   AND transaction_id NOT IN (SELECT u.transaction_id FROM unreadable_lines u WHERE u.statement_id = $2 AND u.transaction_id IS NOT NULL)
	RETURNING id`

// agreed closes the breaks of a window that a run does not see any more, as far as its list tells.
func (r *Reconciler) agreed(ctx context.Context, provider string, s *statement) (int, error) {
	closed := 0
	err := postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, closeAgreed, provider, s.id, s.from, s.to, s.whole() && !s.ownCodes, s.whole() && s.ownCodes)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return fmt.Errorf("close breaks: %w", err)
		}
		closed = len(ids)
		return history(ctx, tx, ids, r.now(), "agreed", "", "")
	})
	return closed, err
}

const setState = `UPDATE breaks SET state = $2, healed_by = coalesce($3, healed_by) WHERE id = $1 AND state = ANY ($4)`

// move changes a break's state, if it is in one of those, and writes it down. moved: it was; else somebody has decided
// meanwhile.
func (r *Reconciler) move(ctx context.Context, b *Break, to State, event, comment string, healedBy uuid.UUID, from ...State) (moved bool, err error) {
	names := make([]string, len(from))
	for i, state := range from {
		names[i] = string(state)
	}
	err = postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, setState, b.ID, string(to), uuid.NullUUID{UUID: healedBy, Valid: healedBy != uuid.Nil}, names)
		if err != nil {
			return fmt.Errorf("move break %s: %w", b.ID, err)
		}
		if moved = tag.RowsAffected() > 0; !moved {
			return nil
		}
		b.State = to
		return history(ctx, tx, []uuid.UUID{b.ID}, r.now(), event, "", comment)
	})
	return moved, err
}

const breakColumns = `id, provider, kind, transaction_id, player, currency, amount, ours, theirs, state, action, coalesce(owner, ''), at, first_seen, last_seen, healed_by, sightings, later_at`

func scanBreak(row pgx.CollectableRow) (Break, error) {
	var b Break
	err := row.Scan(&b.ID, &b.Provider, &b.Kind, &b.TransactionID, &b.Player, &b.Currency, &b.Amount, &b.Ours, &b.Theirs, &b.State, &b.Action,
		&b.Owner, &b.At, &b.FirstSeen, &b.LastSeen, &b.HealedBy, &b.Sightings, &b.LaterAt)
	b.At, b.FirstSeen, b.LastSeen = b.At.UTC(), b.FirstSeen.UTC(), b.LastSeen.UTC()
	return b, err
}

// Filter chooses breaks. Zero fields choose all.
type Filter struct {
	Provider string
	States   []State
	Limit    int // 200 by default
}

const listBreaks = `SELECT ` + breakColumns + ` FROM breaks
	 WHERE ($1 = '' OR provider = $1) AND (cardinality($2::text[]) = 0 OR state = ANY ($2)) ORDER BY first_seen, id LIMIT $3`

// Breaks lists breaks, oldest first.
func (r *Reconciler) Breaks(ctx context.Context, filter Filter) ([]Break, error) {
	if filter.Limit <= 0 {
		filter.Limit = 200
	}
	states := make([]string, 0, len(filter.States))
	for _, state := range filter.States {
		states = append(states, string(state))
	}
	rows, _ := r.db.Pool.Query(ctx, listBreaks, filter.Provider, states, filter.Limit)
	breaks, err := pgx.CollectRows(rows, scanBreak)
	if err != nil {
		return nil, fmt.Errorf("list breaks: %w", err)
	}
	return breaks, nil
}

// Break returns one break and its history, or ErrNoBreak.
func (r *Reconciler) Break(ctx context.Context, id uuid.UUID) (Break, []Event, error) {
	rows, _ := r.db.Pool.Query(ctx, `SELECT `+breakColumns+` FROM breaks WHERE id = $1`, id)
	b, err := pgx.CollectExactlyOneRow(rows, scanBreak)
	if errors.Is(err, pgx.ErrNoRows) {
		return Break{}, nil, ErrNoBreak
	}
	if err != nil {
		return Break{}, nil, fmt.Errorf("read break: %w", err)
	}
	rows, _ = r.db.Pool.Query(ctx, `SELECT at, event, coalesce(operator, ''), coalesce(comment, '') FROM break_events WHERE break_id = $1 ORDER BY id`, id)
	events, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Event])
	if err != nil {
		return b, nil, fmt.Errorf("read a break's history: %w", err)
	}
	return b, events, nil
}

const endBreak = `UPDATE breaks SET state = $2, owner = $3 WHERE id = $1 AND state IN ('open', 'healing')`

// End ends a break by a person's word: resolved, or ignored for good. ErrNoBreak, ErrEnded,
// ErrComment.
func (r *Reconciler) End(ctx context.Context, id uuid.UUID, to State, operator, comment string) error {
	if operator == "" || comment == "" {
		return ErrComment
	}
	return postgres.InTx(ctx, r.db.Pool, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, endBreak, id, string(to), operator)
		if err != nil {
			return fmt.Errorf("end break %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			var exists bool
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM breaks WHERE id = $1)`, id).Scan(&exists); err != nil {
				return err
			}
			if !exists {
				return ErrNoBreak
			}
			return ErrEnded
		}
		return history(ctx, tx, []uuid.UUID{id}, r.now(), string(to), operator, comment)
	})
}

package player

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/wallet"
)

// OwnID reads an id of ours: a UUID in the one spelling that we write, small letters with dashes. Any
// other spelling is somebody else's text, an external id among them.
func OwnID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	if err != nil || id.String() != text {
		return uuid.UUID{}, false
	}
	return id, true
}

// ErrAmbiguous says that a text is the id of one player and the external id of another.
var ErrAmbiguous = errors.New("is the id of one player and the external id of another: name either by the other of its ids")

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Indexes: players_pkey, players_external_id.
const readMeant = `
	SELECT id FROM players WHERE external_id = $1
	 UNION SELECT id FROM players WHERE id = $2`

// Meant finds the player whom a person means by our id or by an external one: wallet.ErrUnknownPlayer
// where there is none, ErrAmbiguous where there are two.
func Meant(ctx context.Context, db Querier, name string) (uuid.UUID, error) {
	own, is := OwnID(name)
	rows, err := db.Query(ctx, readMeant, name, uuid.NullUUID{UUID: own, Valid: is})
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("find player: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	switch {
	case err != nil:
		return uuid.UUID{}, fmt.Errorf("find player: %w", err)
	case len(found) == 0:
		return uuid.UUID{}, wallet.ErrUnknownPlayer
	case len(found) > 1:
		return uuid.UUID{}, ErrAmbiguous
	}
	return found[0], nil
}

// Named returns the player whom a person means, as Meant does.
func (r *Registry) Named(ctx context.Context, name string) (Player, error) {
	id, err := Meant(ctx, r.db.Pool, name)
	if err != nil {
		return Player{}, err
	}
	return r.Get(ctx, id)
}

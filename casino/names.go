package casino

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"evens/ledger"
	"evens/wallet"
)

// Where one thing has two names, what is done has the key of one of them, and a line of bet_names leads
// there from the other. A name is looked for among its own kind only: the id of one bet may be the other
// name of another.
const (
	otherNames = "other" // of Call.Other
	idNames    = "id"    // of Call.ID, where what it names was done under its other name
)

func (c Call) otherKey() ledger.Key { return keyOf(c.Provider, otherNames, c.Other) }

func idKey(provider, id string) ledger.Key { return keyOf(provider, idNames, id) }

// nameKeys are the lines of bet_names that may lead from a call to what was done.
func (c Call) nameKeys() (keys []ledger.Key) {
	if !c.TwoNames {
		return nil
	}
	if c.Other != "" {
		keys = append(keys, c.otherKey())
	}
	if c.Other != c.ID {
		keys = append(keys, idKey(c.Provider, c.ID))
	}
	return keys
}

// otherwise are the keys under which a call may have been done by its other name alone.
func (c Call) otherwise() []ledger.Key {
	if !c.TwoNames || c.Other == "" || c.Other == c.ID {
		return nil
	}
	return []ledger.Key{keyOf(c.Provider, "", c.Other)}
}

// renamedError says that a call is of what was done under another of its names.
type renamedError struct{ id string }

func (e *renamedError) Error() string { return "it is known as " + e.id }

// follow makes the call one under the name that an error tells of; false where it tells of none.
func (c *Call) follow(err error) bool {
	renamed, ok := errors.AsType[*renamedError](err)
	if !ok {
		return false
	}
	if c.ID != c.Other {
		c.first = c.ID
	}
	c.ID = renamed.id
	return true
}

// renamed is a *renamedError where what a call is of was done under another of its names.
func (c Call) renamed(batch *wallet.Batch) error {
	if !c.TwoNames {
		return nil
	}
	names := roundsOf(batch).names
	if id := names[c.otherKey()]; c.Other != "" && c.Other == c.ID && id != "" && id != c.ID {
		return &renamedError{id}
	}
	if c.Other == c.ID || batch.Known(c.key()) != nil {
		return nil
	}
	if id := names[idKey(c.Provider, c.ID)]; id != "" && id != c.ID {
		return &renamedError{id}
	}
	for _, key := range c.otherwise() {
		if t := batch.Known(key); names[c.otherKey()] == "" && t != nil && t.Player == c.Player.ID && (sameRound(t.Round, c.Round.ID) || t.Round == "") {
			return &renamedError{c.Other}
		}
	}
	return nil
}

// elsewhere reports whether the other name of a call is that of something else.
func (c Call) elsewhere(batch *wallet.Batch) bool {
	if !c.TwoNames || c.Other == "" || c.Other == c.ID {
		return false
	}
	id := roundsOf(batch).names[c.otherKey()]
	return id != "" && id != c.ID
}

// name keeps how else what was done under a call's id is called.
func (s *roundSet) name(batch *wallet.Batch, c Call) {
	if !c.TwoNames {
		return
	}
	if c.first != "" && c.first != c.ID {
		s.keepName(idKey(c.Provider, c.first), c.ID)
	}
	for _, key := range c.otherwise() {
		if batch.Known(key) == nil {
			s.keepName(c.otherKey(), c.ID)
		}
	}
}

func (s *roundSet) keepName(key ledger.Key, id string) {
	if s.names[key] == "" {
		s.names[key] = id
		s.newNames = append(s.newNames, key)
	}
}

// Index: bet_names_pkey.
const readNames = `
	SELECT n.source, n.name, n.id
	  FROM unnest($1::text[], $2::text[]) k (source, name)
	  JOIN bet_names n ON n.source = k.source AND n.name = k.name`

func (s *roundSet) queueNames(statements *pgx.Batch, keys []ledger.Key) {
	if len(keys) == 0 {
		return
	}
	sources, names := make([]string, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		sources[i], names[i] = key.Source, key.ExternalID
	}
	statements.Queue(readNames, sources, names).Query(func(rows pgx.Rows) error {
		var key ledger.Key
		var id string
		_, err := pgx.ForEachRow(rows, []any{&key.Source, &key.ExternalID, &id}, func() error {
			s.names[key] = id
			return nil
		})
		return err
	})
}

// A player's names are written under the player's lock; who else uses one of them does not get it.
const writeNames = `
	INSERT INTO bet_names (source, name, id) SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING`

// writeNames adds the names that are new, in the order of their keys: batches wait for each other in it.
func (s *roundSet) writeNames(statements *pgx.Batch) {
	n := len(s.newNames)
	if n == 0 {
		return
	}
	slices.SortFunc(s.newNames, func(a, b ledger.Key) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ExternalID, b.ExternalID))
	})
	sources, names, ids := make([]string, n), make([]string, n), make([]string, n)
	for i, key := range s.newNames {
		sources[i], names[i], ids[i] = key.Source, key.ExternalID, s.names[key]
	}
	statements.Queue(writeNames, sources, names, ids)
}

package player

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"evens/wallet"
)

// Who is meant: our own spelling of a UUID is an id of ours, everything is an external id, and where
// they are two players nobody guesses.
func TestWhoIsMeant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	players := b.players
	open := func(externalID string) Player {
		p, _, err := players.Create(t.Context(), Registration{ExternalID: externalID, Name: "P", Email: "p@example.com", Currency: "USD"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	ann := open("ann")
	plain := open(strings.ReplaceAll(ann.ID.String(), "-", "")) // another player, by ann's id without dashes
	upper := open(strings.ToUpper(ann.ID.String()))
	urn := open("urn:uuid:" + ann.ID.String())
	braced := open("{" + ann.ID.String() + "}")
	stranger := open(uuid.NewString())
	bob := open("bob")
	twin := open(bob.ID.String()) // its external id is bob's id
	self := open("self")
	if _, err := b.db.Pool.Exec(t.Context(), `UPDATE players SET external_id = id::text WHERE id = $1`, self.ID); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uuid.UUID{
		"ann": ann.ID, ann.ID.String(): ann.ID, plain.ExternalID: plain.ID, upper.ExternalID: upper.ID, urn.ExternalID: urn.ID,
		braced.ExternalID: braced.ID, stranger.ExternalID: stranger.ID, stranger.ID.String(): stranger.ID, "bob": bob.ID,
		twin.ID.String(): twin.ID, self.ID.String(): self.ID,
	} {
		got, err := players.Named(t.Context(), name)
		if err != nil || got.ID != want {
			t.Errorf("%s is %s, %v, want %s", name, got.ID, err, want)
		}
	}
	if got, err := players.Named(t.Context(), bob.ID.String()); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("the id of one and the external id of another: %s, %v", got.ID, err)
	}
	for _, name := range []string{"nobody", uuid.NewString(), "", strings.ToUpper(bob.ID.String())} {
		if got, err := players.Named(t.Context(), name); !errors.Is(err, wallet.ErrUnknownPlayer) {
			t.Errorf("%q is %s, %v", name, got.ID, err)
		}
	}
}

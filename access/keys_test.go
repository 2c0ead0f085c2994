package access

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

var unexported = cmp.AllowUnexported(APIKey{})

func TestKeyOpensItsScopesUntilRevoked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, secret, err := b.keys.Create(t.Context(), " shop ", []Scope{ScopeCoupons, ScopeWallet, ScopeWallet})
	if err != nil || !strings.HasPrefix(secret, KeyPrefix) {
		t.Fatalf("Create() = %q, %v", secret, err)
	}
	want := APIKey{
		ID: made.ID, Name: "shop", Owner: "shop", Siblings: []uuid.UUID{made.ID}, Scopes: []Scope{ScopeWallet, ScopeCoupons}, CreatedAt: b.clock.at,
	}
	got, err := b.keys.Resolve(t.Context(), secret)
	if diff := cmp.Diff(want, got, unexported); err != nil || diff != "" {
		t.Errorf("Resolve() (-want +got), %v:\n%s", err, diff)
	}
	for scope, has := range map[Scope]bool{ScopeWallet: true, ScopeCoupons: true, ScopeCashier: false, ScopePlayers: false} {
		if got.Has(scope) != has {
			t.Errorf("Has(%s) = %v, want %v", scope, !has, has)
		}
	}
	if err := b.keys.Revoke(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.keys.Resolve(t.Context(), secret); !errors.Is(err, ErrKey) {
		t.Errorf("Resolve() after Revoke() = %v, want ErrKey", err)
	}
}

// Another process hears of a revocation within a second.
func TestRevokedElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, secret, err := b.keys.Create(t.Context(), "shop", Scopes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.keys.Resolve(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := NewKeys(b.db, b.clock.now).Revoke(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	b.clock.at = b.clock.at.Add(time.Second)
	if _, err := b.keys.Resolve(t.Context(), secret); !errors.Is(err, ErrKey) {
		t.Errorf("Resolve() a second after a revocation elsewhere = %v, want ErrKey", err)
	}
}

func TestKeyNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	scopes := []Scope{ScopeGames}
	first, _, err := b.keys.Create(t.Context(), "shop", scopes)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.keys.Create(t.Context(), "shop", scopes); !errors.Is(err, ErrKeyExists) {
		t.Errorf("Create() under a name in use = %v, want ErrKeyExists", err)
	}
	if err := b.keys.Revoke(t.Context(), first.ID.String()); err != nil {
		t.Errorf("Revoke() by id = %v", err)
	}
	for _, gone := range []string{"shop", first.ID.String(), "never was"} {
		if err := b.keys.Revoke(t.Context(), gone); !errors.Is(err, ErrKeyNotFound) {
			t.Errorf("Revoke(%q) = %v, want ErrKeyNotFound", gone, err)
		}
	}
	second, _, err := b.keys.Create(t.Context(), "shop", scopes)
	if err != nil {
		t.Errorf("Create() under a revoked name = %v", err)
	}
	first.RevokedAt = b.clock.at
	got, err := b.keys.List(t.Context())
	if diff := cmp.Diff([]APIKey{first, second}, got, unexported); err != nil || diff != "" {
		t.Errorf("List() (-want +got), %v:\n%s", err, diff)
	}
}

func TestKeysThatAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, test := range []struct {
		name, key string
		scopes    []Scope
		want      error
	}{
		{"no name", " ", []Scope{ScopeGames}, ErrKeyName},
		{"a long name", strings.Repeat("x", maxKeyName+1), []Scope{ScopeGames}, ErrKeyName},
		{"an unknown scope", "shop", []Scope{ScopeGames, "everything"}, ErrScope},
		{"no scope", "shop", nil, ErrScope},
	} {
		if _, _, err := b.keys.Create(t.Context(), test.key, test.scopes); !errors.Is(err, test.want) {
			t.Errorf("%s: Create() = %v, want %v", test.name, err, test.want)
		}
	}
	for _, text := range []string{"", KeyPrefix, newSecret(KeyPrefix), newSecret(TokenPrefix)} {
		if _, err := b.keys.Resolve(t.Context(), text); !errors.Is(err, ErrKey) {
			t.Errorf("Resolve(%q) = %v, want ErrKey", text, err)
		}
	}
}

// A key makes tokens with a scope of its own, and hears of wallets with the scope wallet; those that
// were made before keep what they had, and a list says so.
func TestOldKeysKeepWhatTheyHad(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, test := range []struct {
		name         string
		scopes       []Scope
		old          bool
		mints, hears bool
		kept         string
	}{
		{"players", []Scope{ScopePlayers}, false, false, false, ""},
		{"tokens", []Scope{ScopeTokens}, false, true, false, ""},
		{"coupons", []Scope{ScopeCoupons}, false, false, false, ""},
		{"coupons and wallet", []Scope{ScopeCoupons, ScopeWallet}, false, false, true, ""},
		{"old players", []Scope{ScopePlayers}, true, true, false, "tokens"},
		{"old coupons", []Scope{ScopeCoupons}, true, false, true, "wallet events"},
		{"old, both", []Scope{ScopePlayers, ScopeCoupons}, true, true, true, "tokens, wallet events"},
		{"old games", []Scope{ScopeGames}, true, false, false, ""},
	} {
		_, secret, err := b.keys.Create(t.Context(), test.name, test.scopes)
		if err != nil {
			t.Fatal(err)
		}
		if test.old { // as the release before writes it
			if _, err := b.db.Pool.Exec(t.Context(), `UPDATE api_keys SET scope_rules = DEFAULT WHERE name = $1`, test.name); err != nil {
				t.Fatal(err)
			}
		}
		key, err := b.keys.Resolve(t.Context(), secret)
		if err != nil || key.Has(ScopeTokens) != test.mints || key.HearsWallets() != test.hears || key.Kept() != test.kept {
			t.Errorf("%s: mints %t, hears %t, kept %q, %v", test.name, key.Has(ScopeTokens), key.HearsWallets(), key.Kept(), err)
		}
	}
	list, err := b.keys.List(t.Context())
	if err != nil || list[len(list)-2].Kept() != "tokens, wallet events" {
		t.Errorf("listed %+v, %v", list, err)
	}
}

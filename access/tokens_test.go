package access

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/wallet"
)

func TestTokenLivesUntilItsTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "ext-1")
	for _, test := range []struct {
		name      string
		ttl, want time.Duration
	}{
		{"the default", 0, DefaultTTL},
		{"an hour", time.Hour, time.Hour},
		{"the longest", MaxTTL, MaxTTL},
	} {
		issued := b.clock.at
		token, expires, err := b.tokens.Issue(t.Context(), p, test.ttl)
		if err != nil || !strings.HasPrefix(token, TokenPrefix) || !expires.Equal(issued.Add(test.want)) {
			t.Errorf("%s: Issue() = %q until %s, %v, want %s more", test.name, token, expires, err, test.want)
		}
		b.clock.at = expires.Add(-time.Millisecond)
		if got, err := b.tokens.Resolve(t.Context(), token); err != nil || got != p {
			t.Errorf("%s: Resolve() just before its end = %s, %v, want %s", test.name, got, err, p)
		}
		b.clock.at = expires
		if _, err := b.tokens.Resolve(t.Context(), token); !errors.Is(err, ErrToken) {
			t.Errorf("%s: Resolve() at its end = %v, want ErrToken", test.name, err)
		}
		b.clock.at = issued
	}
	for _, ttl := range []time.Duration{-time.Second, MaxTTL + time.Second} {
		if _, _, err := b.tokens.Issue(t.Context(), p, ttl); !errors.Is(err, ErrTTL) {
			t.Errorf("Issue(%s) = %v, want ErrTTL", ttl, err)
		}
	}
}

func TestEndedTokenIsInvalidAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "ext-1")
	ended, _, err := b.tokens.Issue(t.Context(), p, 0)
	if err != nil {
		t.Fatal(err)
	}
	kept, _, err := b.tokens.Issue(t.Context(), p, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.tokens.End(t.Context(), ended); err != nil {
			t.Fatal(err)
		}
		if _, err := b.tokens.Resolve(t.Context(), ended); !errors.Is(err, ErrToken) {
			t.Errorf("Resolve() of an ended token = %v, want ErrToken", err)
		}
	}
	if got, err := b.tokens.Resolve(t.Context(), kept); err != nil || got != p {
		t.Errorf("Resolve() of the other token = %s, %v, want %s", got, err, p)
	}
}

func TestForeignTextsAreNoTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "ext-1")
	token, _, err := b.tokens.Issue(t.Context(), p, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "evp_", token[1:], token + "x", KeyPrefix + token[4:], strings.ToUpper(token), newSecret(TokenPrefix)} {
		if _, err := b.tokens.Resolve(t.Context(), text); !errors.Is(err, ErrToken) {
			t.Errorf("Resolve(%q) = %v, want ErrToken", text, err)
		}
		if err := b.tokens.End(t.Context(), text); err != nil {
			t.Errorf("End(%q) = %v", text, err)
		}
	}
	if _, err := b.tokens.Resolve(t.Context(), token); err != nil {
		t.Errorf("Resolve() of the real one = %v", err)
	}
}

func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "ext-1")
	token, _, err := b.tokens.Issue(t.Context(), p, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := b.keys.Create(t.Context(), "shop", []Scope{ScopeWallet})
	if err != nil {
		t.Fatal(err)
	}
	var rows string
	err = b.db.Pool.QueryRow(t.Context(), `
		SELECT (SELECT string_agg(p::text, '') FROM player_tokens p) || (SELECT string_agg(k::text, '') FROM api_keys k)
		    || (SELECT string_agg(l::text, '') FROM activity_log l)`).Scan(&rows)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{token, key} {
		if strings.Contains(rows, secret) || strings.Contains(rows, secret[len(TokenPrefix):]) {
			t.Error("a secret stands in the database")
		}
	}
}

// A token of a player who is blocked opens nothing, whoever made it and when, and none is made for
// them; ending all of them leaves those of others alone.
func TestTokensOfABlockedPlayer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, other := b.player(t, "ext-1"), b.player(t, "ext-2")
	var tokens []string
	for _, id := range []uuid.UUID{p, p, other} {
		token, _, err := b.tokens.Issue(t.Context(), id, 0)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	set := func(status string) {
		t.Helper()
		if _, err := b.db.Pool.Exec(t.Context(), `UPDATE players SET status = $2 WHERE id = $1`, p, status); err != nil {
			t.Fatal(err)
		}
	}
	for _, status := range []string{"blocked", "closed"} {
		set(status)
		if _, err := b.tokens.Resolve(t.Context(), tokens[0]); !errors.Is(err, ErrToken) {
			t.Errorf("Resolve() of a player who is %s = %v, want ErrToken", status, err)
		}
		if _, _, err := b.tokens.Issue(t.Context(), p, 0); !errors.Is(err, wallet.ErrPlayerBlocked) {
			t.Errorf("Issue() to a player who is %s = %v, want ErrPlayerBlocked", status, err)
		}
	}
	set("active")
	if err := b.tokens.EndAll(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for i, token := range tokens {
		if _, err := b.tokens.Resolve(t.Context(), token); errors.Is(err, ErrToken) != (i < 2) {
			t.Errorf("Resolve() of token %d after EndAll() = %v", i, err)
		}
	}
	if _, _, err := b.tokens.Issue(t.Context(), uuid.New(), 0); !errors.Is(err, wallet.ErrUnknownPlayer) {
		t.Errorf("Issue() to nobody = %v, want ErrUnknownPlayer", err)
	}
}

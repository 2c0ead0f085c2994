package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"evens/access"
	"evens/ledger"
	"evens/wallet"
)

// admission is who may make a call.
type admission struct {
	scope   access.Scope // that a key must have; "" admits no key
	players bool         // whether players' tokens are let in
}

// caller is whose bearer a call carries: a key's, or a player's token's.
type caller struct {
	key    access.APIKey
	player uuid.NullUUID // valid for a token
	secret string
}

// name is how the log calls the caller.
func (c *caller) name() string {
	if c.player.Valid {
		return "player"
	}
	return c.key.Name
}

// request is an Idempotency-Key of the caller's for one kind of call: keys of different callers never
// meet, those of one owner's API keys do. Earlier releases kept them by the API key.
func (c *caller) request(call, key string, hash ledger.Hash) wallet.Request {
	if c.player.Valid {
		return wallet.Request{Scope: "player " + c.player.UUID.String() + ":" + call, Key: key, Hash: hash}
	}
	r := wallet.Request{Scope: "owner " + c.key.Owner + ":" + call, Key: key, Hash: hash}
	for _, id := range c.key.Siblings {
		r.Earlier = append(r.Earlier, id.String()+":"+call)
	}
	return r
}

// owner reads the player's id in a path. A token's player may name no other; an id that cannot
// be one is an unknown player's.
func (c *caller) owner(path string) (uuid.UUID, error) {
	id, ok := parseID(path)
	if c.player.Valid && id != c.player.UUID {
		return uuid.UUID{}, errForbidden
	}
	if !ok {
		return uuid.UUID{}, wallet.ErrUnknownPlayer
	}
	return id, nil
}

// owns reports whether the caller may see what belongs to a player.
func (c *caller) owns(id uuid.UUID) bool { return !c.player.Valid || c.player.UUID == id }

// hearsWallets reports whether the caller's event streams show wallets.
func (c *caller) hearsWallets() bool { return c.player.Valid || c.key.HearsWallets() }

const bearer = "bearer "

// authenticate asks whose bearer it is, and whether they may make the call.
func (s *server) authenticate(ctx context.Context, authorization string, who admission) (*caller, error) {
	if len(authorization) <= len(bearer) || !strings.EqualFold(authorization[:len(bearer)], bearer) {
		return nil, newProblem(CodeUnauthorized, "an Authorization header with a bearer is required").with("WWW-Authenticate", "Bearer")
	}
	c, err := s.resolve(ctx, strings.TrimSpace(authorization[len(bearer):]))
	if err != nil {
		return nil, err
	}
	switch {
	case c.player.Valid && !who.players:
		return nil, errForbidden
	case !c.player.Valid && who.scope == "":
		return nil, newProblem(CodeForbidden, "this call is for players' tokens")
	case !c.player.Valid && !c.key.Has(who.scope):
		return nil, newProblem(CodeForbidden, fmt.Sprintf("the key lacks the scope %q", who.scope))
	}
	return c, nil
}

// resolve asks the database whose secret it is: never a memory of it.
func (s *server) resolve(ctx context.Context, secret string) (*caller, error) {
	if strings.HasPrefix(secret, access.TokenPrefix) {
		id, err := s.cfg.Tokens.Resolve(ctx, secret)
		if err != nil {
			return nil, err
		}
		return &caller{player: uuid.NullUUID{UUID: id, Valid: true}, secret: secret}, nil
	}
	key, err := s.cfg.Keys.Resolve(ctx, secret)
	if err != nil {
		return nil, err
	}
	return &caller{key: key, secret: secret}, nil
}

package casino

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"evens/player"
	"evens/wallet"
)

// Games returns the games of one platform, or of all where provider is "".
func (l *Lounge) Games(ctx context.Context, provider string) ([]Game, error) {
	return l.Catalogues.Games(ctx, provider)
}

// End closes a session; see [Sessions.End].
func (l *Lounge) End(ctx context.Context, id uuid.UUID, owner uuid.NullUUID) (bool, error) {
	return l.Sessions.End(ctx, id, owner)
}

// EndAll closes every session of a player; see [Sessions.EndAll].
func (l *Lounge) EndAll(ctx context.Context, id uuid.UUID) error { return l.Sessions.EndAll(ctx, id) }

// Lounge is where players open games. It is safe for concurrent use.
type Lounge struct {
	Catalogues *Catalogues
	Sessions   *Sessions
	Players    *player.Registry
	Rules      *wallet.Rulebook // nil: nobody is excluded
	Platforms  []Platform
}

// Order is a game that a player asks for.
type Order struct {
	Player   uuid.UUID
	Provider string
	Game     string
	Lang     string
	Demo     bool
	Mobile   bool
	Address  string
	Return   string
}

// Launch opens a session and asks the platform for the game's address. Refusals:
// wallet.ErrUnknownPlayer, wallet.ErrPlayerBlocked, wallet.ErrExcluded, ErrNotAPlatform, ErrUnknownGame,
// ErrUnsupported, ErrUnavailable. A session whose game did not open is ended.
func (l *Lounge) Launch(ctx context.Context, order Order) (url string, session Session, err error) {
	platform := l.platform(order.Provider)
	if platform == nil {
		return "", Session{}, ErrNotAPlatform
	}
	who, err := l.Players.Get(ctx, order.Player)
	if err != nil {
		return "", Session{}, err
	}
	if who.Status != wallet.Active {
		return "", Session{}, wallet.ErrPlayerBlocked
	}
	if err := l.mayOpen(ctx, order); err != nil {
		return "", Session{}, err
	}
	game, err := l.game(ctx, order)
	if err != nil {
		return "", Session{}, err
	}
	if order.Demo && !game.Demo {
		return "", Session{}, fmt.Errorf("%w: a demo of this game", ErrUnsupported)
	}
	identity := player.Identity{ID: who.ID, ExternalID: who.ExternalID, Currency: who.Currency}
	session, token, err := l.Sessions.Open(ctx, order.Provider, identity, order.Game, order.Demo)
	if err != nil {
		return "", Session{}, err
	}
	url, err = platform.Launch(ctx, Launch{
		Session: session, Game: game, Token: token, Player: who, Lang: order.Lang, Mobile: order.Mobile, Address: order.Address, Return: order.Return,
	})
	if err != nil {
		_, endErr := l.Sessions.End(context.WithoutCancel(ctx), session.ID, uuid.NullUUID{})
		return "", Session{}, errors.Join(err, endErr)
	}
	return url, session, nil
}

// mayOpen refuses who is self-excluded or cooling off, but for a demo.
func (l *Lounge) mayOpen(ctx context.Context, order Order) error {
	if l.Rules == nil || order.Demo {
		return nil
	}
	until, err := l.Rules.Barred(ctx, order.Player)
	if err == nil && !until.IsZero() {
		err = wallet.ErrExcluded
	}
	return err
}

// game looks the order's game up. While a platform's catalogue cannot be had, the platform itself
// decides whether there is such a game.
func (l *Lounge) game(ctx context.Context, order Order) (Game, error) {
	game, err := l.Catalogues.Game(ctx, order.Provider, order.Game)
	if errors.Is(err, ErrUnavailable) {
		return Game{Provider: order.Provider, Code: order.Game, Demo: true}, nil
	}
	return game, err
}

func (l *Lounge) platform(name string) Platform {
	for _, platform := range l.Platforms {
		if platform.Name() == name {
			return platform
		}
	}
	return nil
}

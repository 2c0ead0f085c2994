package casino

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Catalogues keeps every platform's list of games in Redis: a fresh copy for a while, and the last
// good one for as long as it takes the platform to answer again. It is safe for concurrent use.
type Catalogues struct {
	redis     goredis.UniversalClient
	platforms []Platform
	now       func() time.Time
	log       *slog.Logger
	// Learned, when not nil, is told each catalogue that a platform answered with. Set it before use.
	Learned func(ctx context.Context, games []Game) error

	mu   sync.Mutex
	busy map[string]chan struct{} // platforms that are being asked
}

// CatalogueTTL is how long a catalogue is taken as it is.
const CatalogueTTL = 10 * time.Minute

// catalogueTimeout bounds one question to a platform.
const catalogueTimeout = 8 * time.Second

// NewCatalogues returns the catalogues of platforms.
func NewCatalogues(redis goredis.UniversalClient, platforms []Platform, now func() time.Time, log *slog.Logger) *Catalogues {
	return &Catalogues{redis: redis, platforms: platforms, now: now, log: log, busy: make(map[string]chan struct{})}
}

// Catalogue is a platform's games as they were at a time.
type Catalogue struct {
	At    time.Time `json:"at"`
	Games []Game    `json:"games"`
}

func catalogueKey(platform Platform) string {
	return "evens:catalogue:" + platform.Name() + ":" + platform.Address()
}

// Games returns a platform's games by code, or those of all platforms where provider is "". A
// platform that does not answer and never has is left out of all, and ErrUnavailable by itself.
func (c *Catalogues) Games(ctx context.Context, provider string) ([]Game, error) {
	if provider != "" {
		platform := c.find(provider)
		if platform == nil {
			return nil, ErrNotAPlatform
		}
		catalogue, err := c.of(ctx, platform)
		return catalogue.Games, err
	}
	var games []Game
	for _, platform := range c.platforms {
		catalogue, err := c.of(ctx, platform)
		if err != nil {
			c.log.WarnContext(ctx, "a catalogue is left out", "provider", platform.Name(), "error", err)
			continue
		}
		games = append(games, catalogue.Games...)
	}
	return games, nil
}

// Game returns one game of a platform, or ErrUnknownGame.
func (c *Catalogues) Game(ctx context.Context, provider, code string) (Game, error) {
	games, err := c.Games(ctx, provider)
	if err != nil {
		return Game{}, err
	}
	at := slices.IndexFunc(games, func(g Game) bool { return g.Code == code })
	if at < 0 {
		return Game{}, ErrUnknownGame
	}
	return games[at], nil
}

func (c *Catalogues) find(provider string) Platform {
	for _, platform := range c.platforms {
		if platform.Name() == provider {
			return platform
		}
	}
	return nil
}

func (c *Catalogues) of(ctx context.Context, platform Platform) (Catalogue, error) {
	kept, found := c.read(ctx, platform)
	if found && c.now().Sub(kept.At) < CatalogueTTL {
		return kept, nil
	}
	asked, err := c.ask(ctx, platform)
	switch {
	case err == nil:
		return asked, nil
	case found:
		c.log.WarnContext(ctx, "an old catalogue is shown", "provider", platform.Name(), "age", c.now().Sub(kept.At).Round(time.Second), "error", err)
		return kept, nil
	default:
		return Catalogue{}, errors.Join(ErrUnavailable, err)
	}
}

func (c *Catalogues) read(ctx context.Context, platform Platform) (Catalogue, bool) {
	text, err := c.redis.Get(ctx, catalogueKey(platform)).Bytes()
	if err != nil {
		return Catalogue{}, false
	}
	var kept Catalogue
	if err := json.Unmarshal(text, &kept); err != nil {
		return Catalogue{}, false
	}
	return kept, true
}

// ask asks the platform, one caller at a time: who comes meanwhile waits for that answer.
func (c *Catalogues) ask(ctx context.Context, platform Platform) (Catalogue, error) {
	name := platform.Name()
	c.mu.Lock()
	if wait, asked := c.busy[name]; asked {
		c.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return Catalogue{}, ctx.Err()
		}
		if kept, found := c.read(ctx, platform); found && c.now().Sub(kept.At) < CatalogueTTL {
			return kept, nil
		}
		return Catalogue{}, ErrUnavailable
	}
	done := make(chan struct{})
	c.busy[name] = done
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.busy, name)
		c.mu.Unlock()
		close(done)
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), catalogueTimeout)
	defer cancel()
	games, err := platform.Games(ctx)
	if err != nil {
		return Catalogue{}, err
	}
	if len(games) == 0 {
		return Catalogue{}, fmt.Errorf("%w: an empty catalogue", ErrUnavailable)
	}
	slices.SortFunc(games, func(a, b Game) int { return strings.Compare(a.Code, b.Code) })
	if c.Learned != nil {
		if err := c.Learned(ctx, games); err != nil {
			c.log.WarnContext(ctx, "the categories of games are not kept", "provider", name, "error", err)
		}
	}
	catalogue := Catalogue{At: c.now(), Games: games}
	text, err := json.Marshal(catalogue)
	if err == nil {
		err = c.redis.Set(ctx, catalogueKey(platform), text, 0).Err()
	}
	if err != nil {
		c.log.WarnContext(ctx, "a catalogue is not kept", "provider", name, "error", err)
	}
	return catalogue, nil
}

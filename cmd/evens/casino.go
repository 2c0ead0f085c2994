package main

import (
	"context"
	"fmt"
	"slices"

	"evens/api"
	"evens/casino"
	"evens/reconcile"
	"evens/wallet"
)

// casinoParts are what games need beyond the wallet.
type casinoParts struct {
	platforms []casino.Platform
	floor     *casino.Floor
	sessions  *casino.Sessions
	notices   *casino.Notices
	desk      *casino.Desk
	lounge    *casino.Lounge
}

// wireFloor makes what games are played and healed on.
func (s *system) wireFloor() {
	s.games.floor = casino.NewFloor(s.db, s.poster, s.directory, s.now, s.log)
	s.games.sessions = casino.NewSessions(s.db, s.now)
	s.games.notices = casino.NewNotices(s.db, s.bell, s.now, s.log)
}

// wirePlatforms opens those of these platforms that are configured.
func (s *system) wirePlatforms(list []offered) error {
	g := &s.games
	g.desk = casino.NewDesk(s.recorder, s.now, s.metrics.Platform, s.log)
	parts := casino.Parts{Floor: g.floor, Sessions: g.sessions, Notices: g.notices, Players: s.players}
	for _, p := range list {
		if !p.on() {
			continue
		}
		platform, err := p.settings.Open(parts)
		if err != nil {
			return fmt.Errorf("game platform: %w", err)
		}
		g.platforms = append(g.platforms, platform)
	}
	g.lounge = &casino.Lounge{
		Catalogues: casino.NewCatalogues(s.redis, g.platforms, s.now, s.log),
		Sessions:   g.sessions, Players: s.players, Rules: s.rules, Platforms: g.platforms,
	}
	g.lounge.Catalogues.Learned = g.floor.Categories().Keep
	return nil
}

// providers is the answer of GET /v1/providers: all there are, and which of them are on.
func (s *system) providers() (list []api.Provider) {
	for _, name := range reconcile.Providers(s.cfg.kinds()) {
		on := slices.ContainsFunc(s.games.platforms, func(p casino.Platform) bool { return p.Name() == name })
		switch name {
		case reconcile.BeT:
			on = s.desk != nil
		case wallet.CashSource:
			on = s.cfg.CashierSecret != ""
		}
		list = append(list, api.Provider{Name: name, Configured: on})
	}
	return list
}

// warnOfCategories says which campaigns rate games by categories that a platform's catalogue does not
// have: its games would count as "other", which is seldom what was meant.
func (s *system) warnOfCategories(ctx context.Context) {
	for _, platform := range s.games.platforms {
		campaigns := s.settings.campaigns.Blind(platform.Name())
		if len(campaigns) == 0 {
			continue
		}
		games, err := s.games.lounge.Games(ctx, platform.Name())
		if err != nil || slices.ContainsFunc(games, func(g casino.Game) bool { return g.Category != "" }) {
			continue // a platform that does not answer is told of elsewhere
		}
		s.log.WarnContext(ctx, "campaigns rate games by category, and this catalogue has none: its games count as other; give them overrides",
			"provider", platform.Name(), "campaigns", campaigns)
	}
}

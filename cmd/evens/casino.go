package main

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"evens/api"
	"evens/casino"
	"evens/casino/betao"
	"evens/casino/betron"
	"evens/casino/naga"
	"evens/casino/tg"
	"evens/coupon"
	"evens/money"
	"evens/wallet"
)

// platformSettings are the game platforms' settings that need parsing.
type platformSettings struct {
	betaoAllow, betronAllow, tgAllow, nagaAllow []netip.Prefix
	tgKey                                       []byte
	nagaKey                                     *rsa.PublicKey
}

// parsePlatforms reads the settings of the platforms that are on, and names what each of them lacks.
func (c *Config) parsePlatforms(problem func(name string, err error)) (p platformSettings) {
	p.betaoAllow = parseAllow("EVENS_BETAO_ALLOW", c.BetaoAllow, problem)
	p.betronAllow = parseAllow("EVENS_BETRON_ALLOW", c.BetronAllow, problem)
	p.tgAllow = parseAllow("EVENS_TG_ALLOW", c.TgAllow, problem)
	p.nagaAllow = parseAllow("EVENS_NAGA_ALLOW", c.NagaAllow, problem)
	needs := func(url string, settings ...[2]string) {
		for _, setting := range settings {
			if url != "" && setting[1] == "" {
				problem(setting[0], errors.New("is needed where its platform's address is set"))
			}
		}
	}
	needs(c.BetaoURL, [2]string{"EVENS_BETAO_API_KEY", c.BetaoAPIKey}, [2]string{"EVENS_BETAO_SECRET_KEY", c.BetaoSecretKey})
	needs(c.BetronURL, [2]string{"EVENS_BETRON_AGENT_CODE", c.BetronAgentCode}, [2]string{"EVENS_BETRON_AGENT_TOKEN", c.BetronAgentToken},
		[2]string{"EVENS_BETRON_SECRET_KEY", c.BetronSecretKey})
	needs(c.TgURL, [2]string{"EVENS_TG_AGENT_ID", c.TgAgentID}, [2]string{"EVENS_TG_KEY", c.TgKey})
	needs(c.NagaURL, [2]string{"EVENS_NAGA_GROUP_CODE", c.NagaGroupCode}, [2]string{"EVENS_NAGA_BRAND_CODE", c.NagaBrandCode},
		[2]string{"EVENS_NAGA_PUBLIC_KEY", c.NagaPublicKey})
	var err error
	if c.BetronCurrency != "" {
		if _, err = money.ParseCurrency(c.BetronCurrency); err != nil {
			problem("EVENS_BETRON_CURRENCY", err)
		}
	}
	if c.TgURL != "" && c.TgKey != "" {
		if p.tgKey, err = tg.ParseKey(c.TgKey); err != nil {
			problem("EVENS_TG_KEY", err)
		}
	}
	if c.NagaURL != "" && c.NagaPublicKey != "" {
		if p.nagaKey, err = naga.ParsePublicKey(c.NagaPublicKey); err != nil {
			problem("EVENS_NAGA_PUBLIC_KEY", err)
		}
	}
	return p
}

// casinoParts are what games need beyond the wallet.
type casinoParts struct {
	platforms []casino.Platform
	floor     *casino.Floor
	sessions  *casino.Sessions
	notices   *casino.Notices
	desk      *casino.Desk
	lounge    *casino.Lounge
}

// wireCasino makes the floor and the platforms that are configured. A fifth platform is one more
// line here.
func (s *system) wireCasino() error {
	g := &s.games
	g.floor = casino.NewFloor(s.db, s.poster, s.directory, s.now, s.log)
	g.sessions = casino.NewSessions(s.db, s.now)
	g.notices = casino.NewNotices(s.db, s.bell, s.now, s.log)
	g.desk = casino.NewDesk(s.recorder, s.now, s.metrics.Platform, s.log)
	c, p := s.cfg, s.settings.platforms
	for _, add := range []struct {
		on   bool
		open func() (casino.Platform, error)
	}{
		{c.BetaoURL != "", func() (casino.Platform, error) {
			return betao.New(betao.Config{URL: c.BetaoURL, APIKey: c.BetaoAPIKey, SecretKey: c.BetaoSecretKey, Allow: p.betaoAllow}, g.floor, g.notices)
		}},
		{c.BetronURL != "", func() (casino.Platform, error) {
			return betron.New(betron.Config{
				URL: c.BetronURL, AgentCode: c.BetronAgentCode, AgentToken: c.BetronAgentToken, SecretKey: c.BetronSecretKey,
				PathSecret: c.BetronPathSecret, Currency: money.Currency(c.BetronCurrency), Allow: p.betronAllow,
			}, g.floor, s.players)
		}},
		{c.TgURL != "", func() (casino.Platform, error) {
			return tg.New(tg.Config{
				URL: c.TgURL, AgentID: c.TgAgentID, Key: p.tgKey, SecretKey: c.TgSecretKey,
				OldSignature: c.TgOldSignature, JackpotApart: c.TgJackpotApart, Allow: p.tgAllow,
			}, g.floor)
		}},
		{c.NagaURL != "", func() (casino.Platform, error) {
			return naga.New(naga.Config{
				URL: c.NagaURL, APIKey: c.NagaAPIKey, GroupCode: c.NagaGroupCode, BrandCode: c.NagaBrandCode,
				PublicKey: p.nagaKey, SignedOver: c.NagaSignedOver, Allow: p.nagaAllow,
			}, g.floor, g.sessions)
		}},
	} {
		if !add.on {
			continue
		}
		platform, err := add.open()
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
func (s *system) providers() []api.Provider {
	list := []api.Provider{{Name: coupon.Provider, Configured: s.desk != nil}}
	for _, name := range []string{betao.Provider, betron.Provider, tg.Provider, naga.Provider} {
		on := slices.ContainsFunc(s.games.platforms, func(p casino.Platform) bool { return p.Name() == name })
		list = append(list, api.Provider{Name: name, Configured: on})
	}
	return append(list, api.Provider{Name: wallet.CashSource, Configured: s.cfg.CashierSecret != ""})
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

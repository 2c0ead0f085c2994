package main

import (
	"crypto/rand"
	"encoding/hex"

	"evens/sim/casinosim"
)

// simulated are the four platforms, played by us.
type simulated struct {
	tg     *casinosim.TG
	naga   *casinosim.Naga
	betron *casinosim.Betron
	betao  *casinosim.Betao
}

func (s simulated) all() []casinosim.Platform {
	return []casinosim.Platform{s.betao, s.betron, s.tg, s.naga}
}

// nowhere is an address where nobody listens.
const nowhere = "http://127.0.0.1:1"

// newSimulated makes the platforms with keys of their own, and writes them into the settings.
// Their addresses are nowhere until they are served.
func newSimulated(cfg *Config) (simulated, error) {
	secret := func() string { return rand.Text() }
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	var s simulated
	var err error
	cfg.TgURL, cfg.TgAgentID, cfg.TgKey, cfg.TgSecretKey = nowhere, "agent", hex.EncodeToString(key), secret()
	if s.tg, err = casinosim.NewTG(cfg.TgAgentID, key, cfg.TgSecretKey); err != nil {
		return s, err
	}
	cfg.NagaURL, cfg.NagaAPIKey, cfg.NagaGroupCode, cfg.NagaBrandCode, cfg.NagaSignedOver = nowhere, secret(), "gc01", "bc01", "data"
	if s.naga, err = casinosim.NewNaga(cfg.NagaGroupCode, cfg.NagaBrandCode, cfg.NagaAPIKey, false); err != nil {
		return s, err
	}
	cfg.NagaPublicKey = s.naga.PublicKey()
	cfg.BetronURL, cfg.BetronAgentCode, cfg.BetronAgentToken, cfg.BetronSecretKey = nowhere, "agent", secret(), secret()
	s.betron = casinosim.NewBetron(cfg.BetronAgentCode, cfg.BetronAgentToken, cfg.BetronSecretKey)
	cfg.BetaoURL, cfg.BetaoAPIKey, cfg.BetaoSecretKey = nowhere, secret(), secret()
	s.betao = casinosim.NewBetao(cfg.BetaoAPIKey, cfg.BetaoSecretKey)
	return s, nil
}

// address is the setting that says where a platform is.
func (s simulated) address(cfg *Config, platform casinosim.Platform) *string {
	return map[casinosim.Platform]*string{s.tg: &cfg.TgURL, s.naga: &cfg.NagaURL, s.betron: &cfg.BetronURL, s.betao: &cfg.BetaoURL}[platform]
}

// serve serves the platforms on free loopback ports and writes their addresses into the settings.
func (s simulated) serve(cfg *Config) (stop func()) {
	var stops []func()
	for _, platform := range s.all() {
		base, stop := serveSim(platform)
		*s.address(cfg, platform) = base
		stops = append(stops, stop)
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

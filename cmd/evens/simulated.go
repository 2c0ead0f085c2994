package main

import (
	"crypto/rand"
	"encoding/hex"

	"evens/casino"
	"evens/casino/betao"
	"evens/casino/betron"
	"evens/casino/naga"
	"evens/casino/tg"
	"evens/sim/casinosim"
)

// simulated are the game platforms, played by us.
type simulated []simulatedPlatform

type simulatedPlatform struct {
	casinosim.Platform
	settings casino.Settings // that connect to it
}

func (s simulated) all() []casinosim.Platform {
	list := make([]casinosim.Platform, len(s))
	for i, p := range s {
		list[i] = p.Platform
	}
	return list
}

// nowhere is an address where nobody listens.
const nowhere = "http://127.0.0.1:1"

// newSimulated makes the platforms with keys of their own, and writes them into the settings.
// Their addresses are nowhere until they are served.
func newSimulated(cfg *Config) (simulated, error) {
	var list simulated
	for _, p := range cfg.platforms {
		if p.simulate == nil {
			continue
		}
		*p.settings.Address() = nowhere
		sim, err := p.simulate(p.settings)
		if err != nil {
			return nil, err
		}
		list = append(list, simulatedPlatform{sim, p.settings})
	}
	return list, nil
}

// serve serves the platforms on free loopback ports and writes their addresses into the settings.
func (s simulated) serve() (stop func()) {
	var stops []func()
	for _, platform := range s {
		base, stop := serveSim(platform.Platform)
		*platform.settings.Address() = base
		stops = append(stops, stop)
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

func simulateTG(s *tg.Settings) (casinosim.Platform, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	s.AgentID, s.Key, s.SecretKey = "agent", hex.EncodeToString(key), rand.Text()
	return casinosim.NewTG(s.AgentID, key, s.SecretKey)
}

func simulateNaga(s *naga.Settings) (casinosim.Platform, error) {
	s.APIKey, s.GroupCode, s.BrandCode, s.SignedOver = rand.Text(), "gc01", "bc01", naga.OverData
	sim, err := casinosim.NewNaga(s.GroupCode, s.BrandCode, s.APIKey, false)
	if err == nil {
		s.PublicKey = sim.PublicKey()
	}
	return sim, err
}

func simulateBetron(s *betron.Settings) (casinosim.Platform, error) {
	s.AgentCode, s.AgentToken, s.SecretKey = "agent", rand.Text(), rand.Text()
	return casinosim.NewBetron(s.AgentCode, s.AgentToken, s.SecretKey), nil
}

func simulateBetao(s *betao.Settings) (casinosim.Platform, error) {
	s.APIKey, s.SecretKey = rand.Text(), rand.Text()
	return casinosim.NewBetao(s.APIKey, s.SecretKey), nil
}

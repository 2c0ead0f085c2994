package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"evens/casino"
	"evens/casino/betao"
	"evens/casino/betron"
	"evens/casino/naga"
	"evens/casino/tg"
	"evens/reconcile"
	"evens/sim/casinosim"
)

// shipped are the game platforms of this program, in the order of their settings. A fifth one is its folder and a
// line here: docs/new-provider.md.
var shipped = []platform{
	entry(betao.Kind, simulateBetao),
	entry(betron.Kind, simulateBetron),
	entry(tg.Kind, simulateTG),
	entry(naga.Kind, simulateNaga),
}

// platform is a game platform that there is.
type platform struct {
	casino.Kind
	unset func() casino.Settings
	copy  func(casino.Settings) casino.Settings
	// simulate makes the simulated platform, and sets the keys that connect to it.
	simulate func(casino.Settings) (casinosim.Platform, error)
}

// entry is a line of the registry. simulate is nil where nobody simulates the platform: the demo and the benchmarks go
// without it then.
func entry[S any, P interface {
	*S
	casino.Settings
}](kind casino.Kind, simulate func(P) (casinosim.Platform, error)) platform {
	p := platform{
		Kind:  kind,
		unset: func() casino.Settings { return P(new(S)) },
		copy: func(s casino.Settings) casino.Settings {
			own := *s.(P)
			return P(&own)
		},
	}
	if simulate != nil {
		p.simulate = func(s casino.Settings) (casinosim.Platform, error) { return simulate(s.(P)) }
	}
	return p
}

// offered is a platform with its settings, as far as they are read.
type offered struct {
	platform
	settings casino.Settings
}

func (o offered) on() bool { return *o.settings.Address() != "" }

// offer puts the options of platforms among the others.
func (c *Config) offer(list []platform) {
	for _, p := range list {
		settings := p.unset()
		c.Plugins = append(c.Plugins, settings)
		c.platforms = append(c.platforms, offered{p, settings})
	}
}

// shipped are the platforms that were offered.
func (c *Config) shipped() []platform {
	list := make([]platform, len(c.platforms))
	for i, p := range c.platforms {
		list[i] = p.platform
	}
	return list
}

// own is a copy that can be changed.
func (c *Config) own() Config {
	own := *c
	own.platforms = slices.Clone(c.platforms)
	own.Plugins = nil
	for i, p := range own.platforms {
		own.platforms[i].settings = p.copy(p.settings)
	}
	return own
}

// connect gives a platform settings.
func (c *Config) connect(name string, settings casino.Settings) {
	for i := range c.platforms {
		if c.platforms[i].Name == name {
			c.platforms[i].settings = settings
		}
	}
}

// kinds are all platforms, configured or not.
func (c *Config) kinds() []casino.Kind {
	kinds := make([]casino.Kind, len(c.platforms))
	for i, p := range c.platforms {
		kinds[i] = p.Kind
	}
	return kinds
}

// platform returns one by its name.
func (c *Config) platform(name string) (offered, bool) {
	at := slices.IndexFunc(c.platforms, func(p offered) bool { return p.Name == name })
	if at < 0 {
		return offered{}, false
	}
	return c.platforms[at], true
}

// providerNames has the options of commands name the providers that there are.
func providerNames(list []offered) kong.Vars {
	names := reconcile.Providers((&Config{platforms: list}).kinds())
	last := len(names) - 1
	return kong.Vars{"providers": strings.Join(names, ","), "any_provider": strings.Join(names[:last], ", ") + " or " + names[last]}
}

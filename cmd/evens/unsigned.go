package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"evens/casino"
	"evens/coupon"
)

// unsignedDoor is a provider whose calls carry no signature, with what keeps strangers out instead.
type unsignedDoor struct {
	provider string
	on       bool
	casino.Door
}

func (c *Config) unsignedDoors(s settings) []unsignedDoor {
	doors := []unsignedDoor{{coupon.Provider, c.BetURL != "", casino.Door{
		Secret: strings.Trim(c.BetResultSecret, "/"), Allow: s.allow, SecretSetting: "EVENS_BET_RESULT_SECRET", AllowSetting: "EVENS_BET_RESULT_ALLOW",
	}}}
	for _, p := range c.platforms {
		if door := p.settings.Door(); door != nil {
			doors = append(doors, unsignedDoor{p.Name, p.on(), *door})
		}
	}
	return doors
}

// A path secret of fewer characters, or made of fewer different ones, can be guessed.
const (
	shortestSecret = 16
	fewestLetters  = 5
)

var errShortSecret = fmt.Errorf("can be guessed: at least %d random characters are needed (openssl rand -hex 24)", shortestSecret)

// guessable reports whether a path secret is too short.
func guessable(secret string) bool {
	letters := []rune(secret)
	slices.Sort(letters)
	return len(secret) < shortestSecret || len(slices.Compact(letters)) < fewestLetters
}

// narrowest are the bits of the largest network that an allow-list may name: 0.0.0.0/0, and the two halves of
// it, keep nobody out.
const narrowest = 8

// narrow reports whether an allow-list keeps strangers out.
func narrow(allow []netip.Prefix) bool {
	return len(allow) > 0 && !slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Bits() < narrowest })
}

var errEverybody = errors.New("has a network in it that is larger than a private one (10.0.0.0/8, fc00::/7): " +
	"whoever calls from it may say that the call comes from any address")

// everybody reports whether a network is larger than any of one owner's.
func everybody(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return p.Bits() < narrowest
	}
	return p.Bits() < narrowest-1
}

// shut is nil where strangers cannot call, else it names the settings that would keep them out.
func (d unsignedDoor) shut() error {
	switch {
	case !d.on:
		return nil
	case d.Secret != "" && guessable(d.Secret):
		return fmt.Errorf("%s: %w", d.SecretSetting, errShortSecret)
	case d.Secret == "" && !narrow(d.Allow):
		return fmt.Errorf("%s: its calls carry no signature, and whoever reaches %s could make them: set %s (a long random secret in "+
			"their path) or %s (the addresses that may call)", d.provider, "EVENS_LISTEN", d.SecretSetting, d.AllowSetting)
	}
	return nil
}

// checkUnsigned refuses to serve the public listener where strangers could make a provider's calls. A
// listener on loopback is nobody's but this machine's, and EVENS_ALLOW_UNSIGNED is its owner's word.
func (c *Config) checkUnsigned() error {
	s, err := c.parse()
	if err != nil {
		return err
	}
	if c.AllowUnsigned || onLoopback(c.Listen) {
		return nil
	}
	var open []error
	for _, door := range c.unsignedDoors(s) {
		if err := door.shut(); err != nil {
			open = append(open, err)
		}
	}
	if len(open) == 0 {
		return nil
	}
	open = append(open, errors.New("EVENS_ALLOW_UNSIGNED=true serves all the same, as does an EVENS_LISTEN on loopback; docs/security.md tells more"))
	return errors.Join(open...)
}

// warnings are what the process's owner has allowed and should not forget.
func (c *Config) warnings(s settings) []string {
	if !c.AllowUnsigned {
		return nil
	}
	var open []string
	for _, door := range c.unsignedDoors(s) {
		if door.shut() != nil {
			open = append(open, door.provider)
		}
	}
	text := "EVENS_ALLOW_UNSIGNED is set: calls without a signature are taken from anybody"
	if len(open) > 0 {
		text += "; open now: " + strings.Join(open, ", ")
	}
	return []string{text}
}

// warn logs the warnings, at every start.
func (s *system) warn() {
	for _, warning := range s.cfg.warnings(s.settings) {
		s.log.Warn(warning)
	}
}

// onLoopback reports whether a listener's address is this machine's alone.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

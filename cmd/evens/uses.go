package main

import (
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// parts are what a command opens of the system. Each setting says in its tag which of them read it; a platform's
// settings belong to usesPlatforms.
type parts uint16

// The parts. usesWallet is what moves money, and Redis, by which the other processes hear of it.
const (
	usesDatabase parts = 1 << iota
	walletAlone
	usesPassword // of the operator who decides
	usesApproval // of a second person, for large sums
	usesStakeOrder
	usesCampaigns
	usesLimitRaise
	usesGuard
	usesPolicy
	usesBookmaker
	usesPlatforms
	usesServices // listeners, workers, the clock, the payment gateway

	usesWallet     = usesDatabase | walletAlone
	usesEverything = usesServices<<1 - 1
)

// partNames are the parts as tags of settings name them.
var partNames = map[string]parts{
	"database": usesDatabase, "wallet": walletAlone, "password": usesPassword, "approval": usesApproval, "stake-order": usesStakeOrder,
	"campaigns": usesCampaigns, "limit-raise": usesLimitRaise, "guard": usesGuard, "policy": usesPolicy, "bookmaker": usesBookmaker,
	"services": usesServices,
}

func (p parts) has(some parts) bool { return p&some != 0 }

// use is what a command uses.
type use struct {
	parts
	provider string // the platform whose settings alone are read; "": every one's
}

// reads reports whether a setting is read.
func (u use) reads(flag *kong.Flag) bool {
	named := flag.Tag.Get("part")
	if named == "" {
		return u.has(usesPlatforms) && (u.provider == "" || strings.HasPrefix(flag.Name, u.provider+"-"))
	}
	return slices.ContainsFunc(strings.Split(named, ","), func(name string) bool { return u.has(partNames[name]) })
}

// command is what every command says of itself. One that asks a provider says which.
type command interface{ uses() parts }

type asking interface{ asks() string }

// useOf reads from the command line alone what its command uses. Where that cannot be read it is everything, and the
// parser that reads the environment too says what is wrong.
func useOf(list []platform, args []string) use {
	var cli commandLine
	cli.offer(list)
	exited := false
	parser, err := kong.New(&cli, commandLineOptions(cli.platforms, kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) { exited = true }))...)
	if err != nil {
		return use{parts: usesEverything}
	}
	parsed, err := parser.Parse(args)
	if err != nil || exited || parsed.Selected() == nil {
		return use{parts: usesEverything}
	}
	return useOfNode(parsed.Selected())
}

func useOfNode(node *kong.Node) use {
	target := node.Target.Interface()
	u := use{parts: usesEverything}
	if c, ok := target.(command); ok {
		u.parts = c.uses()
	}
	if c, ok := target.(asking); ok {
		u.provider = c.asks()
	}
	return u
}

// onlyOf has the environment set those settings alone that are used: what is wrong with another is no command's
// concern that does without it.
func onlyOf(u use) kong.Option {
	return kong.PostBuild(func(k *kong.Kong) error {
		for _, flag := range k.Model.Flags {
			if !u.reads(flag) {
				flag.Envs, flag.Tag.Envs = nil, nil
			}
		}
		return nil
	})
}

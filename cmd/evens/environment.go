package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// variablePrefix is what every option's environment variable starts with.
const variablePrefix = "EVENS"

// secretFiles resolves options from the files that EVENS_…_FILE name: secrets need not stand in
// the environment. Flags and the variables themselves win.
func secretFiles(lookup func(string) (string, bool)) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if _, given := lookup(name); given {
				return nil, nil
			}
			path, given := lookup(name + "_FILE")
			if !given || path == "" {
				continue
			}
			content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
			if err != nil {
				return nil, fmt.Errorf("%s_FILE: %w", name, err)
			}
			return strings.TrimRight(string(content), "\r\n"), nil
		}
		return nil, nil
	})
}

// settingsOnly keeps the environment from deciding: a command's own options, such as a payout or who
// approves it, come from its command line. Those of the simulators and the benchmarks are settings.
func settingsOnly(k *kong.Kong) error {
	for _, command := range k.Model.Children {
		if command.Name != "sim" && command.Name != "bench" {
			withoutEnvironment(command)
		}
	}
	return nil
}

func withoutEnvironment(node *kong.Node) {
	for _, flag := range node.Flags {
		if len(flag.Envs) == 0 {
			flag.Envs = []string{"-"} // kong.DefaultEnvars gives it none then
		}
	}
	for _, child := range node.Children {
		withoutEnvironment(child)
	}
}

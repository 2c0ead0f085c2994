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

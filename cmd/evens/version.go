package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Set by the build (-ldflags -X); a plain `go build` falls back to what Go records.
var (
	version = "dev"
	commit  = ""
)

type versionCommand struct{}

// Run prints version, commit and Go.
func (versionCommand) Run(s streams) error {
	_, err := fmt.Fprintf(s.out, "evens %s commit %s %s\n", version, buildCommit(), runtime.Version())
	return err
}

func buildCommit() string {
	if commit != "" {
		return commit
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				return setting.Value
			}
		}
	}
	return "unknown"
}

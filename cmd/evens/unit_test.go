package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// unitOf reads a unit file: the values of each key, by section and key.
func unitOf(t *testing.T, text string) map[string][]string {
	t.Helper()
	unit := make(map[string][]string)
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			section = strings.Trim(line, "[]")
		default:
			key, value, ok := strings.Cut(line, "=")
			if !ok || section == "" {
				t.Errorf("%q is no setting of a unit", line)
			}
			unit[section+"."+key] = append(unit[section+"."+key], value)
		}
	}
	return unit
}

// The unit stops Evens as Evens wants to be stopped, starts it again, and gives it no rights that it does not need.
func TestUnitFile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/evens.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := unitOf(t, string(text))
	for key, want := range map[string]string{
		"Service.KillMode": "mixed", "Service.KillSignal": "SIGTERM", "Service.Restart": "always", "Service.NoNewPrivileges": "yes",
		"Service.ProtectSystem": "strict", "Service.ProtectHome": "yes", "Service.PrivateDevices": "yes", "Service.CapabilityBoundingSet": "",
		"Service.UMask": "0077", "Unit.StartLimitIntervalSec": "0", "Install.WantedBy": "multi-user.target",
	} {
		if !slices.Equal(unit[key], []string{want}) {
			t.Errorf("%s = %q, want %q", key, unit[key], want)
		}
	}
	environment := make(map[string]string)
	for _, setting := range unit["Service.Environment"] {
		name, value, _ := strings.Cut(setting, "=")
		environment[name] = value
	}
	stop, err := time.ParseDuration(environment["EVENS_STOP_TIMEOUT"])
	if err != nil {
		t.Fatal(err)
	}
	patience, err := time.ParseDuration(unit["Service.TimeoutStopSec"][0])
	if err != nil || patience < stop+5*time.Second {
		t.Errorf("TimeoutStopSec = %s, %v, with a promise of %s", patience, err, stop)
	}
	if want := "/var/lib/" + unit["Service.StateDirectory"][0]; environment["EVENS_DATA_DIR"] != want {
		t.Errorf("EVENS_DATA_DIR = %s, want the unit's own %s: nothing else is writable", environment["EVENS_DATA_DIR"], want)
	}
	var cli commandLine
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	command := strings.Fields(unit["Service.ExecStart"][0])
	if _, err := parser.Parse(command[1:]); err != nil || filepath.Base(command[0]) != "evens" {
		t.Errorf("ExecStart = %q: %v", command, err)
	}
	for name := range environment {
		if !slices.ContainsFunc(parser.Model.Flags, func(f *kong.Flag) bool { return slices.Contains(f.Envs, name) }) {
			t.Errorf("%s is no setting", name)
		}
	}
	operations, err := os.ReadFile("../../docs/operations.md")
	if err != nil || !strings.Contains(string(operations), "deploy/evens.service") {
		t.Errorf("docs/operations.md does not name the unit: %v", err)
	}
	t.Run("systemd-analyze verify", func(t *testing.T) {
		program, err := exec.LookPath("systemd-analyze")
		if err != nil {
			t.Skip("no systemd-analyze here")
		}
		path := filepath.Join(t.TempDir(), "evens.service")
		here := strings.Replace(string(text), command[0], os.Args[0], 1) // a program that is there
		if err := os.WriteFile(path, []byte(here), 0o600); err != nil {
			t.Fatal(err)
		}
		if said, err := exec.CommandContext(t.Context(), program, "verify", path).CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%v: %s", err, said)
		}
	})
}

// No listener with an empty address: the system would choose every address and any port.
func TestEmptyAddressesAreRefused(t *testing.T) {
	for _, name := range []string{"EVENS_LISTEN", "EVENS_OPS_LISTEN"} {
		for _, value := range []string{"", " "} {
			t.Run(name+"="+value, func(t *testing.T) {
				t.Setenv(name, value)
				var cli commandLine
				parser, err := newParser(&cli)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := parser.Parse([]string{"up"}); err != nil {
					t.Fatal(err)
				}
				if _, err := cli.parse(); err == nil || !strings.Contains(err.Error(), name+": is empty") {
					t.Errorf("parse() = %v, want %s refused", err, name)
				}
			})
		}
	}
}

// No option of a command that decides has a variable: only settings do, and those of simulators and benchmarks.
func TestOnlySettingsHaveVariables(t *testing.T) {
	t.Parallel()
	var cli commandLine
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	options := 0
	for _, leaf := range parser.Model.Leaves(false) {
		path := strings.TrimPrefix(leaf.Path(), "evens ")
		if first, _, _ := strings.Cut(path, " "); first == "sim" || first == "bench" {
			continue
		}
		for node := leaf; node != nil && node.Type != kong.ApplicationNode; node = node.Parent {
			for _, flag := range node.Flags {
				options++
				if envs := slices.DeleteFunc(slices.Clone(flag.Envs), func(name string) bool { return name == "-" }); len(envs) > 0 {
					t.Errorf("%s --%s comes from %v", path, flag.Name, envs)
				}
			}
			for _, argument := range node.Positional {
				if envs := argument.Tag.Envs; len(envs) > 0 {
					t.Errorf("%s <%s> comes from %v", path, argument.Name, envs)
				}
			}
		}
	}
	if options < 50 {
		t.Errorf("%d options looked at: this test sees nothing", options)
	}
}

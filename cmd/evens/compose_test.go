package main

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type composed struct {
	Services map[string]struct {
		Image       string
		Networks    []string
		Secrets     []string
		CapDrop     []string `yaml:"cap_drop"`
		CapAdd      []string `yaml:"cap_add"`
		SecurityOpt []string `yaml:"security_opt"`
		MemLimit    string   `yaml:"mem_limit"`
		PidsLimit   int      `yaml:"pids_limit"`
		Ports       []string
		Volumes     []string
		Environment map[string]string
		Healthcheck struct{ Test []string }
	}
	Networks map[string]struct{ Internal bool }
	Secrets  map[string]struct{ File string }
}

// compose reads the composed installation.
func compose(t *testing.T) composed {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var c composed
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// A Redis that is away must not take the processes with it: health checks ask whether a process lives.
func TestHealthChecksAskForLifeAlone(t *testing.T) {
	t.Parallel()
	c := compose(t)
	for _, name := range []string{"api", "worker", "cron"} {
		if check := strings.Join(c.Services[name].Healthcheck.Test, " "); !strings.HasSuffix(check, ":8081/healthz") {
			t.Errorf("%s is asked %q", name, check)
		}
	}
	image, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if check := regexp.MustCompile(`(?s)HEALTHCHECK [^\n]*\\\n[^\n]*`).FindString(string(image)); !strings.Contains(check, ":8081/healthz ") {
		t.Errorf("the image is asked %q", check)
	}
}

var pinned = regexp.MustCompile(`^[a-z]+:[0-9]+\.[0-9]+(\.[0-9]+)?-[a-z]+$`)

// The composed installation: nothing has rights, memory, a network or a secret that it does not need.
func TestComposeIsClosed(t *testing.T) {
	t.Parallel()
	c := compose(t)
	if !c.Networks["inside"].Internal {
		t.Error("the network inside has a way out")
	}
	for name, s := range c.Services {
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.MemLimit == "" || s.PidsLimit == 0 || len(s.Networks) == 0 {
			t.Errorf("%s: capabilities %v, options %v, memory %q, processes %d, networks %v", name, s.CapDrop, s.SecurityOpt, s.MemLimit, s.PidsLimit, s.Networks)
		}
		if len(s.CapAdd) > 0 && name != "postgres" {
			t.Errorf("%s has the capabilities %v", name, s.CapAdd)
		}
		if !pinned.MatchString(s.Image) && !strings.HasPrefix(s.Image, "evens:") {
			t.Errorf("%s: the image %s has no exact version", name, s.Image)
		}
		if name == "postgres" || name == "redis" {
			if slices.Contains(s.Networks, "outside") || len(s.Ports) > 0 {
				t.Errorf("%s can be reached from outside", name)
			}
		}
		if places := name == "api" || name == "worker"; places && !slices.Contains(s.Volumes, "spool:/var/lib/evens") {
			t.Errorf("%s: volumes %v: its spool would end with the container", name, s.Volumes)
		}
		if owns := slices.Contains(s.Secrets, "database_owner_url"); owns != (name == "migrate") {
			t.Errorf("%s knows the owner of the tables: %t", name, owns)
		}
		for variable, value := range s.Environment {
			if secret, ok := strings.CutPrefix(value, "/run/secrets/"); ok && !slices.Contains(s.Secrets, secret) {
				t.Errorf("%s: %s names a secret that it is not given", name, variable)
			}
		}
	}
	file := make(map[string]bool)
	for variable := range c.Services["api"].Environment {
		file[variable] = true
	}
	var cfg Config
	for field := range reflect.TypeOf(cfg).Fields() {
		if !regexp.MustCompile(`(Secret|Password|Token|Key|APIKey|SecretKey)$`).MatchString(field.Name) || field.Name == "NagaPublicKey" ||
			strings.HasPrefix(field.Name, "Rate") || strings.HasPrefix(field.Name, "Streams") { // bounds of a key, and no secret
			continue
		}
		found := false
		for variable := range file {
			found = found || strings.EqualFold(strings.ReplaceAll(strings.TrimPrefix(variable, "EVENS_"), "_", ""), field.Name+"File")
		}
		if !found {
			t.Errorf("%s has no …_FILE in the composed installation", field.Name)
		}
	}
	for name := range c.Secrets {
		script, err := os.ReadFile("../../scripts/secrets.sh")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(script), name) {
			t.Errorf("make secrets does not make %s", name)
		}
	}
}

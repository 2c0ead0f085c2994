package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

const longSecret = "5f0c1e7a9b3d24860c1e7a9b"

// configured is a Config of the program's defaults with these options.
func configured(t *testing.T, options ...string) *Config {
	t.Helper()
	var cli commandLine
	parser, err := newParser(&cli)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(append([]string{"up"}, options...)); err != nil {
		t.Fatal(err)
	}
	return &cli.Config
}

var (
	withBeT    = []string{"--bet-url=http://bet.example", "--bet-login=l", "--bet-password=p"}
	withBetron = []string{"--betron-url=http://betron.example", "--betron-agent-code=c", "--betron-agent-token=t", "--betron-secret-key=s"}
)

func TestStrangersCannotMakeUnsignedCalls(t *testing.T) {
	t.Parallel()
	everywhere := "--listen=0.0.0.0:8080"
	for name, c := range map[string]struct {
		options []string
		names   []string // of the settings that the refusal names; nil: it serves
	}{
		"BeT open":                          {append(withBeT, everywhere), []string{"EVENS_BET_RESULT_SECRET", "EVENS_BET_RESULT_ALLOW"}},
		"BetronTech open":                   {append(withBetron, everywhere), []string{"EVENS_BETRON_PATH_SECRET", "EVENS_BETRON_ALLOW"}},
		"both open":                         {append(append(withBeT, withBetron...), everywhere), []string{"EVENS_BET_RESULT_ALLOW", "EVENS_BETRON_ALLOW"}},
		"one of two open":                   {append(append(withBeT, withBetron...), everywhere, "--bet-result-secret="+longSecret), []string{"EVENS_BETRON_PATH_SECRET"}},
		"all addresses of the machine":      {append(withBeT, "--listen=:8080"), []string{"EVENS_BET_RESULT_SECRET"}},
		"all addresses in IPv6":             {append(withBeT, "--listen=[::]:8080"), []string{"EVENS_BET_RESULT_SECRET"}},
		"a name that may be any":            {append(withBeT, "--listen=evens.internal:8080"), []string{"EVENS_BET_RESULT_SECRET"}},
		"a short secret":                    {append(withBeT, everywhere, "--bet-result-secret=s3cret"), []string{"EVENS_BET_RESULT_SECRET"}},
		"slashes do not make it long":       {append(withBeT, everywhere, "--bet-result-secret=//////////s3cret//////////"), []string{"EVENS_BET_RESULT_SECRET"}},
		"one letter over and over":          {append(withBeT, everywhere, "--bet-result-secret=aaaaaaaaaaaaaaaaaaaaaaaa"), []string{"EVENS_BET_RESULT_SECRET"}},
		"a short secret beside a list":      {append(withBeT, everywhere, "--bet-result-secret=s3cret", "--bet-result-allow=192.0.2.0/24"), []string{"EVENS_BET_RESULT_SECRET"}},
		"BetronTech's short secret":         {append(withBetron, everywhere, "--betron-path-secret=s3cret"), []string{"EVENS_BETRON_PATH_SECRET"}},
		"a list of everybody":               {append(withBeT, everywhere, "--bet-result-allow=0.0.0.0/0"), []string{"EVENS_BET_RESULT_ALLOW"}},
		"a list of everybody in two halves": {append(withBeT, everywhere, "--bet-result-allow=0.0.0.0/1,128.0.0.0/1"), []string{"EVENS_BET_RESULT_ALLOW"}},
		"a list with everybody in it":       {append(withBeT, everywhere, "--bet-result-allow=192.0.2.1,::/0"), []string{"EVENS_BET_RESULT_ALLOW"}},

		"nobody is configured":     {[]string{everywhere}, nil},
		"a secret":                 {append(withBeT, everywhere, "--bet-result-secret="+longSecret), nil},
		"an allow-list":            {append(withBeT, everywhere, "--bet-result-allow=192.0.2.7"), nil},
		"both are shut":            {append(append(withBeT, withBetron...), everywhere, "--bet-result-allow=192.0.2.0/24", "--betron-path-secret="+longSecret), nil},
		"a listener on loopback":   {append(withBeT, "--listen=127.0.0.1:8080"), nil},
		"on another loopback":      {append(withBeT, "--listen=127.8.0.1:8080", "--bet-result-secret=s3cret"), nil},
		"on loopback by name":      {append(withBeT, "--listen=localhost:8080"), nil},
		"on loopback in IPv6":      {append(withBeT, "--listen=[::1]:8080"), nil},
		"it is said to be allowed": {append(append(withBeT, withBetron...), everywhere, "--allow-unsigned"), nil},
		"signed providers alone":   {[]string{everywhere, "--tg-url=http://tg.example", "--tg-agent-id=a", "--tg-key=" + strings.Repeat("ab", 32)}, nil},
	} {
		err := configured(t, c.options...).checkUnsigned()
		if (err != nil) != (c.names != nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, setting := range c.names {
			if err != nil && !strings.Contains(err.Error(), setting) {
				t.Errorf("%s: the refusal does not name %s: %v", name, setting, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the refusal tells the secret: %v", name, err)
		}
	}
}

// The whole program, as an operator starts it: it ends at once, before it starts any server.
func TestTheProgramRefusesToStartOpen(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"up", "api"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		var said bytes.Buffer
		code := run(ctx, append([]string{command, "--listen=0.0.0.0:0", "--ops-listen=127.0.0.1:0", "--data-dir=" + t.TempDir()}, withBeT...),
			strings.NewReader(""), &said, &said)
		cancel()
		if code == 0 || !strings.Contains(said.String(), "EVENS_BET_RESULT_SECRET") {
			t.Errorf("evens %s ended with %d: %s", command, code, said.String())
		}
	}
}

func TestWhatIsAllowedIsSaid(t *testing.T) {
	t.Parallel()
	c := configured(t, append(append(withBeT, withBetron...), "--listen=0.0.0.0:8080", "--allow-unsigned", "--betron-path-secret="+longSecret)...)
	s, err := c.parse()
	if err != nil {
		t.Fatal(err)
	}
	said := c.warnings(s)
	if len(said) != 1 || !strings.Contains(said[0], "open now: bet") || strings.Contains(said[0], "betron") {
		t.Errorf("said %q", said)
	}
	if c.AllowUnsigned = false; c.warnings(s) != nil {
		t.Error("a warning without a reason")
	}
}

package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"evens/casino"
	"evens/internal/redis"
	"evens/internal/testbed"
	"evens/reconcile/statement"
	"evens/wallet/campaign"
)

// shelf is a platform with a catalogue and nothing else.
type shelf struct {
	name     string
	category string
}

func (s shelf) Name() string                       { return s.name }
func (s shelf) Address() string                    { return "http://127.0.0.1:1" }
func (s shelf) Mount(*http.ServeMux, *casino.Desk) {}
func (s shelf) List() statement.Source             { return nil }
func (s shelf) Launch(context.Context, casino.Launch) (string, error) {
	return "", casino.ErrUnsupported
}

func (s shelf) Games(context.Context) ([]casino.Game, error) {
	return []casino.Game{{Provider: s.name, Code: "1", Category: s.category}}, nil
}

// Whoever starts is told which campaigns rate by categories that a catalogue does not have, until an
// override says what they mean.
func TestACampaignWithoutCategoriesIsWarnedOf(t *testing.T) {
	t.Parallel()
	client, err := redis.Open(testbed.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	const rated = `campaigns: [{name: welcome, currency: USD, wagering: "10", contributions: {slots: "100"}`
	for _, test := range []struct {
		text  string
		warns string // of a platform
	}{
		{rated + `}]`, "betron"},
		{rated + `, overrides: [{provider: betron, rate: "100"}]}]`, ""},
		{`campaigns: [{name: plain, currency: USD, wagering: "10", contributions: {other: "100"}}]`, ""},
	} {
		book, err := campaign.Read(strings.NewReader(test.text))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		s := &system{log: slog.New(slog.NewTextHandler(&out, nil))}
		s.settings.campaigns = book
		s.games.platforms = []casino.Platform{shelf{"betron", ""}, shelf{"tg", "slot"}}
		s.games.lounge = &casino.Lounge{Catalogues: casino.NewCatalogues(client, s.games.platforms, time.Now, s.log)}
		s.warnOfCategories(t.Context())
		said := out.String()
		if test.warns == "" && said != "" || test.warns != "" && (strings.Count(said, "\n") != 1 || !strings.Contains(said, "provider="+test.warns) || !strings.Contains(said, "welcome")) {
			t.Errorf("%s: said %q", test.text, said)
		}
	}
}

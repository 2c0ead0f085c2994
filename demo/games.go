package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"evens/sim/casinosim"
)

const (
	// tablesEach is how many players play at each platform.
	tablesEach = 2
	// roundsEach is how many rounds each of them plays.
	roundsEach = 40
)

// gamble opens a game at each platform for some players, and lets the platforms play.
func (p *Play) gamble(ctx context.Context) error {
	if len(p.cfg.Games) == 0 {
		p.say("no game platforms here")
		return nil
	}
	if err := p.catalogues(ctx); err != nil {
		return err
	}
	for i, platform := range p.cfg.Games {
		var seats []casinosim.Player
		for j := range tablesEach {
			who := p.players[(i*tablesEach+j)%(len(p.players)-1)] // the last has a debt
			seat, err := p.openGame(ctx, platform, who)
			if err != nil {
				return fmt.Errorf("%s: %w", platform.Name(), err)
			}
			seats = append(seats, seat)
		}
		report, err := casinosim.Play(ctx, platform, casinosim.Plan{
			Operator: p.cfg.BaseURL, Players: seats, Rounds: roundsEach, Seed: p.cfg.Seed + uint64(i), Every: 2 * time.Millisecond,
			Path: p.cfg.Paths[platform.Name()],
		}.Rough())
		if err != nil {
			return err
		}
		p.say("%-6s  %d rounds, %d calls: %d wins, %d answers lost, %d calls twice at once, %d rollbacks, %d before their bets, %d late wins, %d bets refused, %d free spins or items; staked %s, won %s",
			platform.Name(), report.Rounds, report.Calls, report.Wins, report.Lost, report.Repeats, report.Rollbacks,
			report.Tombstones, report.Late, report.Refused, report.FreeSpins, cents(report.Staked), cents(report.Won))
	}
	p.say("every balance that was answered was the one it had to be")
	return nil
}

func (p *Play) catalogues(ctx context.Context) error {
	counts := map[string]int{}
	for _, platform := range p.cfg.Games {
		var page struct{ Items []struct{ Code string } }
		if err := p.client.call(ctx, http.MethodGet, "/v1/games?provider="+platform.Name(), "", nil, &page); err != nil {
			return err
		}
		counts[platform.Name()] = len(page.Items)
	}
	p.say("games in the catalogues: %s", tally(counts))
	return nil
}

// openGame launches the first game of a platform's catalogue and goes to its address, as a
// browser does.
func (p *Play) openGame(ctx context.Context, platform casinosim.Platform, who player) (casinosim.Player, error) {
	var page struct{ Items []struct{ Code string } }
	if err := p.client.call(ctx, http.MethodGet, "/v1/games?limit=1&provider="+platform.Name(), "", nil, &page); err != nil {
		return casinosim.Player{}, err
	}
	if len(page.Items) == 0 {
		return casinosim.Player{}, fmt.Errorf("%s has no games", platform.Name())
	}
	var launched struct{ URL string }
	err := p.client.call(ctx, http.MethodPost, "/v1/games/launch", "", map[string]string{
		"player_id": who.ID, "provider": platform.Name(), "game_code": page.Items[0].Code, "lang": "en", "mode": "real",
	}, &launched)
	if err != nil {
		return casinosim.Player{}, err
	}
	if err := visit(ctx, launched.URL); err != nil {
		return casinosim.Player{}, err
	}
	address, err := url.Parse(launched.URL)
	if err != nil {
		return casinosim.Player{}, fmt.Errorf("the game's address: %w", err)
	}
	return casinosim.Player{ID: who.ExternalID, Token: address.Query().Get("playerToken"), Currency: "USD"}, nil
}

func visit(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return fmt.Errorf("open the game: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("open the game: %s", response.Status)
	}
	return nil
}

// cents writes an amount with two decimals.
func cents(amount int64) string { return fmt.Sprintf("%d.%02d", amount/100, amount%100) }

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Place measures placements: over HTTP, each with its stake reserved, a bookmaker asked over
// HTTP, and the answer recorded.
type Place struct {
	N        int
	Callers  int // 64 by default
	Players  int // 1,000 by default
	BaseURL  string
	APIKey   string
	Progress func(placed int)
}

// Run opens players with money and places N singles.
func (p Place) Run(ctx context.Context, baseline Baseline) (*Report, error) {
	if p.Callers == 0 {
		p.Callers = 64
	}
	if p.Players == 0 {
		p.Players = 1000
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: p.Callers}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	players, err := p.openPlayers(ctx, client)
	if err != nil {
		return nil, err
	}
	turns := p.turns(players)
	resetPeak()
	before := measure()
	started := time.Now()
	latencies, err := play(ctx, strings.TrimPrefix(p.BaseURL, "http://"), p.Callers, turns, p.Progress)
	if err != nil {
		return nil, err
	}
	took := time.Since(started)
	report := &Report{Name: "place", N: p.N}
	report.finish(took, latencies, measure().since(before), baseline)
	return report, nil
}

// turns are N placements, each with an Idempotency-Key of its own, written out beforehand.
func (p Place) turns(players []string) []turn {
	turns := make([]turn, p.N)
	host := strings.TrimPrefix(p.BaseURL, "http://")
	for i := range turns {
		body := fmt.Sprintf(`{"player_id":%q,"selections":["line#%d|17|9|0.5#2.00"],"stake":"10.00","currency":"USD","lang":"en","rate_mode":"reject"}`,
			players[i%len(players)], 1_000_000+i)
		header := http.Header{
			"Content-Type": {"application/json"}, "Authorization": {"Bearer " + p.APIKey}, "Idempotency-Key": {fmt.Sprintf("bench-%d", i)},
		}
		turns[i] = turn{requests: []request{newRequest(host, "/v1/coupons", header, []byte(body))}, check: accepted}
	}
	return turns
}

var errNotAccepted = errors.New("a coupon is not accepted")

func accepted(status int, body []byte) error {
	if status != http.StatusCreated || !bytes.Contains(body, []byte(`"status":"accepted"`)) {
		return errNotAccepted
	}
	return nil
}

func (p Place) openPlayers(ctx context.Context, client *http.Client) ([]string, error) {
	players := make([]string, p.Players)
	err := p.each(ctx, p.Players, func(ctx context.Context, i int) error {
		var player struct{ ID string }
		body := fmt.Sprintf(`{"external_id":"place-%d","name":"Player %d","email":"p%d@example.com","currency":"USD"}`, i, i, i)
		if err := p.call(ctx, client, "/v1/players", "", body, &player); err != nil {
			return err
		}
		players[i] = player.ID
		deposit := fmt.Sprintf(`{"amount":"1000000.00","currency":"USD","method":"pix","transaction_id":"place-%d"}`, i)
		return p.call(ctx, client, "/v1/players/"+player.ID+"/deposits", fmt.Sprintf("place-deposit-%d", i), deposit, nil)
	})
	return players, err
}

// each runs fn for 0 … n−1 with Callers at once.
func (p Place) each(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	work := make(chan int)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(work)
		for i := range n {
			select {
			case work <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range p.Callers {
		group.Go(func() error {
			for i := range work {
				if err := fn(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func (p Place) call(ctx context.Context, client *http.Client, path, key, body string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.BaseURL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+p.APIKey)
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s: %s", path, response.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"evens/money"
	"evens/sim/casinosim"
)

// bonus is what the demo reads of one.
type bonus struct {
	Status   string `json:"status"`
	Balance  string `json:"balance"`
	Required string `json:"required"`
	Wagered  string `json:"wagered"`
	Kept     string `json:"converted"`
}

// wager gives a newcomer a bonus, has it wagered to its end at a game platform, and tells how it became
// cash.
func (p *Play) wager(ctx context.Context) error {
	if len(p.cfg.Games) == 0 {
		p.say("no game platforms here")
		return nil
	}
	var err error
	if p.newcomer, err = p.open(ctx, "Ines Vega", len(names)+1); err != nil {
		return err
	}
	if err := p.pay(ctx, p.newcomer, "deposits", "20.00", "card"); err != nil {
		return err
	}
	var given bonus
	path := "/v1/players/" + p.newcomer.ID + "/bonuses"
	if err := p.client.call(ctx, http.MethodPost, path, "bonus-"+p.run, map[string]string{"amount": "50.00", "wagering": "3"}, &given); err != nil {
		return err
	}
	p.say("%s pays 20.00 in and gets a bonus of %s, to be staked three times: %s of stakes on slots, ten times that on tables", p.newcomer.Name, given.Balance, given.Required)
	platform := p.cfg.Games[0]
	seat, err := p.openGame(ctx, platform, p.newcomer)
	if err != nil {
		return err
	}
	const most = 60 // rounds of play, many times what it takes
	for turn := range most {
		report, err := casinosim.Play(ctx, platform, casinosim.Plan{
			Operator: p.cfg.BaseURL, Players: []casinosim.Player{seat}, Rounds: 10, Seed: p.cfg.Seed + uint64(100+turn), Every: time.Millisecond, Rollback: 60,
			Path: p.cfg.Paths[platform.Name()],
		})
		if err != nil {
			return err
		}
		now, err := p.newestBonus(ctx)
		if err != nil {
			return err
		}
		if turn == 0 {
			p.say("after %d rounds at %s, with %d taken back: %s of %s are wagered, %s is in the bonus pocket", report.Rounds, platform.Name(), report.Rollbacks, now.Wagered, now.Required, now.Balance)
		}
		if now.Status == "completed" {
			p.say("%s are wagered: the bonus is completed, and the %s it left became cash", now.Wagered, now.Kept)
			return nil
		}
		if err := p.payInIfPoor(ctx, turn); err != nil {
			return err
		}
	}
	return errors.New("the bonus was not wagered to its end")
}

// payInIfPoor has a newcomer who has lost nearly everything pay in again: the wagering goes on.
func (p *Play) payInIfPoor(ctx context.Context, turn int) error {
	var has wallet
	if err := p.client.call(ctx, http.MethodGet, "/v1/players/"+p.newcomer.ID+"/wallet", "", nil, &has); err != nil {
		return err
	}
	total, err := money.Parse(has.Total)
	if err != nil || total >= 10*money.Scale {
		return err
	}
	return p.payIn(ctx, p.newcomer, fmt.Sprintf("again-%d", turn), "20.00")
}

func (p *Play) newestBonus(ctx context.Context) (bonus, error) {
	var page struct{ Items []bonus }
	err := p.client.call(ctx, http.MethodGet, "/v1/players/"+p.newcomer.ID+"/bonuses", "", nil, &page)
	if err == nil && len(page.Items) == 0 {
		err = errors.New("the bonus is gone")
	}
	if err != nil {
		return bonus{}, err
	}
	return page.Items[0], nil
}

// limits is what the demo reads of a player's.
type limits struct {
	Wager struct{ Daily *string }
	Used  struct {
		Wager struct{ Daily string }
	}
	Pending []struct {
		Limit, Period string
		From          time.Time
	}
}

// stop sets a daily limit just above what has been staked, and plays on until it is hit: by a coupon
// and by a game. Asked to be higher, it waits a day.
func (p *Play) stop(ctx context.Context) error {
	if p.newcomer.ID == "" {
		p.say("no game platforms here")
		return nil
	}
	path := "/v1/players/" + p.newcomer.ID + "/limits"
	var now limits
	if err := p.client.call(ctx, http.MethodGet, path, "", nil, &now); err != nil {
		return err
	}
	if err := p.payIn(ctx, p.newcomer, "limit", "20.00"); err != nil {
		return err
	}
	daily := now.Used.Wager.Daily
	set := func(amount string) error {
		return p.client.call(ctx, http.MethodPut, path, "", map[string]any{"wager": map[string]string{"daily": amount}}, &now)
	}
	if err := set(daily); err != nil {
		return err
	}
	p.say("%s has staked %s today, and says: no more than that", p.newcomer.Name, daily)
	before, err := p.cash(ctx, p.newcomer)
	if err != nil {
		return err
	}
	_, err = p.order(ctx, p.newcomer, p.pointers(couponsPlaced), "1.00", 80_000)
	answer := &refusal{}
	if !errors.As(err, &answer) || answer.code() != "limit_exceeded" {
		return fmt.Errorf("want limit_exceeded, got %w", err)
	}
	p.say("a coupon of 1.00: HTTP %d %s", answer.status, answer.code())
	for _, platform := range p.cfg.Games {
		if err := p.refusedAt(ctx, platform); err != nil {
			return fmt.Errorf("%s: %w", platform.Name(), err)
		}
	}
	if err := set("1000000.00"); err != nil {
		return err
	}
	if len(now.Pending) != 1 {
		return fmt.Errorf("%d limits wait", len(now.Pending))
	}
	p.say("more, please: the limit stays %s until %s", *now.Wager.Daily, now.Pending[0].From.Format("Mon 15:04"))
	after, err := p.cash(ctx, p.newcomer)
	if err == nil && before != after {
		err = fmt.Errorf("the balance went from %s to %s", before, after)
	}
	return err
}

// refusedAt has a platform ask for a stake, which must be refused in its own words.
func (p *Play) refusedAt(ctx context.Context, platform casinosim.Platform) error {
	seat, err := p.openGame(ctx, platform, p.newcomer)
	if err != nil {
		return err
	}
	words, err := casinosim.Refused(ctx, platform, casinosim.Plan{Operator: p.cfg.BaseURL, Path: p.cfg.Paths[platform.Name()]}, seat, "limit-"+p.run)
	if err != nil {
		return err
	}
	p.say("%-6s  a bet of 1.00: %s", platform.Name(), words)
	return nil
}

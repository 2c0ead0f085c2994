package demo

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"evens/reconcile"
	"evens/sim/betsim"
	"evens/sim/casinosim"
)

// Books does one run of reconciliation over a window.
type Books func(ctx context.Context, provider string, from, to time.Time) (*reconcile.Report, error)

// lostResults is how many coupons BeT decides without telling.
const lostResults = 6

// reconcile has every provider's list say something wrong, holds our books against it, and does so
// again when the providers have put right what was theirs.
func (p *Play) reconcile(ctx context.Context) error {
	if p.cfg.Books == nil {
		p.say("no reconciliation here")
		return nil
	}
	var mend []func()
	for _, platform := range p.cfg.Games {
		planted := casinosim.Plant(platform, casinosim.Player{ID: p.players[0].ExternalID, Currency: "USD"})
		mend = append(mend, planted.Mend)
	}
	if err := p.decideQuietly(ctx); err != nil {
		return err
	}
	p.say("each platform's list now lacks a bet, calls one failed or what nobody knows, and has amounts, players and bets that are wrong; BeT has decided %d coupons and told nobody", lostResults)
	if _, err := p.hold(ctx); err != nil {
		return err
	}
	select {
	case <-time.After(p.cfg.Settling):
	case <-ctx.Done():
		return ctx.Err()
	}
	p.say("%s later the lists still lack those bets: now that counts", p.cfg.Settling)
	if _, err := p.hold(ctx); err != nil {
		return err
	}
	for _, put := range mend {
		put()
	}
	p.say("the providers put right what was theirs, and the results that were asked for are settled")
	if err := p.until(ctx, 20*time.Second, p.settledQuietly); err != nil {
		return err
	}
	open, err := p.hold(ctx)
	if err != nil {
		return err
	}
	if err := p.person(ctx, open); err != nil {
		return err
	}
	if open, err = p.hold(ctx); err != nil {
		return err
	}
	if len(open) > 0 {
		return fmt.Errorf("%d differences are left", len(open))
	}
	return nil
}

// person decides what no list proves: nothing of it moves by itself.
func (p *Play) person(ctx context.Context, open []reconcile.Found) error {
	if len(open) < 2 {
		return fmt.Errorf("%d differences wait for a person, not the planted ones", len(open))
	}
	for _, b := range open {
		if b.Action != reconcile.ActPerson || b.ID == nil {
			return fmt.Errorf("break %s %s: %s, not a person's", b.Kind, b.TransactionID, b.Action)
		}
		p.say("a person decides about %s %s, of which they say %s", b.Kind, b.TransactionID, b.Theirs)
		if err := p.cfg.Decide(ctx, *b.ID, "asked the provider: the bet stands as it is here"); err != nil {
			return err
		}
	}
	return nil
}

// hold does a run for each provider that has a list, and returns the breaks that stay open.
func (p *Play) hold(ctx context.Context) (open []reconcile.Found, err error) {
	for _, provider := range p.cfg.Lists {
		report, err := p.cfg.Books(ctx, provider, p.begun, time.Now().Add(time.Second))
		if err != nil {
			return open, fmt.Errorf("%s: %w", provider, err)
		}
		kinds := map[string]int{}
		for _, b := range report.Breaks {
			kinds[fmt.Sprintf("%s (%s, %s)", b.Kind, b.Action, b.State)]++
			if b.State == reconcile.StateOpen {
				open = append(open, b)
			}
		}
		found := tally(kinds)
		if len(kinds) == 0 {
			found = "no difference"
		}
		p.say("%-6s  %d lines, %d of ours, %d agree: %s", provider, report.Lines, report.Ours, report.Matched, found)
	}
	return open, nil
}

// decideQuietly places coupons that BeT decides, and keeps the results to itself.
func (p *Play) decideQuietly(ctx context.Context) error {
	p.quiet = nil
	for i := range lostResults * 3 {
		placed, err := p.order(ctx, p.players[6], p.pointers(couponsPlaced+i), "1.00", 70_000+i)
		if err != nil {
			return err
		}
		if placed.Status == "accepted" && len(p.quiet) < lostResults {
			p.quiet = append(p.quiet, placed.ID)
		}
	}
	quiet := map[string]bool{}
	for _, id := range p.quiet {
		var c coupon
		if err := p.client.call(ctx, http.MethodGet, "/v1/coupons/"+id, "", nil, &c); err != nil {
			return err
		}
		quiet[c.BetCode] = true
	}
	p.cfg.BeT.Results(betsim.ResultOptions{Mix: betsim.Mix{Won: 50, Lost: 50}, Only: func(c betsim.Coupon) bool { return quiet[c.BetCode] }, At: time.Now().Add(-time.Minute)})
	return nil
}

// until asks again and again whether something holds.
func (p *Play) until(ctx context.Context, limit time.Duration, holds func(context.Context) (bool, error)) error {
	for deadline := time.Now().Add(limit); ; {
		held, err := holds(ctx)
		if held || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %s", limit)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settledQuietly reports whether the results that BeT kept to itself have been settled.
func (p *Play) settledQuietly(ctx context.Context) (bool, error) {
	for _, id := range p.quiet {
		var c coupon
		if err := p.client.call(ctx, http.MethodGet, "/v1/coupons/"+id, "", nil, &c); err != nil {
			return false, err
		}
		if !strings.Contains("won lost refunded", c.Status) {
			return false, nil
		}
	}
	return true, nil
}

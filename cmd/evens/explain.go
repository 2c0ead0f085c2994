package main

import (
	"context"
	"encoding/json"
	"time"

	"evens/explain"
	"evens/internal/postgres"
)

type explainCommand struct {
	Coupon explainCouponCommand `cmd:"" help:"What became of a coupon."`
	Player explainPlayerCommand `cmd:"" help:"How a player's balance came to be."`
}

type explainWhat struct {
	ID   string    `arg:"" help:"Our id; or a coupon's bet code, a player's external id."`
	At   time.Time `help:"As it was known then." placeholder:"TIME"`
	JSON bool      `name:"json" help:"One JSON object a line."`
}

type explainCouponCommand struct{ explainWhat }

// Run tells a coupon's story.
func (c explainCouponCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.tell(ctx, cfg, std, explain.Coupon)
}

type explainPlayerCommand struct{ explainWhat }

// Run tells a balance's story.
func (c explainPlayerCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	return c.tell(ctx, cfg, std, explain.Player)
}

func (c explainWhat) tell(ctx context.Context, cfg *Config, std streams,
	story func(context.Context, *postgres.DB, string, time.Time) ([]explain.Step, error),
) error {
	s, err := openFor(ctx, cfg, "explain", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	if c.At.IsZero() {
		c.At = s.now().Add(time.Hour) // clocks of other machines
	}
	steps, err := story(ctx, s.db, c.ID, c.At)
	if err != nil {
		return err
	}
	if !c.JSON {
		return explain.Print(std.out, steps)
	}
	encoder := json.NewEncoder(std.out)
	encoder.SetEscapeHTML(false)
	for _, step := range steps {
		if err := encoder.Encode(step); err != nil {
			return err
		}
	}
	return nil
}

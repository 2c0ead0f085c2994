package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"evens/access"
	"evens/console"
	"evens/internal/callbacks"
)

type callbackCommand struct {
	ID string `arg:"" help:"X-Callback-Id of our answer."`
	deciding
}

// Run prints one callback as JSON: what came, what was answered, what it moved.
func (c callbackCommand) Run(ctx context.Context, cfg *Config, std streams) error {
	id, err := uuid.Parse(c.ID)
	if err != nil {
		return fmt.Errorf("%q is no callback's id", c.ID)
	}
	s, err := openFor(ctx, cfg, "callback", c.uses(), std)
	if err != nil {
		return err
	}
	defer s.close()
	if _, _, err := s.decider(ctx, newSecrets(std), c.Operator, c.Code, access.ReadCallbacks); err != nil {
		return err
	}
	record, err := callbacks.Read(ctx, s.db, id)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(std.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(console.ViewCallback(record))
}

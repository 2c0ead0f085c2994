package api

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

var createToken = huma.Operation{
	OperationID: "create-token", Method: http.MethodPost, Path: "/v1/players/{id}/tokens", Tags: []string{"Players"},
	Summary:     "Issue a player's token",
	Description: "For the player's own browser or app. It is shown this once. Without a body it lives 24 hours. A blocked player gets none.",
	Errors:      []int{http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge},
}

type createTokenInput struct {
	ID   string `path:"id" doc:"The player's id"`
	Body *struct {
		TTL ttl `json:"ttl,omitempty"`
	} `nameHint:"NewToken"`
}

type tokenOutput struct {
	Body struct {
		Token     string    `json:"token" example:"evp_…"`
		ExpiresAt time.Time `json:"expires_at"`
	} `nameHint:"Token"`
}

func (s *server) createToken(ctx context.Context, who *caller, in *createTokenInput) (*tokenOutput, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	var lifetime time.Duration
	if in.Body != nil {
		if lifetime, err = in.Body.TTL.duration(); err != nil {
			return nil, err
		}
	}
	out := &tokenOutput{}
	out.Body.Token, out.Body.ExpiresAt, err = s.cfg.Tokens.Issue(ctx, id, lifetime)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ttl is a lifetime as a caller writes it: "90m" or "24h", or a number of seconds.
type ttl string

// Schema implements huma.SchemaProvider.
func (ttl) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Description: `How long the token lives: a duration such as "90m" or "24h", or a number of seconds; up to 30 days`,
		OneOf:       []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeInteger}},
		Examples:    []any{"24h"},
	}
}

// UnmarshalJSON keeps the text of a string or a number.
func (t *ttl) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte(`"`)) {
		var text string
		err := json.Unmarshal(data, &text)
		*t = ttl(text)
		return err
	}
	*t = ttl(data)
	return nil
}

// duration is zero where nothing was written.
func (t ttl) duration() (time.Duration, error) {
	text := string(t)
	if text == "" || text == "null" {
		return 0, nil
	}
	if strings.Trim(text, "0123456789") == "" {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, badField(CodeValidationFailed, "body.ttl", `is not a duration above zero such as "24h"`)
	}
	return d, nil
}

var endToken = huma.Operation{
	OperationID: "end-token", Method: http.MethodDelete, Path: "/v1/tokens/current", Tags: []string{"Players"},
	Summary:     "Log out",
	Description: "Called with a player's token: it is invalid from now on, its player's open games take no more bets, and open event streams end.",
}

func (s *server) endToken(ctx context.Context, who *caller, _ *struct{}) (*struct{}, error) {
	if err := s.endGames(ctx, who.player.UUID); err != nil {
		return nil, err
	}
	return nil, s.cfg.Tokens.End(ctx, who.secret)
}

var endTokens = huma.Operation{
	OperationID: "end-tokens", Method: http.MethodDelete, Path: "/v1/players/{id}/tokens", Tags: []string{"Players"},
	Summary:     "Log a player out everywhere",
	Description: "Every token of the player is invalid from now on, open games take no more bets, and open event streams end. Blocking a player does it too.",
	Errors:      []int{http.StatusNotFound},
}

func (s *server) endTokens(ctx context.Context, who *caller, in *playerInput) (*struct{}, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.cfg.Players.Get(ctx, id); err != nil {
		return nil, err
	}
	if err := s.endGames(ctx, id); err != nil {
		return nil, err
	}
	return nil, s.cfg.Tokens.EndAll(ctx, id)
}

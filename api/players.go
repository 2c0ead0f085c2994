package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evens/player"
)

// playerView is a player as /v1 shows one.
type playerView struct {
	ID         string    `json:"id" format:"uuid"`
	ExternalID string    `json:"external_id" doc:"Your own id of the player; providers know the player by it"`
	Name       string    `json:"name"`
	Email      string    `json:"email"`
	Currency   string    `json:"currency" example:"USD"`
	Status     string    `json:"status" enum:"active,blocked,closed"`
	CreatedAt  time.Time `json:"created_at"`
}

func viewPlayer(p player.Player) playerView {
	return playerView{
		ID: p.ID.String(), ExternalID: p.ExternalID, Name: p.Name, Email: p.Email,
		Currency: string(p.Currency), Status: string(p.Status), CreatedAt: p.CreatedAt,
	}
}

type playerOutput struct {
	Status int
	Body   playerView
}

var createPlayer = huma.Operation{
	OperationID: "create-player", Method: http.MethodPost, Path: "/v1/players", Tags: []string{"Players"},
	Summary:       "Create a player",
	Description:   "Answers 201 with a new player and an empty wallet. The same external_id again answers 200 with the same player, as it is.",
	DefaultStatus: http.StatusCreated,
	Errors:        []int{http.StatusBadRequest, http.StatusConflict, http.StatusRequestEntityTooLarge},
}

type createPlayerInput struct {
	Body struct {
		ExternalID string `json:"external_id" minLength:"1" doc:"Your own id of the player, at most 128 characters"`
		Name       string `json:"name" doc:"At most 200 characters"`
		Email      string `json:"email" doc:"At most 254 characters"`
		Currency   string `json:"currency" example:"USD" doc:"ISO 4217; the wallet's currency for good"`
	} `nameHint:"NewPlayer"`
}

// Longest texts of a player.
const (
	longestExternalID = 128
	longestName       = 200
	longestEmail      = 254
)

func (s *server) createPlayer(ctx context.Context, _ *caller, in *createPlayerInput) (*playerOutput, error) {
	var c checks
	registration := player.Registration{
		ExternalID: c.name("body.external_id", in.Body.ExternalID, longestExternalID),
		Name:       c.text("body.name", in.Body.Name, longestName),
		Email:      c.text("body.email", in.Body.Email, longestEmail),
		Currency:   c.currency("body.currency", in.Body.Currency),
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	p, created, err := s.cfg.Players.Create(ctx, registration)
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return &playerOutput{Status: status, Body: viewPlayer(p)}, nil
}

var getPlayer = huma.Operation{
	OperationID: "get-player", Method: http.MethodGet, Path: "/v1/players/{id}", Tags: []string{"Players"},
	Summary: "Read a player", Errors: []int{http.StatusNotFound},
}

type playerInput struct {
	ID string `path:"id" doc:"The player's id"`
}

func (s *server) getPlayer(ctx context.Context, who *caller, in *playerInput) (*playerOutput, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	p, err := s.cfg.Players.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return &playerOutput{Status: http.StatusOK, Body: viewPlayer(p)}, nil
}

package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"evens/internal/broadcast"
)

const aboutStreams = " Each event carries the present coupon or wallet, as GET would answer; changes that follow each other " +
	"closely may come as one. A stream that may have missed something ends: connect again. " +
	"Comments keep it open, each no later after what came before than the header `" + heartbeatHeader + "` says in milliseconds: " +
	"after three times that without a byte it is dead, connect again. It ends when its bearer is revoked or logged out. To a key, wallets show with the scope `wallet` only."

func (s *server) couponEventsOperation() huma.Operation {
	return huma.Operation{
		OperationID: "coupon-events", Method: http.MethodGet, Path: "/v1/coupons/{id}/events", Tags: []string{"Coupons"},
		Summary:     "Follow a coupon and its player's wallet",
		Description: "Server-sent events `coupon` and `wallet`: the present state at once, then every change." + aboutStreams,
		Errors:      []int{http.StatusNotFound},
		Metadata:    map[string]any{streams: true},
		Responses:   s.eventResponses(),
	}
}

func (s *server) allEventsOperation() huma.Operation {
	return huma.Operation{
		OperationID: "events", Method: http.MethodGet, Path: "/v1/events", Tags: []string{"Coupons"},
		Summary: "Follow coupons and wallets",
		Description: "Server-sent events `coupon` and `wallet` on every change: with a player's token or player_id that player's, " +
			"with an API key everybody's." + aboutStreams,
		Metadata:  map[string]any{streams: true},
		Responses: s.eventResponses(),
	}
}

func (s *server) eventResponses() map[string]*huma.Response {
	// The schemas stand in the components, named by the events' data.
	coupon, wallet := schemaOf[couponView](s, "Coupon"), schemaOf[walletView](s, "Wallet")
	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{
		"text/event-stream": {Schema: &huma.Schema{
			Type:        huma.TypeString,
			Description: "`event: coupon` with data " + coupon.Ref + ", `event: wallet` with data " + wallet.Ref,
		}},
	}}}
}

func (s *server) couponEvents(ctx context.Context, who *caller, in *couponInput) (*huma.StreamResponse, error) {
	limited, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	found, err := s.couponOf(limited, who, in.ID)
	if err != nil {
		return nil, err
	}
	id, owner := found.ID, found.Player
	return s.stream(ctx, who, newListener(uuid.NullUUID{UUID: owner, Valid: true}, uuid.NullUUID{UUID: id, Valid: true}, who.hearsWallets(),
		broadcast.Change{Kind: broadcast.Coupon, Player: owner, Coupon: uuid.NullUUID{UUID: id, Valid: true}},
		broadcast.Change{Kind: broadcast.Wallet, Player: owner},
	))
}

type eventsInput struct {
	PlayerID string `query:"player_id" doc:"One player's only"`
}

func (s *server) allEvents(ctx context.Context, who *caller, in *eventsInput) (*huma.StreamResponse, error) {
	owner, err := ownerOf(who, "query.player_id", in.PlayerID)
	if err != nil {
		return nil, err
	}
	return s.stream(ctx, who, newListener(owner, uuid.NullUUID{}, who.hearsWallets()))
}

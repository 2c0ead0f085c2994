package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"evens/wallet"
)

// walletView is a player's wallet as /v1 shows it, in answers and events alike.
type walletView struct {
	PlayerID string `json:"player_id" format:"uuid"`
	Currency string `json:"currency" example:"USD"`
	Cash     string `json:"cash" example:"150.00" doc:"Below zero where a corrected result took back what had been spent"`
	Bonus    string `json:"bonus" example:"0.00"`
	Total    string `json:"total" example:"150.00"`
}

func viewWallet(b wallet.Balance) walletView {
	return walletView{
		PlayerID: b.Player.String(), Currency: string(b.Currency),
		Cash: b.Cash.String(), Bonus: b.Bonus.String(), Total: b.Total().String(),
	}
}

var getWallet = huma.Operation{
	OperationID: "get-wallet", Method: http.MethodGet, Path: "/v1/players/{id}/wallet", Tags: []string{"Wallet"},
	Summary: "Read a player's balances", Errors: []int{http.StatusNotFound},
}

type walletOutput struct{ Body walletView }

func (s *server) getWallet(ctx context.Context, who *caller, in *playerInput) (*walletOutput, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	balance, err := s.cfg.Players.Balance(ctx, id)
	if err != nil {
		return nil, err
	}
	return &walletOutput{Body: viewWallet(balance)}, nil
}

package betron

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"evens/casino"
	"evens/player"
	"evens/reconcile/statement"
	"evens/wallet"
)

// Texts of our refusals. Their document has none; these are usual among its relatives.
const (
	msgFunds     = "INSUFFICIENT_USER_FUNDS"
	msgUser      = "INVALID_USER"
	msgParameter = "INVALID_PARAMETER"
	msgInternal  = "INTERNAL_ERROR"
)

// Accounts tells who a player is. *player.Registry is one.
type Accounts interface {
	ByExternalID(ctx context.Context, externalID string) (player.Player, error)
}

// Platform is BetronTech. It is safe for concurrent use.
type Platform struct {
	cfg      Config
	floor    *casino.Floor
	accounts Accounts
	client   client
}

// New returns the platform, whose money moves on floor.
func New(cfg Config, floor *casino.Floor, accounts Accounts) (*Platform, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Platform{cfg: cfg, floor: floor, accounts: accounts, client: newClient(cfg)}, nil
}

// Name implements casino.Platform.
func (p *Platform) Name() string { return Provider }

// Address implements casino.Platform.
func (p *Platform) Address() string { return p.cfg.URL }

// List implements casino.Platform: their API has no list.
func (p *Platform) List() statement.Source { return nil }

// Mount implements casino.Platform: POST /casino/betron, with the path secret behind it.
func (p *Platform) Mount(mux *http.ServeMux, desk *casino.Desk) {
	path := "/casino/betron"
	if p.cfg.PathSecret != "" {
		path += "/" + p.cfg.PathSecret
	}
	endpoint := casino.Endpoint{Provider: Provider, Allow: p.cfg.Allow, Unreadable: func(err error) casino.Reply { return refused(casino.Outcome{}, err) }}
	mux.Handle("POST "+path, desk.Serve(endpoint, "", p.answer))
}

func (p *Platform) answer(ctx context.Context, r casino.Request) casino.Reply {
	req, amount, err := read(r.Body)
	if err != nil {
		return refused(casino.Outcome{}, err)
	}
	who, err := p.floor.Player(ctx, string(req.UserID))
	if err != nil {
		return refused(casino.Outcome{}, err)
	}
	event := casino.Event{ID: string(req.TransactionID), Player: who, Currency: p.cfg.Currency, Game: string(req.GameID), At: r.At}
	var outcome casino.Outcome
	switch req.Method {
	case methodAccount:
		return p.account(ctx, who)
	case methodBalance:
		return p.balance(ctx, who, string(req.GameID))
	case methodBet:
		event.Stake = amount
		outcome, err = p.floor.Bet(ctx, Dialect.Bet(event))
	case methodWin:
		event.Win = amount
		outcome, err = p.floor.Win(ctx, Dialect.Win(event))
	default:
		back := Dialect.Rollback(event)
		back.Amount = &amount
		outcome, err = p.floor.Rollback(ctx, back)
	}
	if err != nil {
		return refused(outcome, err)
	}
	return done(outcome)
}

// account is the answer to account_details.
type account struct {
	UserID string `json:"user_id"`
	Email  string `json:"email"`
	Name   string `json:"name_jogador"`
}

func (p *Platform) account(ctx context.Context, who player.Identity) casino.Reply {
	found, err := p.accounts.ByExternalID(ctx, who.ExternalID)
	if err != nil {
		return refused(casino.Outcome{}, err)
	}
	outcome := casino.Outcome{Balance: wallet.Balance{Player: found.ID}}
	return reply(account{UserID: found.ExternalID, Email: found.Email, Name: found.Name}, casino.Reply{Outcome: outcome, Personal: true})
}

// balance answers user_balance: its status tells, too, whether the player may play.
func (p *Platform) balance(ctx context.Context, who player.Identity, game string) casino.Reply {
	standing, err := p.floor.Balance(ctx, Provider, who, p.cfg.Currency, game)
	outcome := casino.Outcome{Balance: standing.Balance}
	if err == nil && standing.Status != wallet.Active {
		err = wallet.ErrPlayerBlocked
	}
	if err != nil {
		return refused(outcome, err)
	}
	return done(outcome)
}

// verdict is the answer to every other method.
type verdict struct {
	Status  int    `json:"status"`
	Message string `json:"msg,omitempty"`
	Balance string `json:"balance"`
}

func done(outcome casino.Outcome) casino.Reply {
	return reply(verdict{Status: 1, Balance: casino.TwoDecimals(outcome.Playable)}, casino.Reply{Outcome: outcome})
}

func refused(outcome casino.Outcome, err error) casino.Reply {
	return reply(verdict{Message: message(err), Balance: casino.TwoDecimals(outcome.Playable)}, casino.Reply{Outcome: outcome, Err: err})
}

func message(err error) string {
	switch {
	case errors.Is(err, wallet.ErrBonusStake): // there is money enough, but not for so much at once
		return msgParameter
	case errors.Is(err, wallet.ErrInsufficientFunds), errors.Is(err, wallet.ErrLimitExceeded): // their one word for a stake that cannot be had
		return msgFunds
	case errors.Is(err, wallet.ErrUnknownPlayer), errors.Is(err, wallet.ErrPlayerBlocked):
		return msgUser
	}
	switch casino.Code(err) {
	case "unavailable", "internal":
		return msgInternal
	default:
		return msgParameter
	}
}

func reply(body any, r casino.Reply) casino.Reply {
	text, err := json.Marshal(body)
	r.Status, r.Body, r.Err = http.StatusOK, text, errors.Join(r.Err, err)
	return r
}

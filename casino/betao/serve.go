package betao

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"evens/casino"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Platform is Betao's. It is safe for concurrent use.
type Platform struct {
	cfg     Config
	floor   *casino.Floor
	notices *casino.Notices
	client  client
}

// New returns the platform, whose money moves on floor and whose callbacks are kept by notices.
func New(cfg Config, floor *casino.Floor, notices *casino.Notices) (*Platform, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Platform{cfg: cfg, floor: floor, notices: notices, client: newClient(cfg)}
	notices.Handle(Provider, p.apply, describe)
	return p, nil
}

// Name implements casino.Platform.
func (p *Platform) Name() string { return Provider }

// Address implements casino.Platform.
func (p *Platform) Address() string { return p.cfg.URL }

// Mount implements casino.Platform: POST /casino/betao/api/v3/wallet/… and /casino/betao/callback.
func (p *Platform) Mount(mux *http.ServeMux, desk *casino.Desk) {
	endpoint := casino.Endpoint{
		Provider: Provider, Allow: p.cfg.Allow,
		Unreadable: func(err error) casino.Reply { return refused(casino.Outcome{}, err) },
	}
	for _, kind := range []string{typeBalance, typeDebit, typeCredit, typeRollback} {
		mux.Handle("POST /casino/betao/api/v3/wallet/"+kind, desk.Serve(endpoint, kind, func(ctx context.Context, r casino.Request) casino.Reply {
			return p.wallet(ctx, kind, r)
		}))
	}
	mux.Handle("POST /casino/betao/callback", desk.Serve(endpoint, "callback", p.callback))
}

func (p *Platform) wallet(ctx context.Context, kind string, r casino.Request) casino.Reply {
	if !authentic(p.cfg.SecretKey, r.Body, r.Header.Get(headerSignature)) {
		return refused(casino.Outcome{}, casino.ErrUnauthentic)
	}
	b, err := parse(r.Body)
	if err == nil {
		err = b.belongs(kind)
	}
	if err == nil {
		err = b.require(kind)
	}
	if err != nil {
		return refused(casino.Outcome{}, err)
	}
	outcome, err := p.do(ctx, kind, b, r.At)
	if err != nil {
		return refused(outcome, err)
	}
	return done(b, outcome)
}

// do moves what a call, or a callback, says.
func (p *Platform) do(ctx context.Context, kind string, b body, at time.Time) (casino.Outcome, error) {
	if kind == typeRollback {
		return p.rollback(ctx, b, at)
	}
	who, err := p.floor.Player(ctx, string(b.PlayerID))
	if err != nil {
		return casino.Outcome{}, err
	}
	if kind == typeBalance {
		standing, err := p.floor.Balance(ctx, Provider, who, b.currency(), string(b.GameCode))
		return casino.Outcome{Balance: standing.Balance}, err
	}
	amount, err := b.amount()
	if err != nil {
		return casino.Outcome{}, err
	}
	event := casino.Event{
		ID: string(b.TransactionID), Player: who, Currency: b.currency(), Game: string(b.GameCode), Round: string(b.RoundID), At: at,
	}
	if kind == typeDebit {
		event.Stake = amount
		return p.floor.Bet(ctx, Dialect.Bet(event))
	}
	event.Win = amount
	return p.floor.Win(ctx, Dialect.Win(event))
}

// rollback undoes a debit or a credit by its id: their call names no player. What it states beyond the id
// must be what was debited or credited.
func (p *Platform) rollback(ctx context.Context, b body, at time.Time) (casino.Outcome, error) {
	event := casino.Event{ID: string(b.Original), Currency: b.currency(), At: at}
	if b.PlayerID != "" {
		who, err := p.floor.Player(ctx, string(b.PlayerID))
		if err != nil {
			return casino.Outcome{}, err
		}
		event.Player = who
	}
	back := Dialect.Rollback(event)
	if b.Amount != "" {
		amount, err := b.amount()
		if err != nil {
			return casino.Outcome{}, err
		}
		back.Amount = &amount
	}
	return p.floor.Rollback(ctx, back)
}

// callback stores what is told, whatever it is, once its signature fits and it has an id.
func (p *Platform) callback(ctx context.Context, r casino.Request) casino.Reply {
	if !authentic(p.cfg.SecretKey, r.Body, r.Header.Get(headerSignature)) {
		return refused(casino.Outcome{}, casino.ErrUnauthentic)
	}
	b, err := parse(r.Body)
	if err != nil {
		return refused(casino.Outcome{}, err)
	}
	m := b.message()
	if m.Transaction == "" {
		return refused(casino.Outcome{}, &fieldError{"transaction_id", errMissing})
	}
	fresh, err := p.notices.Store(ctx, Provider, m, r.Body, r.ID)
	if err != nil {
		return refused(casino.Outcome{}, err)
	}
	return casino.Reply{Status: http.StatusOK, Outcome: casino.Outcome{Repeat: !fresh}}
}

// apply works a callback off; see casino.Apply.
func (p *Platform) apply(ctx context.Context, text []byte, at time.Time) error {
	b, err := parse(text)
	if err != nil {
		return err
	}
	kind, err := b.kind()
	if err == nil && kind == typeRollback {
		b, err = p.original(ctx, b)
	}
	if err == nil {
		err = b.require(kind)
	}
	if err != nil {
		return err
	}
	_, err = p.do(ctx, kind, b, at)
	return err
}

// original finds what a rollback is of that names no original_transaction_id: its transaction_id is
// then that of the debit or the credit, where there is one. An id of its own says nothing.
func (p *Platform) original(ctx context.Context, b body) (body, error) {
	if b.Original != "" || b.TransactionID == "" {
		return b, nil
	}
	if _, err := p.floor.KindOf(ctx, Provider, string(b.TransactionID)); err != nil {
		return b, err
	}
	b.Original = b.TransactionID
	return b, nil
}

// answer is what a wallet call is answered with when it was done.
type answer struct {
	Status        string       `json:"status"`
	TransactionID string       `json:"transaction_id,omitempty"`
	Balance       money.Number `json:"balance"`
	Currency      string       `json:"currency,omitempty"`
}

func done(b body, outcome casino.Outcome) casino.Reply {
	id := string(b.TransactionID)
	if id == "" {
		id = string(b.Original)
	}
	text, err := json.Marshal(answer{
		Status: "ok", TransactionID: id, Balance: money.Number(outcome.Playable.String()), Currency: string(outcome.Currency),
	})
	return casino.Reply{Status: http.StatusOK, Body: text, Err: err, Outcome: outcome}
}

// failure is what a call is answered with when it was not.
type failure struct {
	Status  string `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func refused(outcome casino.Outcome, err error) casino.Reply {
	status, code, message := verdict(err)
	text, encodeErr := json.Marshal(failure{Status: "error", Code: code, Message: message})
	return casino.Reply{Status: status, Body: text, Err: errors.Join(err, encodeErr), Outcome: outcome}
}

func verdict(err error) (status int, code, message string) {
	if field, ok := errors.AsType[*fieldError](err); ok {
		return http.StatusUnprocessableEntity, "validation_failed", field.Error()
	}
	switch {
	case errors.Is(err, casino.ErrUnauthentic):
		return http.StatusForbidden, "invalid_signature", "the signature does not fit"
	case errors.Is(err, wallet.ErrInsufficientFunds):
		return http.StatusPaymentRequired, "insufficient_funds", "the player's balance does not cover it"
	case errors.Is(err, wallet.ErrBonusStake):
		return http.StatusForbidden, "limit_exceeded", "the stake is larger than the player's bonus lets one be"
	case errors.Is(err, wallet.ErrLimitExceeded):
		return http.StatusForbidden, "limit_exceeded", "a limit of the player would be exceeded"
	case errors.Is(err, wallet.ErrPlayerBlocked):
		return http.StatusForbidden, "player_blocked", "the player may not play"
	case errors.Is(err, wallet.ErrUnknownPlayer):
		return http.StatusNotFound, "player_not_found", "there is no such player"
	case errors.Is(err, wallet.ErrCurrency):
		return http.StatusUnprocessableEntity, "currency_mismatch", "the player's wallet is in another currency"
	case errors.Is(err, ledger.ErrConflict):
		return http.StatusConflict, "transaction_conflict", "the transaction_id was used before with other content"
	case errors.Is(err, casino.ErrAmount):
		return http.StatusUnprocessableEntity, "amount_mismatch", "the amount is not what was debited or credited"
	case errors.Is(err, casino.ErrRolledBack):
		return http.StatusConflict, "rolled_back", "it was rolled back"
	case errors.Is(err, money.ErrOverflow):
		return http.StatusUnprocessableEntity, "validation_failed", "amount is out of range"
	case errors.Is(err, casino.ErrUnreadable):
		return http.StatusUnprocessableEntity, "validation_failed", err.Error()
	case casino.Code(err) == "unavailable":
		return http.StatusServiceUnavailable, "unavailable", "nobody knows yet: send it again"
	default:
		return http.StatusInternalServerError, "internal", "our mistake: send it again"
	}
}

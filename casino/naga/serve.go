package naga

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"evens/casino"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// Platform is Naga Games. It is safe for concurrent use.
type Platform struct {
	cfg      Config
	seal     seal
	floor    *casino.Floor
	sessions *casino.Sessions
	client   client
}

// New returns the platform, whose money moves on floor and whose tokens are those of sessions.
func New(cfg Config, floor *casino.Floor, sessions *casino.Sessions) (*Platform, error) {
	if cfg.SignedOver == "" {
		cfg.SignedOver = OverData
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Platform{cfg: cfg, seal: seal{key: cfg.PublicKey, over: cfg.SignedOver}, floor: floor, sessions: sessions, client: newClient(cfg)}, nil
}

// Name implements casino.Platform.
func (p *Platform) Name() string { return Provider }

// Address implements casino.Platform.
func (p *Platform) Address() string { return p.cfg.URL }

// call answers one kind of call, whose data are authentic.
type call func(ctx context.Context, text []byte, r casino.Request) casino.Reply

// Mount implements casino.Platform: POST /casino/naga/… for each call.
func (p *Platform) Mount(mux *http.ServeMux, desk *casino.Desk) {
	endpoint := casino.Endpoint{Provider: Provider, Allow: p.cfg.Allow, Unreadable: func(err error) casino.Reply { return refused(err) }}
	for route, answer := range map[string]call{
		"authorize": p.authorize, "balance": p.balance, "place-bet": p.placeBet,
		"payout": p.payout, "cancel-bet": p.cancelBet, "bet-status": p.betStatus,
	} {
		mux.Handle("POST /casino/naga/"+route, desk.Serve(endpoint, route, func(ctx context.Context, r casino.Request) casino.Reply {
			text, err := p.seal.open(r.Body, r.Header.Get("X-Signature"))
			if err == nil {
				err = p.ours(text)
			}
			if err == nil {
				err = belongs(route, text)
			}
			if err != nil {
				return refused(err, secretsOf(r.Body)...)
			}
			return answer(ctx, text, r)
		}))
	}
}

// ours refuses a call that names another operator's group or brand: one key may sign for several.
func (p *Platform) ours(text []byte) error {
	d, err := readData(text)
	switch {
	case err != nil:
		return nil // each call says what it cannot read
	case d.GroupCode != "" && d.GroupCode != p.cfg.GroupCode:
		return fmt.Errorf("%w: groupCode is not this operator's", casino.ErrUnreadable)
	case d.BrandCode != "" && d.BrandCode != p.cfg.BrandCode:
		return fmt.Errorf("%w: brandCode is not this operator's", casino.ErrUnreadable)
	}
	return nil
}

// wide is the answer that names the player, narrow the one that does not.
type wide struct {
	NativeID string       `json:"nativeId"`
	Currency string       `json:"currency"`
	Balance  money.Number `json:"balance"`
}

type narrow struct {
	Currency string       `json:"currency"`
	Balance  money.Number `json:"balance"`
}

// twoDecimals is a balance as their Decimal(20,2) holds it: never more than there is.
func twoDecimals(balance money.Amount) money.Number {
	return money.Number(casino.TwoDecimals(balance))
}

func (p *Platform) authorize(ctx context.Context, text []byte, _ casino.Request) casino.Reply {
	return p.tell(ctx, text, http.StatusBadRequest)
}

// balance answers 404 for a token that is not known, as their page has it.
func (p *Platform) balance(ctx context.Context, text []byte, _ casino.Request) casino.Reply {
	return p.tell(ctx, text, http.StatusNotFound)
}

func (p *Platform) tell(ctx context.Context, text []byte, unknown int) casino.Reply {
	d, err := readData(text, "playerToken")
	if err != nil {
		return refused(err, secretsOf(text)...)
	}
	session, err := p.sessions.FindOpen(ctx, Provider, d.token())
	if errors.Is(err, casino.ErrSession) {
		return refusedWith(unknown, err, d.token())
	}
	var standing player.Standing
	if err == nil {
		standing, err = p.floor.Balance(ctx, Provider, session.Player, "", session.Game)
	}
	if err != nil {
		return refused(err, d.token())
	}
	return done(wide{NativeID: session.Player.ExternalID, Currency: string(session.Player.Currency), Balance: twoDecimals(standing.Playable)},
		casino.Outcome{Balance: standing.Balance}, d.token())
}

func (p *Platform) placeBet(ctx context.Context, text []byte, r casino.Request) casino.Reply {
	d, err := readData(text, ofBet...)
	if err != nil {
		return refused(err, secretsOf(text)...)
	}
	amount, err := d.amount()
	if err != nil {
		return refused(err, d.token())
	}
	session, err := p.sessions.Find(ctx, Provider, d.token())
	if err != nil {
		return refused(err, d.token())
	}
	event := d.event(session.Player, r.At)
	event.Stake, event.Session = amount, uuid.NullUUID{UUID: session.ID, Valid: true}
	outcome, err := p.floor.Bet(ctx, Dialect.Bet(event))
	return moved(outcome, err, d.token())
}

func (p *Platform) payout(ctx context.Context, text []byte, r casino.Request) casino.Reply {
	d, err := readData(text, ofBet...)
	if err != nil {
		return refused(err, secretsOf(text)...)
	}
	amount, err := d.amount()
	if err != nil {
		return refused(err, d.token())
	}
	who, err := p.playerOf(ctx, d)
	if err != nil {
		return refused(err, d.token())
	}
	event := d.event(who, r.At)
	event.Win = amount
	outcome, err := p.floor.Win(ctx, Dialect.Win(event))
	return moved(outcome, err, d.token())
}

// playerOf finds a player by the token, ended or not, or else by the bet: whoever has won is paid.
func (p *Platform) playerOf(ctx context.Context, d data) (player.Identity, error) {
	session, err := p.sessions.Find(ctx, Provider, d.token())
	if errors.Is(err, casino.ErrSession) {
		return p.floor.Owner(ctx, Provider, string(d.BetID))
	}
	return session.Player, err
}

func (p *Platform) cancelBet(ctx context.Context, text []byte, r casino.Request) casino.Reply {
	d, err := readData(text, "betId")
	if err != nil {
		return refused(err, secretsOf(text)...)
	}
	event := casino.Event{ID: string(d.BetID), Currency: d.currency(), At: r.At}
	if d.PlayerToken != "" {
		session, err := p.sessions.Find(ctx, Provider, d.token())
		if err != nil && !errors.Is(err, casino.ErrSession) {
			return refused(err, d.token())
		}
		event.Player = session.Player
	}
	back := Dialect.Rollback(event)
	if d.Amount != "" {
		amount, err := d.amount()
		if err != nil {
			return refused(err, d.token())
		}
		back.Amount = &amount
	}
	outcome, err := p.floor.Rollback(ctx, back)
	if err != nil {
		return refused(err, d.token())
	}
	return done(canceled{BetID: string(d.BetID), Status: statusCanceled}, outcome, d.token())
}

type canceled struct {
	BetID  string `json:"betId"`
	Status string `json:"status"`
}

// Where a bet stands, in their words.
const (
	statusResolved = "RESOLVED"
	statusPending  = "PENDING"
	statusFailed   = "FAILED"
	statusCanceled = "CANCELED"
)

type betStatus struct {
	BetID    string  `json:"betId"`
	PlaceBet *string `json:"transactionPlaceBetId"`
	Payout   *string `json:"transactionPayoutId"`
	Status   string  `json:"status"`
}

func (p *Platform) betStatus(ctx context.Context, text []byte, _ casino.Request) casino.Reply {
	d, err := readData(text, "betId")
	if err != nil {
		return refused(err, secretsOf(text)...)
	}
	answer := betStatus{BetID: string(d.BetID)}
	round, err := p.floor.Round(ctx, Provider, string(d.BetID))
	if err == nil {
		answer.PlaceBet, answer.Payout = orNull(round.BetTransaction), orNull(round.WinTransaction)
		answer.Status = roundStatus(round)
		return done(answer, casino.Outcome{}, d.token())
	}
	var kind ledger.Kind
	if errors.Is(err, casino.ErrUnknownBet) {
		kind, err = p.floor.KindOf(ctx, Provider, string(d.BetID))
	}
	if err != nil {
		return refused(err, d.token())
	}
	answer.Status = statusFailed
	if kind == ledger.Tombstone {
		answer.Status = statusCanceled
	}
	return done(answer, casino.Outcome{}, d.token())
}

func roundStatus(round casino.RoundStatus) string {
	switch {
	case round.Reversed:
		return statusCanceled
	case round.Wins > 0:
		return statusResolved
	default:
		return statusPending
	}
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// answer is the form of every answer.
type answer struct {
	Data  any      `json:"data"`
	Error *failure `json:"error"`
}

type failure struct {
	StatusCode int    `json:"statusCode"`
	Message    string `json:"message"`
}

func moved(outcome casino.Outcome, err error, secrets ...string) casino.Reply {
	if err != nil {
		reply := refused(err, secrets...)
		reply.Outcome = outcome
		return reply
	}
	return done(narrow{Currency: string(outcome.Currency), Balance: twoDecimals(outcome.Playable)}, outcome, secrets...)
}

func done(data any, outcome casino.Outcome, secrets ...string) casino.Reply {
	body, err := json.Marshal(answer{Data: data})
	return casino.Reply{Status: http.StatusOK, Body: body, Err: err, Outcome: outcome, Secrets: secrets}
}

func refused(err error, secrets ...string) casino.Reply {
	return refusedWith(http.StatusBadRequest, err, secrets...)
}

func refusedWith(status int, err error, secrets ...string) casino.Reply {
	body, encodeErr := json.Marshal(answer{Error: &failure{StatusCode: status, Message: message(err)}})
	return casino.Reply{Status: status, Body: body, Err: errors.Join(err, encodeErr), Secrets: secrets}
}

// message is what their error says. Only the first is theirs; their pages list no others.
func message(err error) string {
	switch {
	case errors.Is(err, casino.ErrUnauthentic):
		return "Cannot verify data!"
	case errors.Is(err, casino.ErrUnreadable):
		return strings.TrimPrefix(err.Error(), casino.ErrUnreadable.Error()+": ")
	case errors.Is(err, casino.ErrSession):
		return "Player token is invalid or expired"
	case errors.Is(err, wallet.ErrInsufficientFunds):
		return "Insufficient balance"
	case errors.Is(err, wallet.ErrBonusStake):
		return "Bet is larger than the player's bonus allows"
	case errors.Is(err, wallet.ErrLimitExceeded):
		return "Player's limit is exceeded"
	case errors.Is(err, wallet.ErrPlayerBlocked):
		return "Player is not allowed to play"
	case errors.Is(err, wallet.ErrCurrency):
		return "Currency is not the player's"
	case errors.Is(err, wallet.ErrUnknownPlayer):
		return "Player not found"
	case errors.Is(err, ledger.ErrConflict):
		return "The id was used before with other data"
	case errors.Is(err, casino.ErrAmount):
		return "Amount is not the bet's"
	case errors.Is(err, casino.ErrRolledBack):
		return "Bet was canceled"
	case errors.Is(err, casino.ErrUnknownBet):
		return "Bet not found"
	case errors.Is(err, casino.ErrSettled), errors.Is(err, casino.ErrRoundClosed):
		return "Bet was already resolved"
	default:
		return "Temporary error, try again"
	}
}

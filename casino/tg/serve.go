package tg

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"evens/casino"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// Status codes of our answers, as their pages list them by action.
const (
	statusDone       = "0000"
	statusDoneBefore = "2001"
	statusRefused    = "1006" // for good: no rollback follows
	statusStands     = "2003" // the bet cannot be taken back
	statusFailed     = "9999" // a betNSettle is then rolled back, anything else is tried again
)

// Platform is TG. It is safe for concurrent use.
type Platform struct {
	cfg    Config
	box    box
	floor  *casino.Floor
	client client
}

// New returns the platform, whose money moves on floor.
func New(cfg Config, floor *casino.Floor) (*Platform, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	box, err := newBox(cfg.Key)
	if err != nil {
		return nil, err
	}
	return &Platform{cfg: cfg, box: box, floor: floor, client: newClient(cfg, box, floor.Now)}, nil
}

// Name implements casino.Platform.
func (p *Platform) Name() string { return Provider }

// Address implements casino.Platform.
func (p *Platform) Address() string { return p.cfg.URL }

// Mount implements casino.Platform: POST /casino/tg.
func (p *Platform) Mount(mux *http.ServeMux, desk *casino.Desk) {
	endpoint := casino.Endpoint{
		Provider: Provider, Allow: p.cfg.Allow, Headers: []string{"X-Agentid", "X-Custom-System-Trace-Id"},
		Unreadable: func(err error) casino.Reply { return p.failed(nil, err) },
	}
	mux.Handle("POST /casino/tg", desk.Serve(endpoint, "", p.answer))
}

func (p *Platform) answer(ctx context.Context, r casino.Request) casino.Reply {
	plain, err := p.box.open(r.Body)
	if err != nil {
		return p.failed(nil, errors.Join(casino.ErrUnauthentic, err))
	}
	req, err := read(plain)
	if err != nil {
		return p.failed(plain, err)
	}
	who, err := p.floor.Player(ctx, string(req.UID))
	if err != nil {
		return p.failed(plain, err)
	}
	switch req.Action {
	case actionBalance:
		return p.balance(ctx, plain, req, who)
	case actionRollback:
		return p.rollback(ctx, plain, req, who, r.At)
	default:
		return p.betNSettle(ctx, plain, req, who, r.At)
	}
}

func (p *Platform) balance(ctx context.Context, plain []byte, req request, who player.Identity) casino.Reply {
	standing, err := p.floor.Balance(ctx, Provider, who, req.currency(), string(req.GameCode))
	outcome := casino.Outcome{Balance: standing.Balance}
	if err != nil {
		return p.reply(plain, statusFailed, outcome, err)
	}
	return p.reply(plain, statusDone, outcome, nil)
}

func (p *Platform) betNSettle(ctx context.Context, plain []byte, req request, who player.Identity, at time.Time) casino.Reply {
	sums, err := req.amounts()
	if err != nil {
		return p.failed(plain, err)
	}
	if p.cfg.JackpotApart {
		if sums.win, err = sums.win.Add(sums.jackpot); err != nil {
			return p.failed(plain, err)
		}
	}
	event := eventOf(req, who, at)
	event.Stake, event.Win, event.Details = sums.bet, sums.win, req.details(sums)
	do := p.floor.BetAndSettle
	if req.Action == actionRetryBet {
		do = p.floor.Retry
	}
	outcome, err := do(ctx, Dialect.BetAndSettle(event))
	return p.reply(plain, betStatus(outcome, err), outcome, err)
}

func eventOf(req request, who player.Identity, at time.Time) casino.Event {
	return casino.Event{ID: req.id(), Other: req.other(), Player: who, Currency: req.currency(), Game: string(req.GameCode), Round: string(req.RoundID), At: at}
}

// betStatus chooses between refused for good and failed. A failed bet is taken back by its id, so
// an id that was used for another bet is refused: the first one is not to be taken back.
func betStatus(outcome casino.Outcome, err error) string {
	switch {
	case err == nil && outcome.Repeat:
		return statusDoneBefore
	case err == nil:
		return statusDone
	case errors.Is(err, wallet.ErrInsufficientFunds), errors.Is(err, wallet.ErrPlayerBlocked), errors.Is(err, wallet.ErrLimitExceeded), errors.Is(err, ledger.ErrConflict):
		return statusRefused
	default:
		return statusFailed
	}
}

func (p *Platform) rollback(ctx context.Context, plain []byte, req request, who player.Identity, at time.Time) casino.Reply {
	outcome, err := p.floor.Rollback(ctx, Dialect.Rollback(eventOf(req, who, at)))
	status := statusFailed
	switch {
	case err == nil && outcome.Repeat:
		status = statusDoneBefore
	case err == nil:
		status = statusDone
	case errors.Is(err, ledger.ErrConflict): // another player's: it will never be done
		status = statusStands
	}
	return p.reply(plain, status, outcome, err)
}

// answer is the fixed form of every answer.
type answer struct {
	Status       string       `json:"status"`
	ErrText      string       `json:"errText"`
	Balance      money.Number `json:"balance"`
	ResponseTime string       `json:"responseTime"`
}

const timeLayout = "2006-01-02T15:04:05.000Z"

// errText says what a status means and nothing about why a body could not be decrypted.
func errText(status string, err error) string {
	if err == nil || status == statusDone || status == statusDoneBefore {
		return ""
	}
	return casino.Code(err)
}

func (p *Platform) failed(plain []byte, err error) casino.Reply {
	return p.reply(plain, statusFailed, casino.Outcome{}, err)
}

func (p *Platform) reply(plain []byte, status string, outcome casino.Outcome, err error) casino.Reply {
	body, encodeErr := json.Marshal(answer{
		Status: status, ErrText: errText(status, err), Balance: money.Number(outcome.Playable.String()),
		ResponseTime: p.floor.Now().UTC().Format(timeLayout),
	})
	return casino.Reply{Status: http.StatusOK, Body: body, Err: errors.Join(err, encodeErr), Outcome: outcome, Plain: plain}
}

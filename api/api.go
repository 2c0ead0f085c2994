package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"evens/access"
	"evens/coupon"
	"evens/internal/broadcast"
	"evens/player"
	"evens/wallet"
	"evens/wallet/campaign"
)

// Desk places coupons. *coupon.Desk is one.
type Desk interface {
	Place(ctx context.Context, order coupon.Order) (coupon.Coupon, error)
}

// Coupons reads coupons. *coupon.Store is one.
type Coupons interface {
	Get(ctx context.Context, id uuid.UUID) (coupon.Coupon, error)
	Many(ctx context.Context, ids []uuid.UUID) ([]coupon.Coupon, error)
	List(ctx context.Context, filter coupon.Filter) ([]coupon.Coupon, error)
	// AsAnswered reads a coupon as its placement was answered.
	AsAnswered(ctx context.Context, id uuid.UUID) (coupon.Coupon, error)
}

// Changes tells what has changed. *broadcast.Broadcaster is one.
type Changes interface {
	Subscribe(ctx context.Context) (changes <-chan broadcast.Change, cancel func())
}

// Provider is one line of GET /v1/providers.
type Provider struct {
	Name       string `json:"name" example:"bet" doc:"The bookmaker, a game platform, or cashier"`
	Configured bool   `json:"configured" doc:"Whether it can be used here"`
}

// Config of the API. Everything is required but what says otherwise.
type Config struct {
	Players *player.Registry
	Tokens  *access.Tokens
	Keys    *access.Keys
	History *player.History
	Rules   *wallet.Rulebook
	// Bonuses lists a player's bonuses, newest first.
	Bonuses func(ctx context.Context, player uuid.UUID, before uuid.NullUUID, limit int) ([]wallet.BonusView, error)
	// Campaigns are those that bonuses are granted from; nil: none.
	Campaigns *campaign.Book
	Poster    *wallet.Poster
	Coupons   Coupons
	Desk      Desk // nil (the interface): BeT is off, placing answers provider_not_configured
	Changes   Changes
	// HoldWithdrawals keeps withdrawals reserved until the payment gateway has paid them.
	HoldWithdrawals bool
	Games           Games // nil (the interface): no platform is configured
	// Providers is the answer of GET /v1/providers.
	Providers []Provider
	// Version shows in the API's description.
	Version string
	Now     func() time.Time
	// Observe, when not nil, is told each request's route pattern, status and time.
	Observe func(route string, status int, took time.Duration)
	// Rates bounds how often it is called.
	Rates Rates
	// Streams bounds the event streams.
	Streams StreamBounds
	// Heartbeat is how often a silent event stream shows that it lives; zero stands for 15 s.
	Heartbeat time.Duration
	// Stop, when it is closed, ends the event streams: a server that shuts down waits for them.
	Stop <-chan struct{}
	Log  *slog.Logger
}

type server struct {
	cfg  Config
	huma huma.API
	// operations are in the order of routes, for the page that describes them.
	operations []*huma.Operation
	heartbeat  time.Duration
	relays     relays
	seats      *seats
}

// New returns the handler of everything under /v1; whatever else it is asked is a 404 problem.
// The server that it is given to sets the timeouts for headers and idle connections; a
// ReadTimeout or WriteTimeout does no harm to streams, which lift them for themselves.
func New(cfg Config) http.Handler { return newHandler(cfg, cmp.Or(cfg.Heartbeat, heartbeat)) }

func newHandler(cfg Config, heartbeat time.Duration) http.Handler {
	speakProblems()
	s := &server{cfg: cfg, heartbeat: heartbeat, seats: newSeats(cfg.Streams)}
	spec := description(cfg.Version)
	spec.OnAddOperation = append(spec.OnAddOperation, func(_ *huma.OpenAPI, op *huma.Operation) {
		s.operations = append(s.operations, op)
	})
	mux := http.NewServeMux()
	s.huma = humago.New(mux, huma.Config{
		OpenAPI:       spec,
		Formats:       map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat},
		DefaultFormat: "application/json",
	})
	s.routes()
	s.describe(mux)
	return s.observe(mux)
}

// routes is the whole surface.
func (s *server) routes() {
	route(s, admission{scope: access.ScopePlayers}, createPlayer, s.createPlayer)
	route(s, admission{scope: access.ScopePlayers}, getPlayer, s.getPlayer)
	route(s, admission{scope: access.ScopeTokens}, createToken, s.createToken)
	route(s, admission{scope: access.ScopeTokens}, endTokens, s.endTokens)
	route(s, admission{players: true}, endToken, s.endToken)

	route(s, admission{scope: access.ScopeWallet, players: true}, getWallet, s.getWallet)
	route(s, admission{scope: access.ScopeWallet, players: true}, s.transactionsOperation(), s.listTransactions)
	route(s, admission{scope: access.ScopeCashier}, deposit, s.deposit)
	route(s, admission{scope: access.ScopeCashier}, withdraw, s.withdraw)

	route(s, admission{scope: access.ScopeLimits, players: true}, getLimits, s.getLimits)
	route(s, admission{scope: access.ScopeLimits, players: true}, putLimits, s.putLimits)
	route(s, admission{scope: access.ScopeBonuses, players: true}, listBonuses, s.listBonuses)
	route(s, admission{scope: access.ScopeBonuses}, grantBonus, s.grantBonus)

	route(s, admission{scope: access.ScopeCoupons, players: true}, placeCoupon, s.placeCoupon)
	route(s, admission{scope: access.ScopeCoupons, players: true}, getCoupon, s.getCoupon)
	route(s, admission{scope: access.ScopeCoupons, players: true}, listCoupons, s.listCoupons)
	route(s, admission{scope: access.ScopeCoupons, players: true}, s.couponEventsOperation(), s.couponEvents)
	route(s, admission{scope: access.ScopeCoupons, players: true}, s.allEventsOperation(), s.allEvents)

	route(s, admission{scope: access.ScopeGames, players: true}, listProviders, s.listProviders)
	route(s, admission{scope: access.ScopeGames, players: true}, listGames, s.listGames)
	route(s, admission{scope: access.ScopeGames, players: true}, launchGame, s.launchGame)
	route(s, admission{scope: access.ScopeGames, players: true}, endSession, s.endSession)
}

// handler answers a call of a caller who may make it.
type handler[I, O any] func(ctx context.Context, who *caller, in *I) (*O, error)

type callerKey struct{}

// streams marks, in an operation's metadata, calls that set deadlines for themselves.
const streams = "streams"

// route registers an operation: who may call it, how it is described, and what it does. Domain
// errors become problems here and nowhere else.
func route[I, O any](s *server, who admission, op huma.Operation, handle handler[I, O]) {
	op.MaxBodyBytes, op.BodyReadTimeout = -1, -1 // limitBody does both
	op.Middlewares = huma.Middlewares{s.guard(who)}
	op.Security = security(who)
	op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, ctx.Value(callerKey{}).(*caller), in)
		if err != nil {
			return nil, s.refusal(ctx, err)
		}
		return out, nil
	})
}

// requestTimeout ends what a call waits for. A coupon whose stake is reserved goes on regardless.
const requestTimeout = 15 * time.Second

// guard runs before huma reads anything: it asks who is calling and bounds time and body.
func (s *server) guard(who admission) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		ctx := hc.Context()
		if refused := s.cfg.Rates.takeSource(r); refused != nil {
			refused.write(w)
			return
		}
		c, err := s.authenticate(ctx, hc.Header("Authorization"), who)
		if err != nil {
			s.refusal(ctx, err).write(w)
			return
		}
		e := eventOf(ctx)
		e.caller, e.player = c.name(), c.player
		if refused := s.cfg.Rates.takeCaller(ctx, c, hc.Operation().Metadata[places] != nil); refused != nil {
			refused.write(w)
			return
		}
		if refused := readable(r, hc.Operation()); refused != nil {
			refused.write(w)
			return
		}
		limitBody(w, r, c.largestBody())
		ctx = context.WithValue(ctx, callerKey{}, c)
		if hc.Operation().Metadata[streams] == nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, requestTimeout)
			defer cancel()
		}
		next(huma.WithContext(hc, ctx))
	}
}

// refusal turns an error into its answer, and leaves what stands behind it to the log.
func (s *server) refusal(ctx context.Context, err error) *Problem {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		eventOf(ctx).err = err
	}
	return p
}

// largestKept is the buffer that a long list may leave behind for the next answer.
const largestKept = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// jsonFormat writes an answer in one piece. A client that is gone is no error of ours.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		buffer := buffers.Get().(*bytes.Buffer)
		defer func() {
			if buffer.Cap() <= largestKept {
				buffer.Reset()
				buffers.Put(buffer)
			}
		}()
		encoder := json.NewEncoder(buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			return err
		}
		_, _ = w.Write(buffer.Bytes())
		return nil
	},
	Unmarshal: unmarshal,
}

package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"evens/coupon"
	"evens/coupon/bet"
	"evens/money"
	"evens/wallet"
)

var placeCoupon = huma.Operation{
	OperationID: "place-coupon", Method: http.MethodPost, Path: "/v1/coupons", Tags: []string{"Coupons"},
	Summary: "Place a coupon",
	Description: "One selection is a single, several are an express. The stake is reserved first, then the bookmaker is asked. " +
		"The coupon comes back accepted, rejected (the stake is returned) or unconfirmed (the bookmaker's answer was lost: " +
		"the stake stays reserved until it is known). Read `status`; 201 alone does not mean accepted.",
	DefaultStatus: http.StatusCreated,
	Metadata:      map[string]any{places: true},
	Errors: []int{
		http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
	},
}

type placeCouponInput struct {
	IdempotencyKey string `header:"Idempotency-Key" doc:"Required. The same key and body answers as the first did"`
	Body           struct {
		PlayerID   string   `json:"player_id,omitempty" doc:"Required with an API key; with a player's token it is that player"`
		Selections []string `json:"selections" nullable:"false" maxItems:"15" doc:"1 to 15 bet pointers, of different matches" example:"[\"live#187183313|17|9|0.5#1.02\"]"`
		Stake      string   `json:"stake" example:"15.50" doc:"Above zero, with at most the decimals of its currency"`
		Currency   string   `json:"currency" example:"USD" doc:"The wallet's"`
		Lang       string   `json:"lang,omitempty" default:"en" pattern:"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$" maxLength:"35" doc:"Language of the bookmaker's texts"`
		RateMode   string   `json:"rate_mode,omitempty" default:"reject" enum:"reject,accept" doc:"What becomes of it when a coefficient has changed"`
	} `nameHint:"NewCoupon"`
}

type placedOutput struct {
	Location string `header:"Location"`
	Body     couponView
}

func (s *server) placeCoupon(ctx context.Context, who *caller, in *placeCouponInput) (*placedOutput, error) {
	key, err := idempotencyKey(in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	owner, err := ownerOf(who, "body.player_id", in.Body.PlayerID)
	if err != nil {
		return nil, err
	}
	if !owner.Valid {
		return nil, badField(CodeValidationFailed, "body.player_id", "is required")
	}
	var c checks
	order := coupon.Order{
		Player:   owner.UUID,
		Pointers: selections(&c, in.Body.Selections),
		Stake:    c.amountIn("body.stake", in.Body.Stake, money.Currency(in.Body.Currency)),
		Currency: money.Currency(in.Body.Currency),
		Lang:     in.Body.Lang,
		RateMode: in.Body.RateMode,
	}
	c.currency("body.currency", in.Body.Currency)
	order.Request = who.request("coupon", key, order.Hash())
	placed, err := replayed(ctx, s, cmp.Or(c.err(), s.deskless()), order.Request, s.asAnswered(ctx), func() (coupon.Coupon, error) {
		return s.cfg.Desk.Place(ctx, order)
	})
	if err != nil {
		return nil, err
	}
	return &placedOutput{Location: "/v1/coupons/" + placed.ID.String(), Body: viewCoupon(&placed)}, nil
}

// deskless says that nothing can be placed, while BeT is off.
func (s *server) deskless() error {
	if s.cfg.Desk == nil {
		return errNoDesk
	}
	return nil
}

// asAnswered reads the coupon that an order made.
func (s *server) asAnswered(ctx context.Context) func(*wallet.Answer) (coupon.Coupon, error) {
	return func(answer *wallet.Answer) (coupon.Coupon, error) {
		if !answer.Coupon.Valid {
			return coupon.Coupon{}, answer.Refusal()
		}
		return s.cfg.Coupons.AsAnswered(ctx, answer.Coupon.UUID)
	}
}

// selections bounds their number; what each says is the desk's to judge.
func selections(c *checks, pointers []string) []string {
	if len(pointers) == 0 {
		c.fault(CodeInvalidSelection, "body.selections", bet.ErrNoSelections.Error())
	}
	if len(pointers) > bet.MaxSelections {
		c.fault(CodeInvalidSelection, "body.selections", bet.ErrTooManySelections.Error())
	}
	return pointers
}

// ownerOf reads a player's id outside the path, where a token's player need not be named.
func ownerOf(who *caller, location, text string) (uuid.NullUUID, error) {
	if text == "" {
		return who.player, nil
	}
	var c checks
	id := c.id(location, text)
	if err := c.err(); err != nil {
		return uuid.NullUUID{}, err
	}
	if !who.owns(id) {
		return uuid.NullUUID{}, errForbidden
	}
	return uuid.NullUUID{UUID: id, Valid: true}, nil
}

var getCoupon = huma.Operation{
	OperationID: "get-coupon", Method: http.MethodGet, Path: "/v1/coupons/{id}", Tags: []string{"Coupons"},
	Summary: "Read a coupon with every settlement", Errors: []int{http.StatusNotFound},
}

type couponInput struct {
	ID string `path:"id" doc:"The coupon's id"`
}

type couponOutput struct{ Body couponView }

func (s *server) getCoupon(ctx context.Context, who *caller, in *couponInput) (*couponOutput, error) {
	found, err := s.couponOf(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	return &couponOutput{Body: viewCoupon(&found)}, nil
}

// couponOf reads a coupon that the caller may see. Another player's is as unknown as one that
// never was.
func (s *server) couponOf(ctx context.Context, who *caller, path string) (coupon.Coupon, error) {
	id, ok := parseID(path)
	if !ok {
		return coupon.Coupon{}, coupon.ErrNotFound
	}
	found, err := s.cfg.Coupons.Get(ctx, id)
	if err == nil && !who.owns(found.Player) {
		err = coupon.ErrNotFound
	}
	return found, err
}

var listCoupons = huma.Operation{
	OperationID: "list-coupons", Method: http.MethodGet, Path: "/v1/coupons", Tags: []string{"Coupons"},
	Summary: "List coupons, newest first", Description: "With a player's token: that player's.",
	Errors: []int{http.StatusNotFound},
}

type listCouponsInput struct {
	PlayerID string    `query:"player_id" doc:"One player's only"`
	Status   string    `query:"status" enum:"placing,accepted,rejected,unconfirmed,won,lost,refunded,cancelled"`
	From     time.Time `query:"from" doc:"Placed at this time or later"`
	To       time.Time `query:"to" doc:"Placed before this time"`
	Paging
}

type couponPage struct {
	Items      []couponView `json:"items" nullable:"false"`
	NextCursor *string      `json:"next_cursor" doc:"null on the last page"`
}

type couponsOutput struct{ Body couponPage }

func (s *server) listCoupons(ctx context.Context, who *caller, in *listCouponsInput) (*couponsOutput, error) {
	owner, err := ownerOf(who, "query.player_id", in.PlayerID)
	if err != nil {
		return nil, err
	}
	var c checks
	filter := coupon.Filter{
		Player: owner, Status: coupon.Status(in.Status), From: in.From, To: in.To,
		Before: listingCoupons.before(&c, in.Cursor), Limit: in.Limit + 1,
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	found, err := s.cfg.Coupons.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := &couponsOutput{}
	if len(found) > in.Limit {
		found = found[:in.Limit]
		out.Body.NextCursor = listingCoupons.cursor(found[in.Limit-1].ID)
	}
	out.Body.Items = make([]couponView, len(found))
	for i := range found {
		out.Body.Items[i] = viewCoupon(&found[i])
	}
	return out, nil
}

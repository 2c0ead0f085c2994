package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evens/ledger"
	"evens/money"
	"evens/wallet"
	"evens/wallet/campaign"
)

// bonusView is a bonus as /v1 shows it.
type bonusView struct {
	ID        string     `json:"id" format:"uuid"`
	Status    string     `json:"status" enum:"active,completed,expired,forfeited"`
	Campaign  *string    `json:"campaign"`
	Currency  string     `json:"currency" example:"USD"`
	Granted   string     `json:"granted" example:"100.00"`
	Balance   string     `json:"balance" example:"100.00" doc:"In the bonus pocket; 0.00 once it has ended"`
	Required  string     `json:"required" example:"4000.00" doc:"Stakes that complete it"`
	Wagered   string     `json:"wagered" example:"0.00" doc:"What has counted of them"`
	Converted string     `json:"converted" example:"0.00" doc:"What became cash"`
	GrantedAt time.Time  `json:"granted_at"`
	ExpiresAt *time.Time `json:"expires_at" doc:"null: it does not expire"`
	EndedAt   *time.Time `json:"ended_at"`
}

func viewBonus(b wallet.BonusView) bonusView {
	return bonusView{
		ID: b.ID.String(), Status: string(b.Status), Campaign: orNull(b.Campaign), Currency: string(b.Currency), Granted: b.Granted.String(),
		Balance: b.Balance.String(), Required: b.Required.String(), Wagered: b.Wagered.String(), Converted: b.Converted.String(),
		GrantedAt: b.GrantedAt, ExpiresAt: orNull(b.ExpiresAt), EndedAt: orNull(b.EndedAt),
	}
}

var listBonuses = huma.Operation{
	OperationID: "list-bonuses", Method: http.MethodGet, Path: "/v1/players/{id}/bonuses", Tags: []string{"Bonuses"},
	Summary: "List a player's bonuses, newest first", Errors: []int{http.StatusNotFound},
}

type listBonusesInput struct {
	ID string `path:"id" doc:"The player's id"`
	Paging
}

type bonusesOutput struct {
	Body struct {
		Items      []bonusView `json:"items" nullable:"false"`
		NextCursor *string     `json:"next_cursor" doc:"null on the last page"`
	} `nameHint:"BonusPage"`
}

func (s *server) listBonuses(ctx context.Context, who *caller, in *listBonusesInput) (*bonusesOutput, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	var c checks
	before := listingBonuses.before(&c, in.Cursor)
	if err := c.err(); err != nil {
		return nil, err
	}
	if _, err := s.cfg.Players.Balance(ctx, id); err != nil {
		return nil, err
	}
	bonuses, err := s.cfg.Bonuses(ctx, id, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &bonusesOutput{}
	if len(bonuses) > in.Limit {
		bonuses = bonuses[:in.Limit]
		out.Body.NextCursor = listingBonuses.cursor(bonuses[in.Limit-1].ID)
	}
	out.Body.Items = make([]bonusView, len(bonuses))
	for i, bonus := range bonuses {
		out.Body.Items[i] = viewBonus(bonus)
	}
	return out, nil
}

var grantBonus = huma.Operation{
	OperationID: "grant-bonus", Method: http.MethodPost, Path: "/v1/players/{id}/bonuses", Tags: []string{"Bonuses"},
	Summary: "Give a player a bonus",
	Description: "On a campaign's terms, or on open ones: slots, sports and games of no known kind count in full, table and live games a tenth. " +
		"A player has one active bonus at a time. The same Idempotency-Key and body gives it once.",
	DefaultStatus: http.StatusCreated,
	Errors:        []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge},
}

type grantBonusInput struct {
	ID             string `path:"id" doc:"The player's id"`
	IdempotencyKey string `header:"Idempotency-Key" doc:"The same key and body answers as the first did"`
	Body           struct {
		Campaign  string     `json:"campaign,omitempty" doc:"By name; its terms hold then" maxLength:"100"`
		Amount    string     `json:"amount" example:"100.00" doc:"Above zero, with at most the decimals of the wallet's currency"`
		Wagering  string     `json:"wagering,omitempty" example:"40" doc:"How many times the bonus must be staked; required without a campaign"`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Never, or when the campaign says, if it is missing"`
	} `nameHint:"NewBonus"`
}

type bonusOutput struct{ Body bonusView }

// maxWagering bounds a multiplier, so that no requirement runs over.
const maxWagering = 1000 * money.One

func (s *server) grantBonus(ctx context.Context, who *caller, in *grantBonusInput) (*bonusOutput, error) {
	id, err := who.owner(in.ID)
	if err != nil {
		return nil, err
	}
	p, err := s.cfg.Players.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	var c checks
	grant := wallet.Grant{Player: id, Operator: who.name(), Currency: p.Currency, Terms: wallet.OpenTerms(), At: s.cfg.Now()}
	grant.Amount = c.amountIn("body.amount", in.Body.Amount, p.Currency)
	grant.Wagering = c.wagering("body.wagering", in.Body.Wagering, in.Body.Campaign == "")
	request, err := bonusRequest(who, in, grant)
	if err != nil {
		return nil, err
	}
	refusal := c.err()
	if refusal == nil {
		grant, refusal = s.onTerms(in, grant)
	}
	bonus, err := replayed(ctx, s, refusal, request, (*wallet.Answer).Bonus, func() (wallet.BonusView, error) {
		return wallet.GiveBonus(ctx, s.cfg.Poster, grant, request)
	})
	if err != nil {
		return nil, err
	}
	return &bonusOutput{Body: viewBonus(bonus)}, nil
}

func timeText(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// bonusRequest is the request of a grant, by what was asked for: amounts that are the same are the same
// however they are written.
func bonusRequest(who *caller, in *grantBonusInput, asked wallet.Grant) (wallet.Request, error) {
	if in.IdempotencyKey == "" {
		return wallet.Request{}, nil
	}
	key, err := idempotencyKey(in.IdempotencyKey)
	hash := func(amount, wagering string) ledger.Hash {
		return ledger.HashOf(asked.Player.String(), in.Body.Campaign, amount, wagering, timeText(in.Body.ExpiresAt))
	}
	wagering := ""
	if in.Body.Wagering != "" {
		wagering = asked.Wagering.String()
	}
	request := who.request("bonus", key, hash(asked.Amount.String(), wagering))
	request.Former = hash(in.Body.Amount, in.Body.Wagering)
	return request, err
}

// onTerms completes a grant by its campaign's terms, which cannot be changed by who asks, and by when it
// ends.
func (s *server) onTerms(in *grantBonusInput, grant wallet.Grant) (wallet.Grant, error) {
	if in.Body.ExpiresAt != nil && !in.Body.ExpiresAt.After(grant.At) {
		return wallet.Grant{}, badField(CodeValidationFailed, "body.expires_at", "must lie in the future")
	}
	if in.Body.Campaign != "" {
		offer, err := s.cfg.Campaigns.Find(in.Body.Campaign)
		if err != nil {
			return wallet.Grant{}, badField(CodeValidationFailed, "body.campaign", "there is no such campaign")
		}
		asked := grant
		if grant, err = offer.Grant(asked.Amount, asked.Currency, asked.At); err != nil {
			return wallet.Grant{}, campaignProblem(err)
		}
		if in.Body.Wagering != "" && asked.Wagering != grant.Wagering {
			return wallet.Grant{}, badField(CodeValidationFailed, "body.wagering", "is the campaign's to say: "+grant.Wagering.String())
		}
		grant.Player, grant.Operator = asked.Player, asked.Operator
	}
	if in.Body.ExpiresAt != nil && (grant.ExpiresAt.IsZero() || in.Body.ExpiresAt.Before(grant.ExpiresAt)) {
		grant.ExpiresAt = in.Body.ExpiresAt.UTC()
	}
	return grant, nil
}

// wagering reads a multiplier.
func (c *checks) wagering(location, text string, required bool) money.Coef {
	if text == "" && !required {
		return 0
	}
	wagering, err := money.ParseCoef(text)
	switch {
	case text == "":
		c.fault(CodeValidationFailed, location, "is required without a campaign")
	case len(text) > longestAmount || err != nil || wagering > maxWagering:
		c.fault(CodeValidationFailed, location, `is not a multiplier above 0 and up to 1000, such as "40"`)
	}
	return wagering
}

// campaignProblem names the field that a campaign does not go with.
func campaignProblem(err error) error {
	switch {
	case errors.Is(err, campaign.ErrTooMuch):
		return badField(CodeInvalidAmount, "body.amount", campaign.ErrTooMuch.Error())
	case errors.Is(err, wallet.ErrCurrency):
		return badField(CodeCurrencyMismatch, "body.campaign", "the campaign is in another currency than the player's wallet")
	default:
		return badField(CodeValidationFailed, "body.campaign", campaign.ErrOver.Error())
	}
}

package wallet

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"evens/money"
)

// BonusStatus is where a bonus stands.
type BonusStatus string

// The statuses. A bonus ends once and for good.
const (
	BonusActive    BonusStatus = "active"
	BonusCompleted BonusStatus = "completed" // wagered: what was left of it became cash
	BonusExpired   BonusStatus = "expired"
	BonusForfeited BonusStatus = "forfeited"
)

// Refusals of bonuses.
var (
	ErrBonusActive = errors.New("the player has an active bonus")
	ErrNoBonus     = errors.New("the player has no such active bonus")
)

// Rate is how much of a stake counts towards wagering, in hundredths of a percent.
type Rate int64

// Whole is a stake that counts in full.
const Whole Rate = 10_000

// Terms are what a bonus was granted on. They are kept with it: a campaign that changes later does
// not change them.
type Terms struct {
	// Games are rates by category of game, in lower case; Other is that of every other category.
	Games map[string]Rate `json:"games,omitempty"`
	Other Rate            `json:"other"`
	// Overrides go before the rates of categories: for platforms whose catalogues have none.
	Overrides []Override `json:"overrides,omitempty"`
	// Sports is the rate of coupons, from the coefficient MinCoef on.
	Sports  Rate       `json:"sports"`
	MinCoef money.Coef `json:"min_coef,omitempty"` // millionths
	// MaxStake is the largest stake that the bonus pocket helps to pay and that counts, of a round's stakes
	// together where there are rounds; 0: any.
	MaxStake money.Amount `json:"max_stake,omitempty"` // ten-thousandths
	// MaxConversion is the most that becomes cash; 0: all.
	MaxConversion money.Amount `json:"max_conversion,omitempty"` // ten-thousandths
}

// Override is the rate of a platform's games, of those that a studio made, or of one game: what it names
// must fit. The one that names the game goes first, then the one that names the studio.
type Override struct {
	Provider string `json:"provider,omitempty"`
	Studio   string `json:"studio,omitempty"`
	Game     string `json:"game,omitempty"` // the platform's code
	Rate     Rate   `json:"rate"`
}

// weight is how closely an override names a wager's game; 0: it is of another.
func (o Override) weight(w Wager) int {
	weight := 0
	for _, part := range []struct {
		fits   bool
		named  string
		weight int
	}{
		{o.Game == w.Game, o.Game, 4}, {strings.EqualFold(o.Studio, w.Studio), o.Studio, 2}, {o.Provider == w.Provider, o.Provider, 1},
	} {
		switch {
		case part.named == "":
		case !part.fits:
			return 0
		default:
			weight += part.weight
		}
	}
	return weight
}

// OpenTerms are those of a bonus without a campaign: slots and sports count in full, table games a
// tenth (seed 000).
func OpenTerms() *Terms {
	return &Terms{Games: map[string]Rate{"table": Whole / 10, "live": Whole / 10}, Other: Whole, Sports: Whole}
}

// Wager is a stake as the rules of bonuses see it.
type Wager struct {
	Sports   bool
	Provider string // the game's platform, who made it, and its code there
	Studio   string
	Game     string
	Category string     // of the game, as [Category] gives it
	Coef     money.Coef // of the coupon
	Stake    money.Amount
}

// rate is how much of a wager counts. The bonus pocket pays no wager that does not count.
func (t *Terms) rate(w Wager) Rate {
	switch {
	case t.MaxStake > 0 && w.Stake > t.MaxStake:
		return 0
	case w.Sports && w.Coef < t.MinCoef:
		return 0
	case w.Sports:
		return t.Sports
	}
	best := 0
	var named Rate
	for _, override := range t.Overrides {
		if weight := override.weight(w); weight > best {
			best, named = weight, override.Rate
		}
	}
	if best > 0 {
		return named
	}
	if rate, listed := t.Games[w.Category]; listed {
		return rate
	}
	return t.Other
}

// contribution is what a wager counts, in ten-thousandths.
func (t *Terms) contribution(w Wager) (money.Amount, error) {
	return w.Stake.MulDiv(int64(t.rate(w)), int64(Whole), 1)
}

// categories are the words of platforms for the kinds of games that bonuses tell apart.
var categories = map[string]string{
	"slot": "slots", "slots": "slots", "video slots": "slots", "video-slots": "slots",
	"table": "table", "table games": "table", "tables": "table", "card": "table", "cards": "table",
	"blackjack": "table", "baccarat": "table", "roulette": "table", "poker": "table",
	"live": "live", "live casino": "live", "live-casino": "live", "live dealer": "live",
}

// Category is one name for what platforms call by many: "slots" for "Slot". A category that is not
// known keeps its own name in lower case.
func Category(platforms string) string {
	name := strings.ToLower(strings.TrimSpace(platforms))
	if known, ok := categories[name]; ok {
		return known
	}
	return name
}

// Bonus is money of the house that a player may play with, and may keep once it is wagered.
type Bonus struct {
	ID       uuid.UUID
	Player   uuid.UUID
	Campaign string // "" where it has none
	Status   BonusStatus
	Currency money.Currency
	Granted  money.Amount
	Required money.Amount // stakes that complete it
	// Wagered is what has counted. While the bonus is active its player's allowance has it.
	Wagered money.Amount
	// Released is what a completed bonus had left, with what came later of stakes it paid; Converted is
	// what of it became cash.
	Released  money.Amount
	Converted money.Amount
	// Reopened is how often it became active again, for stakes that completed it were taken back.
	Reopened  int
	Terms     *Terms
	Operator  string
	GrantedAt time.Time
	ExpiresAt time.Time // zero: never
	EndedAt   time.Time // zero while it is active
}

func (b *Bonus) expired(at time.Time) bool {
	return !b.ExpiresAt.IsZero() && !at.Before(b.ExpiresAt)
}

// convertible is how much of what a bonus had left becomes cash: never less than nothing, never more
// than its terms let.
func (b *Bonus) convertible(released money.Amount) money.Amount {
	released = max(released, 0)
	if b.Terms.MaxConversion > 0 {
		released = min(released, b.Terms.MaxConversion)
	}
	return released
}

// readTerms are parsed once a text: few campaigns stand behind many bonuses.
var readTerms sync.Map // text → *Terms

// ParseTerms reads terms as the database has them.
func ParseTerms(text []byte) (*Terms, error) {
	if known, ok := readTerms.Load(string(text)); ok {
		return known.(*Terms), nil
	}
	terms := &Terms{}
	if err := json.Unmarshal(text, terms); err != nil {
		return nil, fmt.Errorf("terms of a bonus: %w", err)
	}
	readTerms.Store(string(text), terms)
	return terms, nil
}

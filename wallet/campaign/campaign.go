// Package campaign reads the bonuses that a house offers: what they give, what must be staked for
// them, and the law they are offered under. A campaign that the law does not allow is not read.
package campaign

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"evens/money"
	"evens/wallet"
)

// Campaign is one offer.
type Campaign struct {
	Name         string
	Jurisdiction string
	Currency     money.Currency
	// Percent of the first deposit, in hundredths, that is given by itself, up to UpTo; 0: not given by
	// itself.
	Percent int64
	UpTo    money.Amount
	// MaxAmount is the most that is given by hand; 0: any.
	MaxAmount money.Amount
	Wagering  money.Coef // how many times the bonus must be staked
	Terms     *wallet.Terms
	ValidFor  time.Duration // 0: it does not expire
	From, To  time.Time     // of granting; zero: open
}

// Book is the campaigns of a house.
type Book struct{ campaigns []Campaign }

// Jurisdiction is what a law asks of a bonus.
type Jurisdiction struct {
	// MaxWagering is the highest multiplier; 0: any.
	MaxWagering money.Coef
	// SingleProduct lets a bonus be wagered on games or on sports, not on both.
	SingleProduct bool
}

// Great Britain: at most ten times, and no mixed products.
var laws = map[string]Jurisdiction{"GB": {MaxWagering: 10 * money.One, SingleProduct: true}}

// file is how campaigns are written. Amounts, percents and multipliers are texts, so that none is read
// as a float.
type file struct {
	Jurisdictions map[string]struct {
		MaxWagering   string `yaml:"max_wagering"`
		SingleProduct bool   `yaml:"single_product"`
	} `yaml:"jurisdictions"`
	Campaigns []entry `yaml:"campaigns"`
}

type entry struct {
	Name         string `yaml:"name"`
	Jurisdiction string `yaml:"jurisdiction"`
	Currency     string `yaml:"currency"`
	FirstDeposit *struct {
		Percent string `yaml:"percent"`
		UpTo    string `yaml:"up_to"`
	} `yaml:"first_deposit"`
	MaxAmount     string            `yaml:"max_amount"`
	Wagering      string            `yaml:"wagering"`
	Contributions map[string]string `yaml:"contributions"`
	Overrides     []override        `yaml:"overrides"`
	MinCoef       string            `yaml:"min_coef"`
	MaxStake      string            `yaml:"max_stake"`
	MaxConversion string            `yaml:"max_conversion"`
	ValidFor      time.Duration     `yaml:"valid_for"`
	From          time.Time         `yaml:"from"`
	To            time.Time         `yaml:"to"`
}

// override is the rate of a platform's games, a studio's, or one game's, whatever their categories.
type override struct {
	Provider string `yaml:"provider"`
	Studio   string `yaml:"studio"`
	Game     string `yaml:"game"`
	Rate     string `yaml:"rate"`
}

// Names that contributions have beside those of categories.
const (
	sports = "sports"
	other  = "other"
)

// Read reads campaigns, and names every field that is wrong.
func Read(r io.Reader) (*Book, error) {
	var f file
	decoder := yaml.NewDecoder(r)
	decoder.KnownFields(true)
	if err := decoder.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("campaigns: %w", err)
	}
	known := make(map[string]Jurisdiction)
	for name, law := range laws {
		known[name] = law
	}
	for name, stated := range f.Jurisdictions {
		law := Jurisdiction{SingleProduct: stated.SingleProduct}
		if stated.MaxWagering != "" {
			most, err := money.ParseCoef(stated.MaxWagering)
			if err != nil {
				return nil, fmt.Errorf("campaigns: jurisdiction %s: max_wagering: %w", name, err)
			}
			law.MaxWagering = most
		}
		known[name] = law
	}
	book := &Book{}
	for i, e := range f.Campaigns {
		campaign, err := e.read()
		if err == nil {
			err = campaign.lawful(known)
		}
		if err == nil && book.index(campaign.Name) >= 0 {
			err = errors.New("name: there are two of it")
		}
		if err != nil {
			return nil, fmt.Errorf("campaigns: %d (%s): %w", i+1, e.Name, err)
		}
		book.campaigns = append(book.campaigns, campaign)
	}
	return book, nil
}

// reader collects what is wrong with an entry.
type reader struct{ problems []error }

func (r *reader) wrong(field string, err error) {
	if err != nil {
		r.problems = append(r.problems, fmt.Errorf("%s: %w", field, err))
	}
}

func (r *reader) amount(field, text string) money.Amount {
	if text == "" {
		return 0
	}
	amount, err := money.Parse(text)
	if err == nil && amount <= 0 {
		err = errors.New("must be above zero")
	}
	r.wrong(field, err)
	return amount
}

func (r *reader) coef(field, text string) money.Coef {
	coef, err := money.ParseCoef(text)
	r.wrong(field, err)
	return coef
}

// percent reads a percentage with up to two decimals, in hundredths of a percent.
func (r *reader) percent(field, text string, most int64) int64 {
	amount, err := money.Parse(text)
	hundredths := int64(amount) / 100
	switch {
	case err == nil && int64(amount)%100 != 0:
		err = errors.New("has up to two decimals")
	case err == nil && (hundredths < 0 || hundredths > most):
		err = fmt.Errorf("must be from 0 to %d", most/100)
	}
	r.wrong(field, err)
	return hundredths
}

func (r *reader) overrides(given []override) (overrides []wallet.Override) {
	for i, o := range given {
		field := fmt.Sprintf("overrides.%d", i+1)
		one := wallet.Override{Provider: strings.TrimSpace(o.Provider), Studio: strings.TrimSpace(o.Studio), Game: strings.TrimSpace(o.Game)}
		switch {
		case one.Provider == "" && one.Studio == "":
			r.wrong(field, errors.New("names neither provider nor studio: a game's code is its platform's own"))
		case o.Rate == "":
			r.wrong(field+".rate", errors.New("is missing"))
		}
		if o.Rate != "" {
			one.Rate = wallet.Rate(r.percent(field+".rate", o.Rate, int64(wallet.Whole)))
		}
		for _, other := range overrides {
			if other.Provider == one.Provider && strings.EqualFold(other.Studio, one.Studio) && other.Game == one.Game {
				r.wrong(field, errors.New("names the same games as another"))
			}
		}
		overrides = append(overrides, one)
	}
	return overrides
}

func (e entry) read() (Campaign, error) {
	var r reader
	c := Campaign{
		Name: e.Name, Jurisdiction: e.Jurisdiction, ValidFor: e.ValidFor, From: e.From, To: e.To,
		MaxAmount: r.amount("max_amount", e.MaxAmount), Wagering: r.coef("wagering", e.Wagering),
		Terms: &wallet.Terms{
			Games: make(map[string]wallet.Rate), MaxStake: r.amount("max_stake", e.MaxStake), MaxConversion: r.amount("max_conversion", e.MaxConversion),
		},
	}
	if strings.TrimSpace(e.Name) == "" || len(e.Name) > 100 {
		r.wrong("name", errors.New("must have 1 to 100 characters"))
	}
	if c.Wagering < 0 {
		r.wrong("wagering", errors.New("must not be below zero"))
	}
	if e.ValidFor < 0 {
		r.wrong("valid_for", errors.New("must not be below zero"))
	}
	var err error
	c.Currency, err = money.ParseCurrency(e.Currency)
	r.wrong("currency", err)
	if e.FirstDeposit != nil {
		const tenfold = 100_000
		c.Percent = r.percent("first_deposit.percent", e.FirstDeposit.Percent, tenfold)
		c.UpTo = r.amount("first_deposit.up_to", e.FirstDeposit.UpTo)
		if c.UpTo == 0 {
			r.wrong("first_deposit.up_to", errors.New("is missing"))
		}
	}
	if e.MinCoef != "" {
		c.Terms.MinCoef = r.coef("min_coef", e.MinCoef)
	}
	c.Terms.Overrides = r.overrides(e.Overrides)
	if len(e.Contributions) == 0 && len(e.Overrides) == 0 {
		r.wrong("contributions", errors.New("are missing: nothing would count"))
	}
	for name, text := range e.Contributions {
		rate := wallet.Rate(r.percent("contributions."+name, text, int64(wallet.Whole)))
		switch name {
		case sports:
			c.Terms.Sports = rate
		case other:
			c.Terms.Other = rate
		default:
			c.Terms.Games[wallet.Category(name)] = rate
		}
	}
	return c, errors.Join(r.problems...)
}

// lawful holds a campaign against its jurisdiction.
func (c *Campaign) lawful(known map[string]Jurisdiction) error {
	if c.Jurisdiction == "" {
		return nil
	}
	law, ok := known[c.Jurisdiction]
	switch {
	case !ok:
		return fmt.Errorf("jurisdiction: %s is not listed", c.Jurisdiction)
	case law.MaxWagering > 0 && c.Wagering > law.MaxWagering:
		return fmt.Errorf("wagering: %s lets a bonus be wagered %s times at most", c.Jurisdiction, law.MaxWagering)
	case law.SingleProduct && c.Terms.Sports > 0 && c.games():
		return fmt.Errorf("contributions: %s lets a bonus be wagered on games or on sports, not on both", c.Jurisdiction)
	}
	return nil
}

func (c *Campaign) games() bool {
	if c.Terms.Other > 0 {
		return true
	}
	for _, rate := range c.Terms.Games {
		if rate > 0 {
			return true
		}
	}
	return slices.ContainsFunc(c.Terms.Overrides, func(o wallet.Override) bool { return o.Rate > 0 })
}

// Blind lists the campaigns that rate games by categories and say nothing of a platform: where its
// catalogue has no categories, all of its games are of the category other.
func (b *Book) Blind(provider string) (names []string) {
	for _, c := range b.campaigns {
		rates := false
		for _, rate := range c.Terms.Games {
			rates = rates || rate != c.Terms.Other
		}
		if rates && !slices.ContainsFunc(c.Terms.Overrides, func(o wallet.Override) bool { return o.Provider == provider }) {
			names = append(names, c.Name)
		}
	}
	return names
}

// List returns all campaigns in the order of their file.
func (b *Book) List() []Campaign { return slices.Clone(b.campaigns) }

func (b *Book) index(name string) int {
	return slices.IndexFunc(b.campaigns, func(c Campaign) bool { return c.Name == name })
}

// Find returns the campaign of a name, or wallet.ErrNoCampaign.
func (b *Book) Find(name string) (Campaign, error) {
	if b != nil {
		if at := b.index(name); at >= 0 {
			return b.campaigns[at], nil
		}
	}
	return Campaign{}, fmt.Errorf("%w: %s", wallet.ErrNoCampaign, name)
}

// open reports whether the campaign gives at that time.
func (c *Campaign) open(at time.Time) bool {
	return !at.Before(c.From) && (c.To.IsZero() || at.Before(c.To))
}

// Refusals of a campaign.
var (
	ErrOver    = errors.New("the campaign is not open now")
	ErrTooMuch = errors.New("more than the campaign gives")
)

// Grant is what the campaign gives of an amount at a time: ErrOver, ErrTooMuch, wallet.ErrCurrency.
func (c *Campaign) Grant(amount money.Amount, currency money.Currency, at time.Time) (wallet.Grant, error) {
	most := c.MaxAmount
	if most == 0 {
		most = c.UpTo
	}
	switch {
	case currency != c.Currency:
		return wallet.Grant{}, wallet.ErrCurrency
	case !c.open(at):
		return wallet.Grant{}, ErrOver
	case most > 0 && amount > most:
		return wallet.Grant{}, ErrTooMuch
	}
	grant := wallet.Grant{Currency: currency, Amount: amount, Wagering: c.Wagering, Campaign: c.Name, Terms: c.Terms, At: at}
	if c.ValidFor > 0 {
		grant.ExpiresAt = at.Add(c.ValidFor)
	}
	return grant, nil
}

// OnFirstDeposit implements wallet.Offers: the first campaign of the currency that gives something.
func (b *Book) OnFirstDeposit(currency money.Currency, deposit money.Amount, at time.Time) (wallet.Grant, bool) {
	for i := range b.campaigns {
		c := &b.campaigns[i]
		if c.Percent == 0 || c.Currency != currency || !c.open(at) {
			continue
		}
		share, err := deposit.MulDiv(c.Percent, int64(wallet.Whole), currency.MinorUnit())
		if err != nil {
			share = c.UpTo // so much that it cannot be counted
		}
		amount := min(share, c.UpTo)
		if amount <= 0 {
			continue
		}
		if grant, err := c.Grant(amount, currency, at); err == nil {
			return grant, true
		}
	}
	return wallet.Grant{}, false
}

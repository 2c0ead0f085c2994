package reconcile

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"evens/money"
	"evens/money/threshold"
)

// Action is what is done about a break.
type Action string

// The actions.
const (
	// ActRollback undoes a debit here that the provider never knew, or marked failed or undone.
	ActRollback Action = "rollback"
	// ActPost posts a credit that we never got, under the provider's own id.
	ActPost Action = "post"
	// ActSettle puts a result that we never got into the inbox.
	ActSettle Action = "settle"
	// ActAdopt ties an unconfirmed coupon to the BarCode that is most likely its own.
	ActAdopt Action = "adopt"
	// ActWait does nothing yet: what the list lacks, or does not prove, may still come.
	ActWait Action = "wait"
	// ActPerson leaves it to a person.
	ActPerson Action = "person"
)

// Policy says what is healed by itself. The zero value is the default: everything that can be,
// up to 1,000.00 US dollars' worth each.
type Policy struct {
	// Limit is the largest amount that heals without a person, by the transaction's currency; 0: none.
	Limit threshold.Sums
	// Delay is how long after a list has shown what is later an absence counts, Delays the same of
	// single providers; zero: 30 minutes.
	Delay  time.Duration
	Delays map[string]time.Duration
	rules  []rule
}

type rule struct {
	Provider string `yaml:"provider"` // "" for all
	Kind     Kind   `yaml:"kind"`     // "" for all
	Action   string `yaml:"action"`   // heal, or person
}

// defaultLimit is Policy's where nothing is said.
var defaultLimit = threshold.Dollars(1000 * money.Scale)

var allKinds = map[Kind]bool{
	"": true, MissingHere: true, MissingThere: true, AmountDiffers: true, StatusDiffers: true, CurrencyDiffers: true, PlayerDiffers: true, Duplicate: true,
	Terms: true, UnreadableLine: true, IDDiffers: true,
}

// ReadPolicy reads a policy: heal_limit, delay, delays by provider, and rules of which the last that
// fits holds. providers are those that it may be about: see [Providers].
func ReadPolicy(r io.Reader, providers []string) (Policy, error) {
	var file struct {
		Limit  threshold.Sums           `yaml:"heal_limit"`
		Delay  time.Duration            `yaml:"delay"`
		Delays map[string]time.Duration `yaml:"delays"`
		Rules  []rule                   `yaml:"rules"`
	}
	decoder := yaml.NewDecoder(r)
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	p := Policy{Limit: file.Limit, rules: file.Rules, Delay: file.Delay, Delays: file.Delays}
	if file.Delay < 0 {
		return p, fmt.Errorf("policy: delay: %s is below zero", file.Delay)
	}
	for provider, delay := range file.Delays {
		if !slices.Contains(providers, provider) {
			return p, fmt.Errorf("policy: delays: there is no provider %q", provider)
		}
		if delay <= 0 {
			return p, fmt.Errorf("policy: delays: %s: %s is no time to wait", provider, delay)
		}
	}
	for i, rule := range file.Rules {
		if rule.Provider != "" && !slices.Contains(providers, rule.Provider) {
			return p, fmt.Errorf("policy: rule %d: there is no provider %q", i+1, rule.Provider)
		}
		if !allKinds[rule.Kind] {
			return p, fmt.Errorf("policy: rule %d: there is no kind %q", i+1, rule.Kind)
		}
		if rule.Action != "heal" && rule.Action != "person" {
			return p, fmt.Errorf("policy: rule %d: action is heal or person", i+1)
		}
	}
	return p, nil
}

// By returns the policy with its limit counted by other rates than those that are shipped.
func (p Policy) By(rates *threshold.Rates) Policy {
	p.Limit = p.Limit.Or(defaultLimit).By(rates)
	return p
}

// defaultDelay is Policy's where nothing is said.
const defaultDelay = 30 * time.Minute

// delay is how long after a provider's list has shown what is later an absence counts.
func (p Policy) delay(provider string) time.Duration {
	switch {
	case p.Delays[provider] > 0:
		return p.Delays[provider]
	case p.Delay > 0:
		return p.Delay
	default:
		return defaultDelay
	}
}

// allows reports whether a break may heal by itself.
func (p Policy) allows(provider string, kind Kind, amount money.Amount, currency money.Currency) bool {
	limit := p.Limit.Or(defaultLimit)
	if sum, known := limit.In(currency); !known || sum == 0 || limit.Exceeded(amount, currency) {
		return false
	}
	heals := true
	for _, rule := range p.rules {
		if (rule.Provider == "" || rule.Provider == provider) && (rule.Kind == "" || rule.Kind == kind) {
			heals = rule.Action == "heal"
		}
	}
	return heals
}

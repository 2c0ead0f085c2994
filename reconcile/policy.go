package reconcile

import (
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"evens/money"
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
	// ActPerson leaves it to a person.
	ActPerson Action = "person"
)

// Policy says what is healed by itself. The zero value is the default: everything that can be,
// up to 1,000.00 each.
type Policy struct {
	// Limit is the largest amount, in the transaction's currency, that heals without a person.
	Limit money.Amount
	rules []rule
}

type rule struct {
	Provider string `yaml:"provider"` // "" for all
	Kind     Kind   `yaml:"kind"`     // "" for all
	Action   string `yaml:"action"`   // heal, or person
}

// defaultLimit is Policy's where nothing is said.
const defaultLimit = 1000 * money.Scale

var allKinds = map[Kind]bool{
	"": true, MissingHere: true, MissingThere: true, AmountDiffers: true, StatusDiffers: true, CurrencyDiffers: true, PlayerDiffers: true, Duplicate: true, Terms: true,
}

// ReadPolicy reads a policy: heal_limit, and rules of which the last that fits holds.
func ReadPolicy(r io.Reader) (Policy, error) {
	var file struct {
		Limit string `yaml:"heal_limit"`
		Rules []rule `yaml:"rules"`
	}
	decoder := yaml.NewDecoder(r)
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return Policy{}, fmt.Errorf("policy: %w", err)
	}
	p := Policy{rules: file.Rules}
	if file.Limit != "" {
		limit, err := money.Parse(file.Limit)
		if err != nil || limit < 0 {
			return p, fmt.Errorf("policy: heal_limit: %q is no amount", file.Limit)
		}
		p.Limit = limit
	}
	for i, rule := range file.Rules {
		if !allKinds[rule.Kind] {
			return p, fmt.Errorf("policy: rule %d: there is no kind %q", i+1, rule.Kind)
		}
		if rule.Action != "heal" && rule.Action != "person" {
			return p, fmt.Errorf("policy: rule %d: action is heal or person", i+1)
		}
	}
	return p, nil
}

// allows reports whether a break may heal by itself.
func (p Policy) allows(provider string, kind Kind, amount money.Amount) bool {
	limit := p.Limit
	if limit == 0 {
		limit = defaultLimit
	}
	if amount > limit || amount < -limit {
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

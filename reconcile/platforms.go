package reconcile

import (
	"evens/casino"
	"evens/coupon"
	"evens/wallet"
)

// platforms are the game platforms that there are, configured or not.
type platforms []casino.Kind

// Providers names all whose lists can be held against our books: the bookmaker, these platforms, the cashier.
func Providers(kinds []casino.Kind) []string {
	names := []string{coupon.Provider}
	for _, kind := range kinds {
		names = append(names, kind.Name)
	}
	return append(names, wallet.CashSource)
}

func (p platforms) of(provider string) casino.Kind {
	for _, kind := range p {
		if kind.Name == provider {
			return kind
		}
	}
	return casino.Kind{}
}

// win is a win as the provider's dialect names it.
func (p platforms) win(provider, id, round string) (casino.Win, bool) {
	listed := p.of(provider).Listed
	if listed == nil {
		return casino.Win{}, false
	}
	return listed(id, round)
}

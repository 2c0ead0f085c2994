package coupon

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"evens/coupon/bet"
	"evens/money"
)

// errTerms says that BeT has a coupon at a coefficient which its answer does not tell: what was
// asked for is no stand-in for it.
var errTerms = errors.New("its coefficient cannot be told from the answer")

// takeTerms fills in BeT's names and coefficients, and returns the coupon's coefficient: as BeT
// gives it, else the selections' product.
//
//	coefficient of the coupon      | coefficients of the selections           | taken
//	readable                       | any                                      | the coupon's
//	there, unreadable              | any                                      | errTerms
//	absent                         | one unreadable                           | errTerms
//	absent                         | one for each selection, of other matches | their product, in any order
//	absent                         | some, each of a selection of ours        | the product; asked where not told
//	absent                         | one that is nobody's                     | errTerms
//	absent                         | none                                     | as asked for
func takeTerms(answer bet.Answer, selections []Selection) (money.Coef, error) {
	told := answer.Selections
	places := matchSelections(selections, told)
	used := make([]bool, len(told))
	for i, place := range places {
		if place >= 0 {
			used[place] = true
			selections[i].take(told[place])
		}
	}
	switch {
	case answer.Coef > 0:
		return answer.Coef, nil
	case slices.Contains(answer.Unread, "Coef"):
		return 0, errTerms
	}
	product := make([]money.Coef, 0, len(selections))
	for i, t := range told {
		if slices.Contains(t.Unread, "Coef") {
			return 0, errTerms
		}
		if t.Coef > 0 && (used[i] || !slices.ContainsFunc(told[:i], func(o bet.AcceptedSelection) bool { return sameLine(o, t) })) {
			product = append(product, t.Coef)
		}
	}
	if len(product) != len(selections) || len(told) != len(selections) {
		product = product[:0]
		for i, t := range told {
			if t.Coef > 0 && !used[i] {
				return 0, errTerms
			}
		}
		for _, s := range selections {
			product = append(product, s.Coef)
		}
	}
	return multiply(product)
}

func multiply(coefs []money.Coef) (money.Coef, error) {
	product := money.One
	for _, coef := range coefs {
		var err error
		if product, err = product.Mul(coef); err != nil {
			return 0, fmt.Errorf("product of the coefficients: %w", err)
		}
	}
	return product, nil
}

// matchSelections finds for each selection its entry among those that BeT tells, −1 where none
// can be told: by BeT's line id, which is the pointer's match where it can be recognised, else by
// a coefficient that one selection and one entry have alone. An entry is used once. The only entry
// of a single is the single's.
func matchSelections(asked []Selection, told []bet.AcceptedSelection) []int {
	places := make([]int, len(asked))
	used := make([]bool, len(told))
	match := func(fits func(Selection, bet.AcceptedSelection) bool) {
		pairs := make([][]int, len(asked)) // the entries that fit each selection left
		fitted := make([]int, len(told))   // and how many selections fit each entry
		for i := range asked {
			for k := range told {
				if places[i] < 0 && !used[k] && fits(asked[i], told[k]) {
					pairs[i] = append(pairs[i], k)
					fitted[k]++
				}
			}
		}
		for i, fit := range pairs {
			if len(fit) == 1 && fitted[fit[0]] == 1 {
				places[i], used[fit[0]] = fit[0], true
			}
		}
	}
	for i := range places {
		places[i] = -1
	}
	match(func(s Selection, t bet.AcceptedSelection) bool {
		return t.LineID != "" && line(t.LineID) == line(s.MatchID)
	})
	match(func(s Selection, t bet.AcceptedSelection) bool {
		seen := t.CoefOrig // the coefficient before a change
		if seen == 0 {
			seen = t.Coef
		}
		return seen > 0 && seen == s.Coef
	})
	if len(asked) == 1 && len(told) == 1 {
		places[0] = 0
	}
	return places
}

// line is an id as BeT counts it: 0187 and 187 are one match.
func line(id string) string { return strings.TrimLeft(id, "0") }

func sameLine(a, b bet.AcceptedSelection) bool {
	return a.LineID != "" && line(a.LineID) == line(b.LineID)
}

// take fills in what BeT tells about a selection.
func (s *Selection) take(t bet.AcceptedSelection) {
	s.Teams, s.Tournament, s.BetName, s.EventDate = legible(t.Teams), legible(t.Tournament), legible(t.BetName), t.EventDate
	if t.Coef > 0 {
		s.Coef = t.Coef
	}
}

// AgreesWithWin reports whether a win that BeT states agrees with a stake and a coefficient. BeT
// rounds the coefficient of an express to two decimals and the win to a cent, so it may be off by
// half a hundredth of the stake and a minor unit.
func AgreesWithWin(win, stake money.Amount, coef money.Coef, currency money.Currency) bool {
	expected, err := coef.Times(stake, currency)
	if err != nil {
		return false
	}
	const hundredthsHalf = 200
	slack := stake/hundredthsHalf + currency.MinorUnit()
	return win >= expected-slack && win-slack <= expected
}

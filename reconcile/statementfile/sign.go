package statementfile

import (
	"slices"
	"strings"
)

// Words that say which way money went, in a few languages.
var (
	inwards  = []string{"deposit", "received", "receipt", "recebido", "credito", "eingang", "gutschrift", "giris", "in", "charge", "topup", "win", "credit"}
	outwards = []string{"withdrawal", "withdraw", "payout", "sent", "enviado", "debito", "ausgang", "auszahlung", "cikis", "out", "transfer", "bet", "debit"}
)

// findSign says what a minus means, where the types' words tell it.
func (p *proposal) findSign() {
	amount, one := p.roles["amount"]
	if !one {
		return
	}
	negatives, forDebit, forCredit := false, 0, 0
	kinds, typed := p.roles["type"]
	for _, fields := range p.rows {
		number, negative := unsigned(fields[amount])
		if number == "" {
			continue
		}
		negatives = negatives || negative
		if !typed {
			continue
		}
		switch in, out := says(fields[kinds], inwards), says(fields[kinds], outwards); {
		case in == out:
		case out == negative:
			forDebit++
		default:
			forCredit++
		}
	}
	switch {
	case !negatives:
	case forDebit > 0 && forCredit == 0:
		p.mapping.Sign = debitNegative
	case forCredit > 0 && forDebit == 0:
		p.mapping.Sign = debitPositive
	default:
		p.ask("sign: some amounts are below zero. Are they debits (sign: debit_negative) or credits (sign: debit_positive)?")
	}
}

// says reports whether one of the words stands in a text.
func says(text string, words []string) bool {
	return slices.ContainsFunc(strings.Fields(plainName(text)), func(word string) bool { return slices.Contains(words, word) })
}

package betsim

import (
	"math/rand/v2"
	"strconv"
)

// Statuses of a coupon on the wire.
const (
	statusOpen = 1
	statusWon  = 2
	statusLost = 4
)

// Head is a result for one coupon, as BeT words it.
type Head struct {
	ID, BarCode string
	// Status is 2 won (or returned) or 4 lost; ExtStatus is 1 when a match was voided.
	Status, ExtStatus int
	// AmountOut is a decimal, "" for a result that comes without one. For a lost coupon it is
	// what could have been won.
	AmountOut string
	// DateRecive is when BeT decided, in seconds since 1970. (The spelling is BeT's.)
	DateRecive int64
	// RemoteHost is where the coupon asked its results to be sent.
	RemoteHost string
}

// appendHead writes a head as the seed does: the date in quotes, the other numbers without.
// With chance each number is, in odd of 1000 cases, written the other way round.
func appendHead(b []byte, h Head, chance *rand.Rand, odd int) []byte {
	number := func(key, value string, quoted bool) {
		b = append(b, key...)
		if chance != nil && perMille(chance, odd) {
			quoted = !quoted
		}
		if quoted {
			b = append(append(append(b, '"'), value...), '"')
			return
		}
		b = append(b, value...)
	}
	b = appendText(b, `{"KeyHead":{"Id":`, h.ID)
	b = appendText(b, `,"BarCode":`, h.BarCode)
	b = append(b, '}')
	number(`,"Status":`, strconv.Itoa(h.Status), false)
	number(`,"ExtStatus":`, strconv.Itoa(h.ExtStatus), false)
	if h.AmountOut != "" {
		number(`,"AmountOut":`, h.AmountOut, false)
	}
	if h.DateRecive != 0 {
		number(`,"DateRecive":`, strconv.FormatInt(h.DateRecive, 10), true)
	}
	return append(b, '}')
}

// appendHeads writes a list of heads under its key.
func appendHeads(b []byte, heads []Head, chance *rand.Rand, odd int) []byte {
	b = append(b, `"Heads":[`...)
	for i, h := range heads {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHead(b, h, chance, odd)
	}
	return append(b, ']')
}

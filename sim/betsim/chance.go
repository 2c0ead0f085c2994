package betsim

import (
	"math/bits"
	"math/rand/v2"
)

// dice returns the chance of one event: its own generator, so that neither the order in which
// goroutines run nor what others draw changes it.
func dice(seed, stream, number uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed^stream<<56, number))
}

// The streams keep apart what is numbered alike.
const (
	streamPlacement = iota + 1
	streamResult
	streamPush
)

// perMille is true in n of 1000 cases.
func perMille(r *rand.Rand, n int) bool { return n > 0 && r.IntN(1000) < n }

// codes is how many bet codes of ten characters 0–9, a–z there are: 36^10.
const codes = 3_656_158_440_062_976

// betCode spells the number-th bet code. Multiplying by a number that shares no factor with
// 36^10 shuffles all codes without ever meeting one twice.
func betCode(seed, number uint64) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	const step = 2_862_933_555_777_941 // odd, and no multiple of three
	n := mulMod(number%codes, step, codes)
	n = (n + seed%codes) % codes
	var code [10]byte
	for i := len(code) - 1; i >= 0; i-- {
		code[i] = digits[n%36]
		n /= 36
	}
	return string(code[:])
}

// mulMod is a × b mod m, without overflow.
func mulMod(a, b, m uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return bits.Rem64(high, low, m)
}

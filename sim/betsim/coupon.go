package betsim

import (
	"strconv"
	"sync"
	"time"
)

// Coupon is a coupon the server took. Amounts and coefficients are decimals without zeros at
// the end ("30.85").
type Coupon struct {
	BetCode string
	// Pointers as they were sent, Coefs as they were taken, in the same order.
	Pointers, Coefs []string
	// RealAmount is the stake as the server understood it, Coef the whole coupon's.
	RealAmount, Coef, PossibleWin        string
	Currency, Lang, RemoteHost, RateMode string
	PlacedAt                             time.Time
	// Answered is false when the server kept its answer to itself: by a cut connection, an error
	// or nonsense.
	Answered bool
}

// coupon is a coupon in the server's own figures.
type coupon struct {
	number     uint64
	code       string
	pointers   []string
	selections []selection
	stake      int64 // ten-thousandths
	coef       int64 // millionths
	win        int64 // ten-thousandths

	currency, lang, remoteHost, rateMode string
	placedAt                             time.Time
	answered                             bool

	// last is the result BeT stands by at present; settled says that there is one.
	last    Head
	settled bool
}

func (c *coupon) public() Coupon {
	coefs := make([]string, len(c.selections))
	for i, s := range c.selections {
		coefs[i] = formatDecimal(s.accepted, coefDigits)
	}
	return Coupon{
		BetCode:     c.code,
		Pointers:    c.pointers,
		Coefs:       coefs,
		RealAmount:  formatDecimal(c.stake, amountDigits),
		Coef:        formatDecimal(c.coef, coefDigits),
		PossibleWin: formatDecimal(c.win, amountDigits),
		Currency:    c.currency,
		Lang:        c.lang,
		RemoteHost:  c.remoteHost,
		RateMode:    c.rateMode,
		PlacedAt:    c.placedAt,
		Answered:    c.answered,
	}
}

// id is the number BeT gives a coupon besides its code.
func (c *coupon) id() string { return strconv.FormatUint(300_000+c.number, 10) }

// book holds the coupons in the order they were placed.
type book struct {
	mu     sync.Mutex
	list   []*coupon
	byCode map[string]*coupon
}

func (b *book) add(c *coupon) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byCode == nil {
		b.byCode = map[string]*coupon{}
	}
	b.list = append(b.list, c)
	b.byCode[c.code] = c
}

// Coupons returns all coupons placed so far, the oldest first. With Config.Forget there are none.
func (s *Server) Coupons() []Coupon {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	coupons := make([]Coupon, len(s.book.list))
	for i, c := range s.book.list {
		coupons[i] = c.public()
	}
	return coupons
}

// Last returns the result that the server stands by for a coupon, however often it was revised;
// false while the coupon is open or unknown.
func (s *Server) Last(betCode string) (Head, bool) {
	s.book.mu.Lock()
	defer s.book.mu.Unlock()
	c := s.book.byCode[betCode]
	if c == nil || !c.settled {
		return Head{}, false
	}
	return c.last, true
}

package money

// Coef is a betting coefficient (decimal odds) in millionths: 1.99 is 1_990_000.
type Coef int64

// CoefScale is how many units of Coef make a coefficient of one.
const CoefScale = 1_000_000

const coefDigits = 6

// One is the coefficient of a returned stake.
const One Coef = CoefScale

// ParseCoef reads a plain decimal with at most six decimals; a coefficient is above zero.
func ParseCoef(s string) (Coef, error) {
	n, err := parseScaled(s, coefDigits)
	if err != nil {
		return 0, err
	}
	if n <= 0 {
		return 0, ErrOverflow
	}
	return Coef(n), nil
}

// String writes the coefficient with at least two decimals: "1.99", "12.291".
func (c Coef) String() string { return formatScaled(int64(c), coefDigits, 2) }

// Times returns stake × c rounded half up to the currency's minor unit, as BeT's own example
// does (15.5 × 1.99 = 30.845 → 30.85; seed 003). The player keeps the rounded-up half.
func (c Coef) Times(stake Amount, currency Currency) (Amount, error) {
	return stake.MulDiv(int64(c), CoefScale, currency.MinorUnit())
}

// Mul returns c × d rounded half up to a millionth.
func (c Coef) Mul(d Coef) (Coef, error) {
	product, err := Amount(c).MulDiv(int64(d), CoefScale, 1)
	return Coef(product), err
}

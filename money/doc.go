// Package money holds amounts, currencies and coefficients as exact integers.
//
// An [Amount] counts ten-thousandths of a major unit, a [Coef] millionths. Nothing in this
// package, and nothing that uses it, ever passes through a floating-point number: text is
// parsed digit by digit, products are taken in 128 bits and rounded once. An operation whose
// outcome does not fit an int64 is an error ([ErrOverflow]), never a wrap.
package money

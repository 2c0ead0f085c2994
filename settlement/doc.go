// Package settlement stores BeT's results and settles coupons by them.
//
// The latest result of a coupon says what it shall have paid ([Target]). Settling moves the difference
// to what it has paid: a duplicate moves nothing, a win that becomes a loss takes back, a loss that
// becomes a win pays, and every order of arrival ends in the same books. [Receiver] stores a push before
// it answers; [Settler.Apply] settles stored results in chunks; [Settler.Sweep] finds chunks in the
// tables whose tasks were lost.
package settlement

package coupon

import "evens/ledger"

// AuditChecks are the rules about coupons of which BeT's answer named a bet code and could not be
// taken.
var AuditChecks = []ledger.Check{
	{Name: "no stake went back without an operator once BeT's answer named a bet code", SQL: `
	SELECT c.id::text, format('%s (%s), kept code %s of %s, returned %s', c.status, c.error_code, a.bet_code, a.at, t.at)
	  FROM coupon_answers a
	  JOIN coupons c ON c.id = a.coupon_id
	  JOIN transactions t ON t.source = 'coupon' AND t.external_id = c.id::text || ':return'
	 WHERE a.bet_code IS NOT NULL AND t.at > a.at
	   AND coalesce(t.operator, '') = ''
	   AND NOT EXISTS (SELECT 1 FROM activity_log l WHERE l.coupon_id = c.id AND l.operator <> '')`},
	{Name: "a coupon is accepted under the bet code that BeT's answer named", SQL: `
	SELECT c.id::text, format('%s under %s, the answer named %s', c.status, c.bet_code, a.bet_code)
	  FROM coupon_answers a JOIN coupons c ON c.id = a.coupon_id
	 WHERE c.bet_code <> a.bet_code
	   AND NOT EXISTS (SELECT 1 FROM activity_log l WHERE l.coupon_id = c.id AND l.operator <> '')`},
	{Name: "every unconfirmed coupon with a kept bet code is asked about", SQL: `
	SELECT a.coupon_id::text, format('%s, code %s, to be asked about at %s', coalesce(c.status, 'no coupon'), a.bet_code, a.ask_at)
	  FROM coupon_answers a LEFT JOIN coupons c ON c.id = a.coupon_id
	 WHERE c.id IS NULL OR c.status = 'unconfirmed' AND a.bet_code IS NOT NULL AND a.ask_at IS NULL`},
}

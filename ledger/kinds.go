package ledger

import (
	"slices"
	"strings"
)

// Traits are what a kind of transaction is to whoever counts, shows, compares or audits transactions. A kind's line in
// kinds says them once: queries take their lists of kinds from it ([Where]), and [Book.Post] refuses a kind without one.
type Traits struct {
	Class Class
	Ways  []Way // from which account to which it may move money; none: it moves nothing
	// WrongKey is SQL over a transaction x: true where its key is not one of the kind's. Those of [Class.OfGames] have
	// their platform's and none here.
	WrongKey string
	Staked   Staked
	Listed   Listed
	Deposits bool // it counts towards what the player has deposited
	Idle     bool // it may have moved nothing
	// Overdraws: it may take a player below zero, because what it says has happened already, or is a correction.
	Overdraws bool
	// Frequent kinds are left out of the index transactions_rare, whose predicate names them.
	Frequent bool
	Hidden   bool // a player's history does not show it: it did nothing to the player's money
}

// Class is what a transaction is about.
type Class int

// The classes.
const (
	Payments    Class = iota + 1 // money that comes from outside or goes there
	HouseMoney                   // of the house alone: no player's history has it
	Coupons                      // a coupon's stake, and what becomes of it
	Games                        // a game's bet, win or both
	GameUndone                   // takes back one of Games
	KeptOut                      // moves nothing, and keeps a game platform's id from being used
	Corrections                  // by hand
	Bonuses                      // what the house gives and takes of a bonus
)

// OfGames reports whether a game platform makes transactions of the class, under keys of its own.
func (c Class) OfGames() bool { return c == Games || c == GameUndone || c == KeptOut }

// Way is one direction in which a kind may move money.
type Way struct{ From, To AccountKind }

// Pocket stands in a Way for a player's cash or bonus, where both will do.
const Pocket AccountKind = "pocket"

// Staked says what a kind counts towards what its player has staked.
type Staked int

// What is counted as staked.
const (
	StakesNothing Staked = iota
	StakesAmount         // all that it took
	StakesDebits         // what it took, whatever it paid at once
	StakesChange         // what a decision changes of an earlier stake, either way
)

// Listed says as what a provider's own list has a kind.
type Listed int

// As what a list has it.
const (
	NotListed      Listed = iota
	ListedDebit           // a line that takes from the player
	ListedCredit          // a line that gives to the player
	ListedBoth            // a line of each
	ListedReversal        // undoes another transaction of its id
)

// kinds has every kind, once.
//
//exhaustive:enforce
var kinds = map[Kind]Traits{
	Deposit: {
		Class: Payments, Ways: []Way{{Cashier, Cash}, {Suspense, Cash}}, Listed: ListedCredit, Deposits: true,
		WrongKey: `x.source <> 'cashier'`,
	},
	Withdrawal: {
		Class: Payments, Ways: []Way{{Cash, Cashier}, {Cash, WithdrawalsHeld}}, Listed: ListedDebit,
		WrongKey: `x.source <> 'cashier'`,
	},
	WithdrawalPaid: {
		Class: Payments, Idle: true, Overdraws: true, Hidden: true,
		Ways:     []Way{{WithdrawalsHeld, Cashier}, {WithdrawalsHeld, Suspense}, {Cash, Cashier}, {Cash, Suspense}},
		WrongKey: `x.source <> 'cashier:paid'`,
	},
	WithdrawalReturn: {
		Class: Payments, Listed: ListedReversal,
		Ways:     []Way{{WithdrawalsHeld, Cash}, {Cashier, Cash}, {Suspense, Cash}},
		WrongKey: `x.source NOT IN ('cashier:returned', 'cashier:failed', 'cashier:unreserved')`,
	},
	DepositReturn: {
		Class: Payments, Ways: []Way{{Cash, Cashier}, {Cash, Suspense}}, Overdraws: true, Listed: ListedReversal,
		WrongKey: `x.source NOT IN ('cashier:returned', 'cashier:unreserved')`,
	},
	SuspenseBooked: {
		Class: HouseMoney, Ways: []Way{{Cashier, Suspense}, {Suspense, Cashier}},
		WrongKey: `x.source <> 'cashier:suspense'`,
	},
	SuspenseEnded: {
		Class:    HouseMoney,
		Ways:     []Way{{Suspense, Cashier}, {Cashier, Suspense}, {Suspense, Adjustments}, {Adjustments, Suspense}},
		WrongKey: `x.source <> 'cashier:suspense_end'`,
	},
	Stake: {
		Class: Coupons, Ways: []Way{{Pocket, StakesHeld}}, Staked: StakesAmount, Frequent: true,
		WrongKey: `x.source <> 'coupon' OR x.external_id IS DISTINCT FROM x.coupon_id || ':stake'`,
	},
	StakeReturn: {
		Class: Coupons, Ways: []Way{{StakesHeld, Pocket}}, Staked: StakesChange,
		WrongKey: `NOT (x.source = 'coupon' AND x.external_id IS NOT DISTINCT FROM x.coupon_id || ':return'
	                               OR x.source = 'settlement' AND x.external_id IS NOT DISTINCT FROM x.coupon_id || ':1')`,
	},
	Payout: {
		Class: Coupons, Ways: []Way{{StakesHeld, Sportsbook}, {Sportsbook, Pocket}}, Staked: StakesChange, Frequent: true,
		WrongKey: firstSettlement,
	},
	Loss: {
		Class: Coupons, Ways: []Way{{StakesHeld, Sportsbook}}, Staked: StakesChange, Frequent: true, Hidden: true,
		WrongKey: firstSettlement,
	},
	Resettlement: {
		Class: Coupons, Staked: StakesChange, Idle: true, Overdraws: true,
		Ways: []Way{{Sportsbook, Pocket}, {Pocket, Sportsbook}, {Pocket, StakesHeld}},
		WrongKey: `x.coupon_id IS NULL
	                                OR NOT (x.source = 'settlement' AND x.external_id LIKE x.coupon_id || ':%'
	                                        OR x.source = 'coupon' AND x.external_id = x.coupon_id || ':stake:2')`,
	},
	Bet: {
		Class: Games, Ways: []Way{{Pocket, Casino}}, Staked: StakesAmount, Listed: ListedDebit, Idle: true, Frequent: true,
	},
	Win: {Class: Games, Ways: []Way{{Casino, Pocket}}, Listed: ListedCredit, Idle: true, Frequent: true},
	BetWin: {
		Class: Games, Ways: []Way{{Pocket, Casino}, {Casino, Pocket}}, Staked: StakesDebits, Listed: ListedBoth, Idle: true,
		Frequent: true,
	},
	Rollback: {
		Class: GameUndone, Ways: []Way{{Pocket, Casino}, {Casino, Pocket}}, Staked: StakesChange, Listed: ListedReversal,
		Idle: true, Overdraws: true,
	},
	Refused:   {Class: KeptOut, Idle: true, Frequent: true, Hidden: true},
	Tombstone: {Class: KeptOut, Idle: true, Frequent: true, Hidden: true},
	Adjustment: {
		Class: Corrections, Ways: []Way{{Adjustments, Cash}, {Cash, Adjustments}},
		WrongKey: `x.source <> 'adjustment'`,
	},
	BonusGrant: {
		Class: Bonuses, Ways: []Way{{Promotions, Bonus}},
		WrongKey: `x.source <> 'bonus' OR x.external_id IS DISTINCT FROM x.bonus_id || ':grant'`,
	},
	BonusConversion: {Class: Bonuses, Ways: []Way{{Bonus, Promotions}, {Promotions, Cash}}, WrongKey: endOfBonus},
	BonusExpiry:     {Class: Bonuses, Ways: []Way{{Bonus, Promotions}, {Promotions, Bonus}}, WrongKey: endOfBonus},
	BonusForfeiture: {Class: Bonuses, Ways: []Way{{Bonus, Promotions}, {Promotions, Bonus}}, WrongKey: endOfBonus},
	BonusCorrection: {
		Class: Bonuses, Ways: []Way{{Pocket, Promotions}, {Promotions, Pocket}}, Overdraws: true,
		WrongKey: `x.bonus_id IS NULL OR x.source <> 'bonus'
	                                    OR NOT (x.external_id LIKE x.bonus_id || ':after:%' OR x.external_id ~ ('^' || x.bonus_id || ':reopened:[1-9][0-9]*$'))`,
	},
}

const (
	firstSettlement = `x.source <> 'settlement' OR x.external_id IS DISTINCT FROM x.coupon_id || ':1'`
	endOfBonus      = `x.bonus_id IS NULL OR x.source <> 'bonus' OR x.external_id !~ ('^' || x.bonus_id || ':end(:[1-9][0-9]*)?$')`
)

// Traits returns the kind's line; known is false where it has none.
func (k Kind) Traits() (t Traits, known bool) {
	t, known = kinds[k]
	return t, known
}

// Kinds returns the kinds whose traits are as asked, by name.
func Kinds(are func(Traits) bool) []Kind {
	var chosen []Kind
	for kind, traits := range kinds {
		if are(traits) {
			chosen = append(chosen, kind)
		}
	}
	slices.Sort(chosen)
	return chosen
}

// Where is the list of such kinds for a query's IN (…).
func Where(are func(Traits) bool) string {
	var names []string
	for _, kind := range Kinds(are) {
		names = append(names, "'"+string(kind)+"'")
	}
	return strings.Join(names, ", ")
}

// RareKinds is the predicate of the index transactions_rare over transactions t: a query that shall use it says it in
// the same words.
var RareKinds = `t.kind NOT IN (` + Where(func(t Traits) bool { return t.Frequent }) + `)`

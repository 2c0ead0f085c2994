package player

import (
	"slices"
	"strings"

	"evens/ledger"
)

// types are the kinds of transactions, as a filter may name them.
var types = []ledger.Kind{
	ledger.Deposit, ledger.DepositReturn, ledger.Withdrawal, ledger.WithdrawalPaid, ledger.WithdrawalReturn, ledger.Stake, ledger.StakeReturn, ledger.Payout,
	ledger.Loss, ledger.Resettlement, ledger.Bet, ledger.Win, ledger.BetWin, ledger.Rollback, ledger.Adjustment, ledger.BonusGrant,
	ledger.BonusConversion, ledger.BonusExpiry, ledger.BonusForfeiture, ledger.BonusCorrection, ledger.Refused, ledger.Tombstone,
}

// UnknownType returns the first of the names that is no type of transaction; ok = false where all are.
func UnknownType(names []string) (name string, ok bool) {
	for _, name := range names {
		if !slices.Contains(types, ledger.Kind(strings.TrimSpace(name))) {
			return name, true
		}
	}
	return "", false
}

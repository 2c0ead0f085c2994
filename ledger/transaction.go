package ledger

import (
	"crypto/sha256"
	"errors"
	"time"

	"github.com/google/uuid"

	"evens/money"
)

// Key is what makes an outside instruction unique: who sent it, and the sender's own id for it.
type Key struct {
	Source     string
	ExternalID string
}

// Kind says what a transaction did, in the words players and support read.
type Kind string

// The kinds of transaction. What each is to others stands in kinds.
const (
	Deposit    Kind = "deposit"
	Withdrawal Kind = "withdrawal"
	// WithdrawalPaid ends a withdrawal that was held: the player's money does not move.
	WithdrawalPaid   Kind = "withdrawal_paid"
	WithdrawalReturn Kind = "withdrawal_return" // the gateway did not pay it
	DepositReturn    Kind = "deposit_return"    // the payer's bank took it back
	Stake            Kind = "stake"             // a coupon's stake, reserved
	StakeReturn      Kind = "refund"            // a rejected coupon's stake, or a refunded coupon's
	Payout           Kind = "payout"            // a won coupon's first settlement
	Loss             Kind = "loss"              // a lost coupon's first settlement: the player's money does not move
	Resettlement     Kind = "resettlement"      // any later correction, either way

	Bet      Kind = "bet"      // on a game; of nothing for a free spin
	Win      Kind = "win"      // of a game's round
	BetWin   Kind = "bet_win"  // a bet and its win in one instruction
	Rollback Kind = "rollback" // undoes a bet, a win or both

	Adjustment Kind = "adjustment" // by hand, with a comment

	// SuspenseBooked and SuspenseEnded move money of the house alone: no player's history has them.
	SuspenseBooked Kind = "suspense"
	SuspenseEnded  Kind = "suspense_end"

	BonusGrant      Kind = "bonus"            // the house gives it
	BonusConversion Kind = "bonus_conversion" // it was wagered: what is left of it becomes cash
	BonusExpiry     Kind = "bonus_expiry"     // its time is over: the house takes what is left
	BonusForfeiture Kind = "bonus_forfeiture" // given up, by a withdrawal or by hand
	// BonusCorrection moves on what reaches the bonus pocket, or leaves it, for a bonus that has ended.
	BonusCorrection Kind = "bonus_correction"

	// Refused and Tombstone move nothing and are nobody's history: they keep a key from being used
	// for what was answered with a refusal for good, or taken back before it came.
	Refused   Kind = "refused"
	Tombstone Kind = "tombstone"
)

// Transaction is one instruction to move a player's money, as it is kept.
type Transaction struct {
	ID uuid.UUID
	Key
	Kind     Kind
	Player   uuid.UUID
	Amount   money.Amount // signed effect on the player's pockets together
	Bonus    money.Amount // that part of it which is the bonus pocket's
	CashTo   money.Amount // the balances it led to
	BonusTo  money.Amount
	Provider string // "" where there is none; so for Game, Round, Operator, Comment
	Game     string
	Round    string
	Coupon   uuid.NullUUID
	Payload  Hash
	Operator string
	Comment  string
	At       time.Time

	// BonusID is the bonus that the player had when the stake was made: its pocket paid the bonus part,
	// and the wagering counts towards it.
	BonusID uuid.NullUUID
	// Contribution is what this counts towards that bonus's wagering; below zero where it is taken back.
	Contribution money.Amount
	// Staked is what this adds to what the player has staked; below zero where a stake comes back.
	Staked money.Amount
	// Effective is when this counts towards the player's limits: when the stake was made, however late
	// its result. Zero: it counts towards none.
	Effective time.Time
}

// Cash is the effect on the player's cash.
func (t *Transaction) Cash() money.Amount { return t.Amount - t.Bonus }

// Hash is a fingerprint of an instruction's content: the same key with another hash is another
// instruction under a used name, and is refused.
type Hash [16]byte

// HashOf fingerprints the parts that make an instruction what it is, in order.
func HashOf(parts ...string) Hash {
	digest := sha256.New()
	for _, part := range parts {
		digest.Write([]byte(part))
		digest.Write([]byte{0})
	}
	var hash Hash
	copy(hash[:], digest.Sum(nil))
	return hash
}

// Move is one transfer to be made: amount leaves From and arrives at To. Cash and Bonus are the
// transaction's player's, every other kind is the house's account in the player's currency.
type Move struct {
	From, To AccountKind
	Amount   money.Amount
}

// ErrKind says that a transaction's kind has no line in kinds: nobody could tell what it moves or counts.
var ErrKind = errors.New("no such kind of transaction")

// ErrConflict says that a key was used before for something else. Nothing was done.
var ErrConflict = errors.New("the id was used before with other content")

package casino

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"evens/ledger"
	"evens/wallet"
)

// decision is one instruction on its way through a batch. Decide may run more than once; each run
// starts afresh.
type decision struct {
	call        Call
	instruction instruction
	key         ledger.Key

	game wallet.Wager // as bonuses tell games apart
	paid wallet.Paid  // how the stake is paid

	outcome Outcome
	refusal error  // decided, and kept by the commit
	doubt   *doubt // what a person must look at
	looked  bool   // whether the round lost its wins has been read
}

func (d *decision) work(reader wallet.Reader) *wallet.Work {
	stakes := d.instruction.kind != ledger.Win
	return &wallet.Work{
		Players: []uuid.UUID{d.call.Player.ID}, Keys: d.keys(), Reader: reader, Data: d, Decide: d.decide, At: d.call.At,
		Statuses: stakes, Winnings: d.instruction.win > 0,
	}
}

// keys are what must be read to decide: the instruction's own, that of its rollback, and those of the
// bet it names.
func (d *decision) keys() []ledger.Key {
	keys := append(d.call.otherwise(), d.key, rollbackOf(d.key))
	if d.instruction.bet != "" {
		keys = append(keys, d.betKey(), d.betRollback(), toldKey(d.call.Provider, d.instruction.bet))
	}
	if d.nameless() && d.call.Space != "" {
		keys = append(keys, d.ownBetKey(), rollbackOf(d.ownBetKey()), toldKey(d.call.Provider, d.call.ID))
	}
	if d.late() {
		keys = append(keys, d.lateKey())
	}
	return keys
}

// nameless reports whether this is a win that names neither its bet nor its round.
func (d *decision) nameless() bool {
	return d.instruction.kind == ledger.Win && d.instruction.bet == "" && d.call.Round.ID == ""
}

// ownBetKey is the bet of a win's own id, at platforms that use ids twice.
func (d *decision) ownBetKey() ledger.Key { return keyOf(d.call.Provider, "", d.call.ID) }

func (d *decision) betKey() ledger.Key {
	return keyOf(d.call.Provider, "", d.instruction.bet)
}

func (d *decision) betRollback() ledger.Key {
	return rollbackOf(d.betKey())
}

func (d *decision) decide(batch *wallet.Batch) error {
	d.outcome, d.refusal, d.paid = Outcome{}, nil, wallet.Paid{}
	purse := batch.Purse(d.call.Player.ID)
	if purse == nil {
		return wallet.ErrUnknownPlayer
	}
	d.doubt = nil
	if err := d.call.renamed(batch); err != nil {
		return err
	}
	if earlier := batch.Known(d.key); earlier != nil {
		roundsOf(batch).name(batch, d.call)
		if earlier.Kind == ledger.Tombstone && d.late() {
			return d.comesLate(batch)
		}
		d.outcome = d.outcomeOf(earlier, batch)
		d.outcome.Repeat = true
		d.doubtBet(batch)
		return d.again(earlier, batch.Known(rollbackOf(d.key)))
	}
	d.outcome.Balance = d.balance(batch)
	rounds := roundsOf(batch)
	round := rounds.find(d.call, d.instruction)
	if d.call.elsewhere(batch) {
		return ledger.ErrConflict
	}
	if err := d.allowed(batch, rounds, round); err != nil {
		return d.refuse(batch, err)
	}
	if err := d.doubtBereft(rounds, round); err != nil {
		return err
	}
	d.doubtSpin(rounds, round)
	posted, err := d.post(batch, rounds, round)
	if err != nil {
		return err
	}
	unmatched := d.outcome.Unmatched
	d.outcome = d.outcomeOf(posted, batch)
	d.outcome.Unmatched = unmatched
	rounds.played(d.call, d.instruction, d.paid)
	rounds.remember(posted)
	rounds.detail(posted.ID, d.instruction)
	rounds.name(batch, d.call)
	return nil
}

// late reports whether this bet, should it have been rolled back before it came, tells by its round
// which wins are of it: they do not name it.
func (d *decision) late() bool {
	return d.instruction.kind == ledger.Bet && d.call.Round.ID != "" && !d.call.Round.Once
}

// lateKey is of one bet of one player's round: two players' bets under one id each have theirs.
func (d *decision) lateKey() ledger.Key {
	return keyOf(d.call.Provider, lateSpace, strings.Join([]string{d.call.Round.ID, d.call.ID, d.call.Player.ID.String()}, " "))
}

// comesLate refuses a bet that was rolled back before it came, and keeps its round: a win of that is
// refused from now on; one that was paid before is left to a person.
func (d *decision) comesLate(batch *wallet.Batch) error {
	d.outcome.Balance, d.refusal = d.balance(batch), ErrRolledBack
	t := d.transaction(ledger.Tombstone)
	t.Key, t.Payload = d.lateKey(), ledger.HashOf(lateSpace, d.call.Round.ID, d.call.ID)
	again := batch.Known(t.Key) != nil
	if !again {
		if _, _, err := batch.Note(t); err != nil {
			return err
		}
	}
	rounds := roundsOf(batch)
	round := rounds.find(d.call, d.instruction)
	rounds.late[roundKey{d.call.Provider, d.call.Round.ID, d.call.Player.ID}] = true
	if round != nil && round.wins > 0 && round.rolledBack == round.bets {
		d.doubt = wonAndUndone(d.call, round.won, again)
	}
	return nil
}

// doubtBet leaves a win to a person that was paid before its bet of the same id was taken back.
func (d *decision) doubtBet(batch *wallet.Batch) {
	if d.ownBetGone(batch) {
		d.doubt = wonAndUndone(d.call, d.instruction.win, true)
	}
}

// ownBetGone reports whether the bet of a win's own id does not stand: it was refused, or taken back before
// or after it came.
func (d *decision) ownBetGone(batch *wallet.Batch) bool {
	if !d.nameless() || d.call.Space == "" {
		return false
	}
	bet := batch.Known(d.ownBetKey())
	if bet == nil || bet.Player != d.call.Player.ID {
		return false
	}
	back := batch.Known(rollbackOf(d.ownBetKey()))
	undone := back != nil && (!strings.HasPrefix(back.Comment, healedBy) || batch.Known(toldKey(d.call.Provider, d.call.ID)) != nil)
	return bet.Kind == ledger.Tombstone || bet.Kind == ledger.Refused || undone
}

// mayWinNameless refuses a win whose bet does not stand: that of its own id, or every one of late on its
// game. The platform may count on it, so a person sees it.
func (d *decision) mayWinNameless(batch *wallet.Batch, rounds *roundSet) error {
	gone := d.ownBetGone(batch)
	if own := batch.Known(d.ownBetKey()); !gone && (d.call.Space == "" || d.paidBy(own) == nil) {
		latest := rounds.latest[d.latestKey()]
		switch {
		case latest == nil:
		case latest.unread:
			return errUnread
		default:
			gone = latest.Transaction == nil
		}
	}
	if !gone {
		return nil
	}
	d.doubt = &doubt{
		provider: d.call.Provider, kind: doubtStatus, id: d.call.ID, player: d.call.Player.ExternalID, currency: d.call.Player.Currency,
		amount: d.instruction.win, code: Code(ErrRolledBack), message: "a win was refused: its bet does not stand", at: d.call.At,
	}
	return ErrRolledBack
}

func (d *decision) latestKey() latestKey {
	return latestKey{d.call.Provider, d.call.Game, d.call.Player.ID, d.call.until()}
}

// again answers an id that has been used: as at first, if it stands for the same. What has been undone
// since is not done.
func (d *decision) again(earlier, undone *ledger.Transaction) error {
	if earlier.Kind == ledger.Tombstone {
		return ErrRolledBack
	}
	if !d.same(earlier) {
		return ledger.ErrConflict
	}
	if undone != nil {
		return ErrRolledBack
	}
	if earlier.Kind == ledger.Refused {
		d.refusal = refusedFor[earlier.Comment]
		if d.refusal == nil {
			d.refusal = ErrUnavailable
		}
	}
	return nil
}

// allowed asks the rules, the bet's before the money's.
func (d *decision) allowed(batch *wallet.Batch, rounds *roundSet, round *roundRow) error {
	if d.instruction.kind == ledger.Win {
		return d.mayWin(batch, rounds, round)
	}
	if d.call.Session.Valid && !rounds.open(d.call.Session.UUID, d.call.At) {
		return ErrSession
	}
	if d.call.Round.Once && round != nil {
		return ErrRoundClosed
	}
	staking := wallet.Staking{
		Player: d.call.Player.ID, Currency: d.call.Player.Currency, Wager: d.wager(),
		Provider: d.call.Provider, Reference: d.call.ID, At: d.call.At, CashOnly: d.otherBonus(batch, round),
		Pays: d.instruction.win > 0,
	}
	if round != nil {
		staking.Before = round.staked
	}
	paid, err := batch.Stake(staking)
	d.paid = paid
	return err
}

// otherBonus reports whether a bonus that the player does not have any more has paid for the round: what
// the round wins follows one bonus, so another one pays nothing of it.
func (d *decision) otherBonus(batch *wallet.Batch, round *roundRow) bool {
	return round != nil && round.bonusStaked > 0 && !batch.BonusActive(d.call.Player.ID, round.bonusID)
}

func (d *decision) mayWin(batch *wallet.Batch, rounds *roundSet, round *roundRow) error {
	if d.nameless() {
		return d.mayWinNameless(batch, rounds)
	}
	known := round != nil && round.bets > 0
	gone := known && round.rolledBack-round.healed == round.bets
	gone = gone || !known && rounds.late[roundKey{d.call.Provider, d.call.Round.ID, d.call.Player.ID}]
	if d.instruction.bet != "" {
		bet := batch.Known(d.betKey())
		gone = gone || bet != nil && bet.Kind == ledger.Tombstone || d.betUndone(batch)
		known = bet != nil && bet.Kind != ledger.Refused && bet.Player == d.call.Player.ID
	}
	switch {
	case gone:
		return ErrRolledBack
	case round != nil && d.call.Round.Transaction != "" && d.call.Round.Transaction == round.betTransaction:
		return ledger.ErrConflict // the bet has used it
	case d.call.Round.Once && round != nil && round.wins > 0:
		return ErrSettled
	case !known && d.instruction.strict:
		return ErrUnknownBet
	}
	d.outcome.Unmatched = !known && (d.instruction.bet != "" || d.call.Round.ID != "")
	return nil
}

// refuse keeps a refusal that must stay one; others are forgotten with the work.
func (d *decision) refuse(batch *wallet.Batch, err error) error {
	code := Code(err)
	if !kept(err) {
		return err
	}
	t := d.transaction(ledger.Refused)
	t.Comment = code
	noted, _, noteErr := batch.Note(t)
	if noteErr != nil {
		return errors.Join(err, noteErr)
	}
	roundsOf(batch).name(batch, d.call)
	d.outcome.Transaction = noted.ID
	d.refusal = err
	return nil
}

// unmatchedComment marks, in the ledger, a win without a known bet. Betao's are paid: its document does not say
// that a credit needs a debit. Whoever sends one by mistake is paid; reconciliation finds the mark.
const unmatchedComment = "no bet known"

func (d *decision) transaction(kind ledger.Kind) ledger.Transaction {
	c := d.call
	return ledger.Transaction{
		Key: d.key, Kind: kind, Player: c.Player.ID, Provider: c.Provider, Game: c.Game, Round: c.Round.ID,
		Comment: c.Comment, Payload: d.instruction.payload(c), At: c.At,
	}
}

// wager is the stake as the rules of bonuses see it.
func (d *decision) wager() wallet.Wager {
	w := d.game
	w.Stake = d.instruction.stake
	return w
}

func (d *decision) post(batch *wallet.Batch, rounds *roundSet, round *roundRow) (*ledger.Transaction, error) {
	won, bonus, err := d.winnings(batch, rounds, round)
	if err != nil {
		return nil, err
	}
	t := d.transaction(d.instruction.kind)
	t.Round = rounds.kept(d.call, round)
	t.BonusID, t.Contribution, t.Staked, t.Effective = bonus, d.paid.Contribution, d.instruction.stake, d.call.At
	if d.outcome.Unmatched {
		t.Comment = unmatchedComment
	}
	moves := append(d.paid.Moves(ledger.Casino), won.Back().Moves(ledger.Casino)...)
	if len(moves) == 0 {
		posted, _, err := batch.Note(t)
		return posted, err
	}
	posted, _, err := batch.Post(t, moves...)
	return posted, err
}

// winnings splits a win as its stake was split: the bet that it names, where that is known; else its
// round's bets together; a free spin's as the round that won it; a win that names nothing as the
// player's latest bet on that game.
func (d *decision) winnings(batch *wallet.Batch, rounds *roundSet, round *roundRow) (wallet.Split, uuid.NullUUID, error) {
	win, currency := d.instruction.win, d.call.Player.Currency
	if d.instruction.kind != ledger.Win && (d.instruction.stake > 0 || win == 0) {
		split, err := wallet.Share(win, d.instruction.stake, d.paid.Bonus, currency)
		return split, d.paid.BonusID, err
	}
	if bet := d.bet(batch, rounds); bet != nil {
		split, err := wallet.Share(win, bet.Staked, -bet.Bonus, currency)
		return split, bet.BonusID, err
	}
	if parent := rounds.parent(d.call, round); parent != nil && (round == nil || round.staked == 0) {
		round = parent
	}
	if round == nil {
		return wallet.Split{Cash: win}, uuid.NullUUID{}, nil
	}
	split, err := wallet.Share(win, round.staked, round.bonusStaked, currency)
	return split, round.bonusID, err
}

// bet is the bet that a win names, or is taken to be for; nil where that tells nothing of how it was
// paid.
func (d *decision) bet(batch *wallet.Batch, rounds *roundSet) *ledger.Transaction {
	switch {
	case d.instruction.bet != "":
		return d.paidBy(batch.Known(d.betKey()))
	case !d.nameless():
		return nil
	}
	if own := d.paidBy(batch.Known(d.ownBetKey())); own != nil && d.call.Space != "" {
		return own
	}
	if latest := rounds.latest[d.latestKey()]; latest != nil {
		return latest.Transaction
	}
	return nil
}

// paidBy is the bet, where it is one of this player that was paid.
func (d *decision) paidBy(bet *ledger.Transaction) *ledger.Transaction {
	if bet == nil || bet.Kind != ledger.Bet || bet.Player != d.call.Player.ID || bet.Staked == 0 {
		return nil
	}
	return bet
}

// balance is what the player has now, and may stake on this game.
func (d *decision) balance(batch *wallet.Batch) wallet.Balance {
	return balanceOf(batch, d.call.Player.ID, d.game, d.call.At)
}

func (d *decision) outcomeOf(t *ledger.Transaction, batch *wallet.Batch) Outcome {
	return Outcome{Balance: d.balance(batch), Transaction: t.ID}
}

func balanceOf(batch *wallet.Batch, player uuid.UUID, game wallet.Wager, at time.Time) wallet.Balance {
	purse := batch.Purse(player)
	return wallet.Balance{
		Player: purse.Player, Currency: purse.Currency, Cash: purse.Cash.Balance, Bonus: purse.Bonus.Balance,
		Playable: batch.Playable(player, game, at),
	}
}

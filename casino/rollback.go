package casino

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
	"evens/ledger"
	"evens/player"
	"evens/wallet"
)

// Rollback undoes an instruction: what it took goes back, what it paid is taken, below zero if it
// must be. A second one moves nothing. Refusals: ErrSettled where Stands, and by a list where the
// round has paid something, ErrAmount,
// ledger.ErrConflict where the id is another player's.
func (f *Floor) Rollback(ctx context.Context, back Rollback) (Outcome, error) {
	if err := back.check(); err != nil {
		return Outcome{}, err
	}
	game, err := f.games.Of(ctx, back.Provider, back.Game)
	if err != nil {
		return Outcome{}, err
	}
	named := back.Player.ID != uuid.Nil
	for range 3 {
		if !named {
			owner, err := f.owner(ctx, back.key())
			if err != nil {
				return Outcome{}, err
			}
			back.Player = owner
		}
		d := &reversal{back: back, named: named, game: game}
		err := f.poster.Do(ctx, d.work(f.rounds))
		if errors.Is(err, errElsewhere) && !named || errors.Is(err, errUnread) || back.follow(err) {
			continue // the bet has come since we looked for its player, or for its round's wins
		}
		if err == nil {
			err = f.tell(ctx, d.doubt)
		}
		if err != nil {
			return told(ctx, &d.outcome), fmt.Errorf("%s rollback %s: %w", back.Provider, back.ID, err)
		}
		return d.outcome, nil
	}
	return Outcome{}, fmt.Errorf("%s rollback %s: %w", back.Provider, back.ID, ErrUnavailable)
}

// reversal is one rollback on its way through a batch.
type reversal struct {
	back  Rollback
	named bool // the platform says whose it is

	game wallet.Wager // as bonuses tell games apart

	outcome Outcome
	doubt   *doubt
}

func (d *reversal) work(reader wallet.Reader) *wallet.Work {
	work := &wallet.Work{
		Keys: append(d.back.otherwise(), d.back.key(), d.key(), d.toldKey()), Reader: reader, Decide: d.decide, At: d.back.At,
		Data: d,
	}
	if d.back.WinSpace != "" {
		work.Keys = append(work.Keys, d.sameWin())
	}
	if d.back.Player.ID != uuid.Nil {
		work.Players = []uuid.UUID{d.back.Player.ID}
	}
	return work
}

func (d *reversal) key() ledger.Key {
	return rollbackOf(d.back.Call.key())
}

func (d *reversal) decide(batch *wallet.Batch) error {
	d.outcome, d.doubt = Outcome{}, nil
	purse := batch.Purse(d.back.Player.ID)
	if purse == nil && d.named {
		return wallet.ErrUnknownPlayer
	}
	if purse != nil && d.back.Currency != "" && d.back.Currency != purse.Currency {
		return wallet.ErrCurrency
	}
	if purse != nil {
		d.outcome.Balance = balanceOf(batch, purse.Player, d.game, d.back.At)
	}
	if err := d.back.renamed(batch); err != nil {
		return err
	}
	original := batch.Known(d.back.key())
	roundsOf(batch).name(batch, d.back.Call)
	switch {
	case original == nil:
		d.doubtWin(batch, d.back.Player.ID, false)
		return d.bury(batch)
	case original.Kind == ledger.Tombstone:
		d.doubtWin(batch, d.back.Player.ID, true)
		d.outcome.Transaction, d.outcome.Repeat, d.outcome.Unknown = original.ID, true, true
		return nil
	case original.Player != d.back.Player.ID && d.named:
		return ledger.ErrConflict
	case purse == nil || original.Player != d.back.Player.ID:
		return errElsewhere
	}
	return d.undo(batch, original)
}

// bury leaves a tombstone under the id: whoever comes with it later is refused.
func (d *reversal) bury(batch *wallet.Batch) error {
	noted, _, err := batch.Note(ledger.Transaction{
		Key: d.back.key(), Kind: ledger.Tombstone, Player: d.back.Player.ID, Provider: d.back.Provider,
		Game: d.back.Game, Round: d.back.Round.ID, Payload: ledger.HashOf("tombstone", d.back.ID), At: d.back.At,
	})
	if err != nil {
		return err
	}
	d.outcome.Transaction, d.outcome.Unknown = noted.ID, true
	return nil
}

func (d *reversal) undo(batch *wallet.Batch, original *ledger.Transaction) error {
	size, err := original.Amount.Abs()
	if err != nil {
		return err
	}
	if original.Kind != ledger.Refused && d.back.Amount != nil && *d.back.Amount != size {
		return ErrAmount
	}
	if earlier := batch.Known(d.key()); earlier != nil {
		d.outcome.Transaction, d.outcome.Repeat = earlier.ID, true
		d.doubtWin(batch, original.Player, true)
		d.doubtPockets(batch, roundsOf(batch).of(d.back.Provider, original.Round, original.Player), original, true)
		if err := d.told(batch, earlier); err != nil || !strings.HasPrefix(earlier.Comment, healedBy) {
			return err
		}
		return d.takeWins(batch, original)
	}
	if original.Kind == ledger.Refused { // there is nothing to undo
		d.outcome.Transaction, d.outcome.Repeat = original.ID, true
		return nil
	}
	rounds := roundsOf(batch)
	round := rounds.of(d.back.Provider, original.Round, original.Player)
	if d.back.Stands && original.Kind == ledger.Bet && round != nil && round.wins > 0 {
		return ErrSettled
	}
	if d.back.List && original.Kind == ledger.Bet && round != nil && round.won > 0 {
		return ErrSettled // the win came while the list was read
	}
	posted, err := d.post(batch, original, d.back.Comment)
	if err != nil {
		return err
	}
	d.doubtPockets(batch, round, original, false)
	rounds.undone(round, original)
	if err := d.takeWins(batch, original); err != nil {
		return err
	}
	d.doubtWin(batch, original.Player, false)
	d.outcome.Balance = balanceOf(batch, original.Player, d.game, d.back.At)
	d.outcome.Transaction = posted.ID
	return nil
}

// bereft is the comment of a win that went with its bet.
const bereft = "its bet was rolled back"

// takeWins takes back what a round has won when none of its bets stands any more.
func (d *reversal) takeWins(batch *wallet.Batch, original *ledger.Transaction) error {
	rounds := roundsOf(batch)
	round := rounds.of(d.back.Provider, original.Round, original.Player)
	if !d.back.TakesWins || original.Kind != ledger.Bet || round == nil || round.rolledBack < round.bets || round.wins == 0 {
		return nil
	}
	wins := slices.Clone(rounds.won[round.roundKey])
	if int(round.wins) != len(wins) {
		return errUnread
	}
	for _, win := range wins {
		if _, err := d.post(batch, win, bereft); err != nil {
			return err
		}
		rounds.undone(round, win)
	}
	rounds.bereft[round.roundKey] = true
	return nil
}

// errUnread says that a round has won what was not looked for: it came with the bet, in the same batch.
var errUnread = errors.New("a win of the round was not read")

func (d *reversal) sameWin() ledger.Key { return keyOf(d.back.Provider, d.back.WinSpace, d.back.ID) }

// doubtWin leaves a bet to a person that is undone while a win of its id stands.
func (d *reversal) doubtWin(batch *wallet.Batch, owner uuid.UUID, again bool) {
	if d.back.WinSpace == "" || d.back.Space != "" {
		return
	}
	if win := batch.Known(d.sameWin()); win != nil && win.Kind == ledger.Win && win.Player == owner {
		d.doubt = wonAndUndone(d.back.Call, win.Amount, again)
	}
}

// post gives back to each pocket what was taken from it, and takes what was given: to the unit, and
// at the time when it counted.
func (d *reversal) post(batch *wallet.Batch, original *ledger.Transaction, comment string) (*ledger.Transaction, error) {
	t := ledger.Transaction{
		Key: rollbackOf(original.Key), Kind: ledger.Rollback, Player: original.Player, Provider: d.back.Provider, Game: d.back.Game,
		Round: original.Round, Comment: comment, Payload: ledger.HashOf("rollback", original.ID.String()), At: d.back.At,
		BonusID: original.BonusID, Contribution: -original.Contribution, Staked: -original.Staked, Effective: original.Effective,
	}
	moves := wallet.Split{Cash: original.Cash(), Bonus: original.Bonus}.Moves(ledger.Casino)
	if len(moves) == 0 {
		noted, _, err := batch.Note(t)
		return noted, err
	}
	posted, _, err := batch.Post(t, moves...)
	return posted, err
}

// owner looks up whose an instruction is; nobody's when it is not known.
func (f *Floor) owner(ctx context.Context, key ledger.Key) (player.Identity, error) {
	found, _, err := f.finder.Get(ctx, key)
	return found, err
}

// Owner returns whose the instruction of that id is, or ErrUnknownBet: for platforms whose later
// calls name a bet and no player.
func (f *Floor) Owner(ctx context.Context, provider, id string) (player.Identity, error) {
	if err := CheckID(id); err != nil {
		return player.Identity{}, err
	}
	owner, err := f.owner(ctx, keyOf(provider, "", id))
	if err == nil && owner.ID == uuid.Nil {
		err = ErrUnknownBet
	}
	return owner, err
}

// Indexes: transactions_key, players_pkey.
const readOwners = `
	SELECT t.source, t.external_id, p.id, p.currency, p.external_id
	  FROM unnest($1::text[], $2::text[]) k (source, external_id)
	  JOIN transactions t ON t.source = k.source AND t.external_id = k.external_id
	  JOIN players p ON p.id = t.player_id`

func (f *Floor) fetchOwners(ctx context.Context, keys []ledger.Key) (map[ledger.Key]player.Identity, error) {
	sources, ids := make([]string, len(keys)), make([]string, len(keys))
	for i, key := range keys {
		sources[i], ids[i] = key.Source, key.ExternalID
	}
	found := make(map[ledger.Key]player.Identity, len(keys))
	err := postgres.Again(ctx, func() error {
		rows, err := f.db.Hot.Query(ctx, readOwners, sources, ids)
		if err != nil {
			return err
		}
		var key ledger.Key
		var one player.Identity
		_, err = pgx.ForEachRow(rows, []any{&key.Source, &key.ExternalID, &one.ID, &one.Currency, &one.ExternalID}, func() error {
			found[key] = one
			return nil
		})
		return err
	})
	return found, err
}

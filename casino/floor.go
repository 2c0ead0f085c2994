package casino

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"evens/internal/jsonin"
	"evens/internal/lookup"
	"evens/internal/postgres"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// Floor is where games are played: the verbs that platforms call. It is safe for concurrent use.
type Floor struct {
	db      *postgres.DB
	poster  *wallet.Poster
	players *player.Directory
	finder  *lookup.Lookup[ledger.Key, player.Identity]
	rounds  *roundReader
	games   *Categories
	now     func() time.Time
	log     *slog.Logger
}

// NewFloor returns the floor whose money moves through poster.
func NewFloor(db *postgres.DB, poster *wallet.Poster, players *player.Directory, now func() time.Time, log *slog.Logger) *Floor {
	f := &Floor{db: db, poster: poster, players: players, rounds: &roundReader{}, games: NewCategories(db, now), now: now, log: log}
	f.finder = lookup.New(f.fetchOwners)
	return f
}

// Categories are the kinds of the games that are played here.
func (f *Floor) Categories() *Categories { return f.games }

// Now is the floor's clock.
func (f *Floor) Now() time.Time { return f.now() }

// Player returns who the platforms call so, or wallet.ErrUnknownPlayer.
func (f *Floor) Player(ctx context.Context, externalID string) (player.Identity, error) {
	if jsonin.ID(externalID, MaxID) != nil {
		return player.Identity{}, wallet.ErrUnknownPlayer
	}
	return f.players.Find(ctx, externalID)
}

// Balance is what a player has now, may stake on a game, and whether the player may play. A game ""
// is one of no known kind.
func (f *Floor) Balance(ctx context.Context, provider string, id player.Identity, currency money.Currency, game string) (player.Standing, error) {
	if currency != "" && currency != id.Currency {
		return player.Standing{}, wallet.ErrCurrency
	}
	wager, err := f.games.Of(ctx, provider, game)
	if err != nil {
		return player.Standing{}, err
	}
	standing, err := f.players.Standing(ctx, id.ID)
	standing.Playable = standing.Stakeable(wager, f.now())
	return standing, err
}

// Bet takes a stake. Refusals: wallet.ErrInsufficientFunds and wallet.ErrLimitExceeded (kept: the same id is
// answered so for good), wallet.ErrPlayerBlocked, wallet.ErrCurrency, ErrSession, ErrRolledBack, ErrRoundClosed,
// ledger.ErrConflict. The outcome's balance is today's, with a refusal too where it was decided.
func (f *Floor) Bet(ctx context.Context, bet Bet) (Outcome, error) {
	return f.do(ctx, bet.Call, instruction{kind: ledger.Bet, stake: bet.Stake})
}

// BetAndSettle takes a stake and pays its win. Refusals are those of Bet; one that stakes nothing and pays
// is a win, and nobody is barred from it.
func (f *Floor) BetAndSettle(ctx context.Context, both BetAndSettle) (Outcome, error) {
	return f.do(ctx, both.Call, instruction{kind: ledger.BetWin, stake: both.Stake, win: both.Win, details: both.Details})
}

// Retry is BetAndSettle for an instruction that may have been done: it shares its ids.
func (f *Floor) Retry(ctx context.Context, both BetAndSettle) (Outcome, error) {
	return f.BetAndSettle(ctx, both)
}

// Win pays, whatever the player's status and session. Refusals: ErrRolledBack, ErrSettled,
// wallet.ErrCurrency, ledger.ErrConflict, and ErrUnknownBet of a Strict one.
func (f *Floor) Win(ctx context.Context, win Win) (Outcome, error) {
	return f.do(ctx, win.Call, instruction{kind: ledger.Win, win: win.Amount, bet: win.Bet, strict: win.Strict})
}

// instruction is what a verb asks for beyond its call.
type instruction struct {
	kind       ledger.Kind
	stake, win money.Amount
	bet        string // won: the bet's id
	strict     bool
	details    Details
}

// payload fingerprints what makes an instruction what it is. Details, the game and a token are left out:
// platforms change them from one try to the next.
func (i instruction) payload(c Call) ledger.Hash {
	return ledger.HashOf(string(i.kind), c.Player.ID.String(), i.stake.String(), i.win.String(), i.bet, c.Round.ID, c.Round.Transaction)
}

func (f *Floor) do(ctx context.Context, c Call, i instruction) (Outcome, error) {
	if err := c.check(i.stake, i.win); err != nil {
		return Outcome{}, err
	}
	game, err := f.games.Of(ctx, c.Provider, c.Game)
	if err != nil {
		return Outcome{}, err
	}
	var d *decision
	for range 3 {
		d = &decision{call: c, instruction: i, key: c.key(), game: game, looked: errors.Is(err, errUnread)}
		if err = f.poster.Do(ctx, d.work(f.rounds)); !c.follow(err) && !errors.Is(err, errUnread) {
			break
		}
	}
	if err != nil {
		// Only an answer of the decision's own says that it is over, and that its doubt may be read.
		// The platform is answered when a person will see it.
		if errors.Is(err, ErrRolledBack) && d.doubt != nil {
			err = errors.Join(err, f.tell(ctx, d.doubt))
		}
		return told(ctx, &d.outcome), fmt.Errorf("%s %s %s: %w", c.Provider, i.kind, c.ID, err)
	}
	if err := f.tell(ctx, d.doubt); err != nil {
		return Outcome{}, fmt.Errorf("%s %s %s: %w", c.Provider, i.kind, c.ID, err)
	}
	return d.outcome, d.refusal
}

// told is the outcome of a work that was refused. Where the caller's patience ended first, the work
// may still be decided: nothing of it is to be read.
func told(ctx context.Context, outcome *Outcome) Outcome {
	if ctx.Err() != nil {
		return Outcome{}
	}
	return *outcome
}

func (c Call) check(amounts ...money.Amount) error {
	for _, id := range []string{c.ID, c.Other, c.Game, c.Round.ID, c.Round.Parent, c.Round.Transaction, c.Round.Type} {
		if err := CheckID(id); err != nil {
			return err
		}
	}
	if c.ID == "" {
		return fmt.Errorf("%w: an instruction without an id", ErrUnreadable)
	}
	if c.Currency != "" && c.Player.Currency != "" && c.Currency != c.Player.Currency {
		return wallet.ErrCurrency
	}
	for _, amount := range amounts {
		if amount < 0 {
			return fmt.Errorf("%w: an amount below zero", ErrUnreadable)
		}
	}
	return nil
}

// CheckID refuses an id that is there and that two readers could take for different ones, or that is longer
// than MaxID.
func CheckID(id string) error {
	if id == "" {
		return nil
	}
	if err := jsonin.ID(id, MaxID); err != nil {
		return fmt.Errorf("%w: an id %w", ErrUnreadable, err)
	}
	return nil
}

// errElsewhere says that what is to be rolled back belongs to a player who was not locked.
var errElsewhere = errors.New("the instruction is another player's")

package coupon

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"evens/coupon/bet"
	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/internal/spool"
	"evens/ledger"
	"evens/money"
	"evens/wallet"
)

// Bookmaker takes coupons. *bet.Client is one.
type Bookmaker interface {
	Place(ctx context.Context, ticket bet.Ticket) (bet.Answer, error)
}

// Finder asks a bookmaker that keeps a list by time whether it has a coupon whose answer was
// lost. BeT of the seed has none; its successor has.
type Finder interface {
	// Find answers known = false when the list cannot tell yet; else found says whether the
	// bookmaker has it, and answer how.
	Find(ctx context.Context, coupon Coupon) (answer bet.Answer, found, known bool, err error)
}

// Config of a Desk. Bookmaker, RemoteHost and Now are required.
type Config struct {
	Bookmaker  Bookmaker
	Finder     Finder // nil: the grace period decides
	Reader     Reader // nil: nobody is asked about kept bet codes, and a person decides
	RemoteHost string // where BeT posts results, without a trailing slash
	// Nominal, when above zero, is sent as realAmount instead of the player's stake; in NominalCurrency, or in
	// the coupon's where there is none.
	Nominal         money.Amount
	NominalCurrency money.Currency
	// Grace is how long an unconfirmed coupon waits for a word before its stake goes back; 15 minutes by default.
	Grace time.Duration
	// PlacingTimeout is after how long a coupon still placing counts as interrupted. It must be
	// longer than a placement can take with its retries; 2 minutes by default.
	PlacingTimeout time.Duration
	// RecordFor is how long BeT's answer is tried to be written down while the database is away;
	// 60 s by default.
	RecordFor time.Duration
	// Spool keeps answers that the database would not take in that time; nil: they are lost but for the log.
	Spool *spool.Spool
	// Secrets are texts that no kept answer may show.
	Secrets []string
	Now     func() time.Time
	// Accepted, when not nil, is told each new bet code and whose it is after its commit: a result may have
	// overtaken it. Changed is told every coupon that changed. Neither may block.
	Accepted func(provider, betCode string)
	Changed  func(coupon, player uuid.UUID)
	Log      *slog.Logger
}

// Desk places coupons. It is safe for concurrent use.
type Desk struct {
	cfg     Config
	poster  *wallet.Poster
	store   *Store
	answers *answerLocker
	ending  *ending
}

// NewDesk returns a desk that moves money through poster and reads through store.
func NewDesk(poster *wallet.Poster, store *Store, cfg Config) *Desk {
	if cfg.Grace <= 0 {
		cfg.Grace = 15 * time.Minute
	}
	if cfg.PlacingTimeout <= 0 {
		cfg.PlacingTimeout = 2 * time.Minute
	}
	if cfg.RecordFor <= 0 {
		cfg.RecordFor = time.Minute
	}
	return &Desk{cfg: cfg, poster: poster, store: store, answers: &answerLocker{}, ending: newEnding()}
}

// Place reserves the stake, asks BeT, and records the answer. The coupon comes back accepted,
// rejected or unconfirmed; an error means that there is no coupon (a *SelectionError, an
// *OrderError, a refusal of package wallet) or that nobody knows yet (postgres.Unavailable,
// ErrInProgress): the same order under the same Idempotency-Key then tells.
//
// Once the stake is reserved the placement runs to its end even if ctx does not: BeT may have
// the coupon.
func (d *Desk) Place(ctx context.Context, order Order) (Coupon, error) {
	pointers, coef, err := order.parse()
	if err != nil {
		return Coupon{}, err
	}
	if !d.ending.enter() {
		return Coupon{}, ErrStopping
	}
	defer d.ending.under.Done()
	detached := context.WithoutCancel(ctx)
	placed, replay, err := d.reserve(detached, order, pointers, coef)
	if err != nil {
		return Coupon{}, err
	}
	if replay.Valid {
		return d.store.AsAnswered(ctx, replay.UUID)
	}
	answer, err := d.cfg.Bookmaker.Place(detached, bet.Ticket{
		Pointers:   pointers,
		RealAmount: placed.sent,
		Currency:   placed.sentCurrency,
		Lang:       placed.Lang,
		RemoteHost: d.cfg.RemoteHost,
		RateMode:   bet.RateMode(placed.RateMode),
	})
	return d.record(detached, placed, outcomeOf(answer, err))
}

// reserve writes the coupon as placing and its stake as held, in one commit. A request that was
// answered before comes back as the coupon it made.
func (d *Desk) reserve(ctx context.Context, order Order, pointers []bet.Pointer, coef money.Coef) (placed Coupon, replay uuid.NullUUID, err error) {
	placed = Coupon{
		ID: dbclock.NewID(), Provider: Provider, Player: order.Player, Status: Placing, Currency: order.Currency,
		Stake: order.Stake, Coef: coef, RateMode: order.RateMode, Lang: order.Lang,
		Selections: asked(pointers), PlacedAt: d.cfg.Now(), sent: order.Stake, sentCurrency: order.Currency,
	}
	if d.cfg.Nominal > 0 {
		placed.sent, placed.nominal, placed.sentCurrency = d.cfg.Nominal, true, cmp.Or(d.cfg.NominalCurrency, order.Currency)
	}
	if placed.PossibleWin, err = coef.Times(order.Stake, order.Currency); err != nil {
		return Coupon{}, replay, err
	}
	key := stakeKey(placed.ID)
	var refusal error
	work := &wallet.Work{Players: []uuid.UUID{order.Player}, Request: order.Request, Statuses: true, At: placed.PlacedAt}
	work.Decide = func(batch *wallet.Batch) error {
		replay, refusal = uuid.NullUUID{}, nil
		answered, err := batch.Answered(order.Request)
		switch {
		case err != nil:
			return err
		case answered != nil && answered.Coupon.Valid:
			replay = answered.Coupon
			return nil
		case answered != nil:
			refusal = answered.Refusal()
			return nil
		}
		paid, err := batch.Stake(wallet.Staking{
			Player: order.Player, Currency: order.Currency, Wager: wallet.Wager{Sports: true, Coef: coef, Stake: order.Stake},
			Provider: placed.Provider, Reference: placed.ID.String(), At: placed.PlacedAt,
		})
		if err != nil {
			// A refusal by rule is kept: the same key is refused again.
			if batch.RememberRefusal(order.Request, err, placed.PlacedAt) {
				refusal = err
				return nil
			}
			return err
		}
		placed.bonusStake, placed.bonusID, placed.contribution = paid.Bonus, paid.BonusID, paid.Contribution
		_, _, err = batch.Post(ledger.Transaction{
			Key: key, Kind: ledger.Stake, Player: order.Player, Provider: placed.Provider,
			Coupon: uuid.NullUUID{UUID: placed.ID, Valid: true}, Payload: ledger.HashOf(order.Stake.String()), At: placed.PlacedAt,
			BonusID: paid.BonusID, Staked: order.Stake, Effective: placed.PlacedAt,
		}, paid.Moves(ledger.StakesHeld)...)
		if err != nil {
			return err
		}
		batch.Rows(newRowsKey{}, openNewRows).(*newRows).add(&placed)
		batch.Remember(order.Request, wallet.Answer{Coupon: uuid.NullUUID{UUID: placed.ID, Valid: true}}, placed.PlacedAt)
		return nil
	}
	if err := d.poster.Do(ctx, work); err != nil {
		return Coupon{}, replay, err
	}
	return placed, replay, refusal
}

// Provider is the bookmaker that a Desk places with: its coupons, and no others, are the Desk's business.
const Provider = bet.Provider

// KeySource is the source of the transactions a coupon's placement makes.
const KeySource = "coupon"

func stakeKey(id uuid.UUID) ledger.Key {
	return ledger.Key{Source: KeySource, ExternalID: id.String() + ":stake"}
}

func returnKey(id uuid.UUID) ledger.Key {
	return ledger.Key{Source: KeySource, ExternalID: id.String() + ":return"}
}

// asked turns pointers into selections as far as they tell by themselves.
func asked(pointers []bet.Pointer) []Selection {
	selections := make([]Selection, len(pointers))
	for i, pointer := range pointers {
		selections[i] = Selection{Pointer: pointer.String(), MatchID: pointer.MatchID, Coef: pointer.Coef, Live: pointer.Live}
	}
	return selections
}

// asAnswered takes a coupon back to what its placement was answered with.
func (c Coupon) asAnswered() Coupon {
	if c.answeredStatus == "" {
		return c
	}
	if c.answeredStatus == Unconfirmed && c.Status != Unconfirmed {
		c.BetCode, c.ErrorCode, c.ErrorMessage = "", CodeUnconfirmed, messageLost
	}
	c.Status, c.Payout, c.SettledAt, c.Settlements = c.answeredStatus, 0, time.Time{}, nil
	return c
}

// record writes BeT's answer down. While the database is away it keeps trying, until the process has to end: an
// accepted coupon's code is known to nobody else. What cannot be written down is spooled.
func (d *Desk) record(ctx context.Context, placed Coupon, said outcome) (Coupon, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.RecordFor)
	defer cancel()
	defer context.AfterFunc(d.ending.tries, cancel)()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		recorded, err := d.answer(ctx, placed.ID, placed.Player, said, true)
		if err == nil {
			return recorded, nil
		}
		if postgres.Unavailable(err) && ctx.Err() == nil {
			select {
			case <-time.After(pause):
				continue
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", postgres.ErrUnavailable, err)
		}
		d.spool(context.WithoutCancel(ctx), placed, said, err)
		return Coupon{}, fmt.Errorf("record the bookmaker's answer: %w", err)
	}
}

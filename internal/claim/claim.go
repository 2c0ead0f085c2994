package claim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	goredis "github.com/redis/go-redis/v9"
)

var (
	// ErrTaken says that another database claims the same keys in Redis: a copy of this one, or the one that this
	// is a copy of.
	ErrTaken = errors.New("a copy of this database works on this Redis: end one of the two, or give it a Redis of its own")
	// ErrMoved says that the database is not the one that this process started with.
	ErrMoved = errors.New("the database is another one than at the start: start this process anew")
)

const (
	// ClaimTime is how long a claim outlives the last process that kept it up.
	ClaimTime = time.Minute
	// turnEvery is how often the row is turned, by any one of the processes.
	turnEvery = 10 * time.Second
)

// claimKey holds "generation token".
const claimKey = "evens:claim"

// Claim is the right to the installation's keys in Redis, shared by all of its processes. It is safe for
// concurrent use.
type Claim struct {
	pool     *pgxpool.Pool
	redis    goredis.UniversalClient
	identity Identity
}

// New returns the claim of the installation at pool; client works within the identity's space.
func New(pool *pgxpool.Pool, client goredis.UniversalClient, identity Identity) *Claim {
	return &Claim{pool: pool, redis: client, identity: identity}
}

// version is one turn of the row.
type version struct {
	generation int64
	token      uuid.UUID
}

// Hold makes the claim, keeps it up, and turns the row when that is due. It answers ErrTaken or ErrMoved where this
// process must not work on this Redis; any other error means that it is not known.
func (c *Claim) Hold(ctx context.Context) error {
	if err := c.Check(ctx); err != nil {
		return err
	}
	turned, err := c.turn(ctx)
	if err != nil || !turned {
		return err
	}
	return c.Check(ctx)
}

// Check is Hold without turning the row.
func (c *Claim) Check(ctx context.Context) error {
	identity, err := Read(ctx, c.pool)
	if err != nil {
		return err
	}
	if identity != c.identity {
		return fmt.Errorf("%w (it was %v, and is %v)", ErrMoved, c.identity, identity)
	}
	row, err := c.row(ctx)
	for err == nil {
		held, showErr := c.show(ctx, row)
		if showErr != nil || held {
			return showErr
		}
		// Another process may have turned the row between our reading it and our asking Redis.
		shown := row
		if row, err = c.row(ctx); err == nil && row == shown {
			return ErrTaken
		}
	}
	return err
}

const readRow = `SELECT generation, token FROM installation`

func (c *Claim) row(ctx context.Context) (row version, err error) {
	if err := c.pool.QueryRow(ctx, readRow).Scan(&row.generation, &row.token); err != nil {
		return version{}, fmt.Errorf("read the installation's generation: %w", err)
	}
	return row, nil
}

// Only one process turns the row; those who come meanwhile find it turned. The row is committed before Redis hears
// of it, and on its disk whatever the server's settings: Redis never has what the row has not had, also after a crash.
const (
	durably = `SET LOCAL synchronous_commit = on`
	turnRow = `
	UPDATE installation SET generation = generation + 1, token = gen_random_uuid(), turned_at = clock_timestamp()
	 WHERE turned_at < clock_timestamp() - make_interval(secs => $1) OR turned_at > clock_timestamp()`
)

func (c *Claim) turn(ctx context.Context) (turned bool, err error) {
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, durably); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, turnRow, turnEvery.Seconds())
		turned = tag.RowsAffected() > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("turn the installation's generation: %w", err)
	}
	return turned, nil
}

// A claim of a lower generation is an older one of ours that Redis has gone back to, or that of a copy which has
// stayed behind: ours replaces it. Numbers are compared as numbers: Lua's hold 53 bits, the row would take ages.
var showRow = goredis.NewScript(`
	local generation = -1
	local claim = redis.call("GET", KEYS[1])
	if claim then generation = tonumber(string.match(claim, "^(%d+) ")) or -1 end
	if claim == ARGV[1] .. " " .. ARGV[2] then
		redis.call("PEXPIRE", KEYS[1], ARGV[3])
		return 1
	end
	if generation < tonumber(ARGV[1]) then
		redis.call("SET", KEYS[1], ARGV[1] .. " " .. ARGV[2], "PX", ARGV[3])
		return 1
	end
	return 0`)

func (c *Claim) show(ctx context.Context, row version) (held bool, err error) {
	held, err = showRow.Run(ctx, c.redis, []string{claimKey}, row.generation, row.token.String(), ClaimTime.Milliseconds()).Bool()
	if err != nil {
		return false, fmt.Errorf("claim the installation's keys in redis: %w", err)
	}
	return held, nil
}

// watchEvery is how often Watch looks.
const watchEvery = 5 * time.Second

// Watch holds the claim until ctx ends, and tells whoever asks whenever it is lost or held again.
func (c *Claim) Watch(ctx context.Context, log *slog.Logger, told func(err error)) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	taken := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := c.hold(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case Foreign(err):
			log.ErrorContext(ctx, "this installation's jobs are not worked on", "error", err)
		case taken && err == nil:
			log.InfoContext(ctx, "this installation's keys in redis are its own again")
		}
		if err == nil || Foreign(err) {
			taken = err != nil
		}
		told(err)
	}
}

func (c *Claim) hold(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watchEvery)
	defer cancel()
	return c.Hold(ctx)
}

// Foreign reports whether the process must not work on this Redis.
func Foreign(err error) bool { return errors.Is(err, ErrTaken) || errors.Is(err, ErrMoved) }

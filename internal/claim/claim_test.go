package claim

import (
	"errors"
	"net/url"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"evens/internal/postgres"
	"evens/internal/redis"
	"evens/internal/servers"
	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

// house is one installation on a Redis.
type house struct {
	*Claim
	db    *postgres.DB
	redis goredis.UniversalClient
}

// at opens the installation in a database; the space is that of like, where it is given: a copy with its server
// is the same in everything but its row.
func at(t *testing.T, databaseURL, redisURL string, like *house) *house {
	t.Helper()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: databaseURL, MaxConns: 3, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	identity, err := Read(t.Context(), db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	if identity.Cluster == "" || identity.Database == 0 {
		t.Fatalf("the identity %v is not whole", identity)
	}
	space := identity.Space()
	if like != nil {
		space = like.identity.Space()
	}
	client, err := redis.OpenIn(redisURL, space)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return &house{Claim: New(db.Pool, client, identity), db: db, redis: client}
}

// due has the row turned by the next Hold.
func (h *house) due(t *testing.T) {
	t.Helper()
	if _, err := h.db.Pool.Exec(t.Context(), `UPDATE installation SET turned_at = now() - interval '1 hour'`); err != nil {
		t.Fatal(err)
	}
}

// become makes the row that of another house, as copying its files does.
func (h *house) become(t *testing.T, other *house) {
	t.Helper()
	row, err := other.row(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.db.Pool.Exec(t.Context(), `UPDATE installation SET generation = $1, token = $2, turned_at = now()`, row.generation, row.token)
	if err != nil {
		t.Fatal(err)
	}
}

func (h *house) wants(t *testing.T, what string, want error) {
	t.Helper()
	if err := h.Hold(t.Context()); !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// Two brands have databases of their own; so has a dump that was put back into another database. All work on one Redis.
func TestDatabasesHaveSpacesOfTheirOwn(t *testing.T) {
	t.Parallel()
	redisURL := testbed.Redis(t)
	one, two := at(t, testbed.Database(t), redisURL, nil), at(t, testbed.Database(t), redisURL, nil)
	if one.identity.ID != two.identity.ID {
		t.Fatal("the two are no copies of one template: this test sees less than it says")
	}
	if one.identity.Space() == two.identity.Space() {
		t.Fatal("two databases share a space")
	}
	for range 3 {
		one.due(t)
		two.due(t)
		one.wants(t, "the one", nil)
		two.wants(t, "the other", nil)
	}
}

func TestEachDatabaseIsMadeWithAnIDOfItsOwn(t *testing.T) {
	t.Parallel()
	ids := make(map[string]bool)
	for range 2 {
		databaseURL := testbed.EmptyDatabase(t)
		if err := postgres.Migrate(t.Context(), databaseURL); err != nil {
			t.Fatal(err)
		}
		ids[at(t, databaseURL, testbed.Redis(t), nil).identity.ID.String()] = true
	}
	if len(ids) != 2 {
		t.Errorf("two migrated databases have the ids %v", ids)
	}
}

// The copy of a folder is started while the original works: the copy is refused, the original goes on.
func TestACopyIsRefused(t *testing.T) {
	t.Parallel()
	redisURL := testbed.Redis(t)
	original := at(t, testbed.Database(t), redisURL, nil)
	copied := at(t, testbed.Database(t), redisURL, original)
	original.wants(t, "the original", nil)
	copied.become(t, original)
	original.due(t)
	original.wants(t, "the original, turned", nil)
	for range 3 {
		copied.due(t)
		copied.wants(t, "the copy", ErrTaken)
		original.due(t)
		original.wants(t, "the original beside its copy", nil)
	}
	// The original ends; after a while the copy may be the one.
	if err := original.redis.PExpire(t.Context(), claimKey, time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond)
	copied.wants(t, "the copy alone", nil)
	original.wants(t, "the original that stayed behind", nil) // it has turned further
	copied.wants(t, "the copy beside it", ErrTaken)
}

// Both turn from the same row at the same time: one of them holds the claim, and the other never again.
func TestOfTwoThatTurnAtOnceOneHolds(t *testing.T) {
	t.Parallel()
	redisURL := testbed.Redis(t)
	one := at(t, testbed.Database(t), redisURL, nil)
	two := at(t, testbed.Database(t), redisURL, one)
	one.wants(t, "the one", nil)
	two.become(t, one)
	for _, h := range []*house{one, two} {
		h.due(t)
		if turned, err := h.turn(t.Context()); err != nil || !turned {
			t.Fatal(turned, err)
		}
	}
	one.wants(t, "the first", nil)
	two.wants(t, "the second", ErrTaken)
}

// Redis loses its last second, or all: that is nobody else.
func TestRedisThatForgetsIsClaimedAgain(t *testing.T) {
	t.Parallel()
	one := at(t, testbed.Database(t), testbed.Redis(t), nil)
	one.wants(t, "at first", nil)
	before := one.redis.Get(t.Context(), claimKey).Val()
	one.due(t)
	one.wants(t, "turned", nil)
	if after := one.redis.Get(t.Context(), claimKey).Val(); after == before || after == "" {
		t.Fatalf("the claim was %q and is %q", before, after)
	}
	if err := one.redis.Set(t.Context(), claimKey, before, ClaimTime).Err(); err != nil {
		t.Fatal(err)
	}
	one.wants(t, "a second was lost", nil)
	if err := one.redis.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	one.wants(t, "all was lost", nil)
	if err := one.redis.Set(t.Context(), claimKey, "what is this", ClaimTime).Err(); err != nil {
		t.Fatal(err)
	}
	one.wants(t, "nonsense", nil)
}

// Many processes of one installation turn and look at the same time, and none takes another for a stranger.
func TestProcessesOfOneInstallationAgree(t *testing.T) {
	t.Parallel()
	databaseURL, redisURL := testbed.Database(t), testbed.Redis(t)
	errs := make(chan error)
	for range 4 {
		one := at(t, databaseURL, redisURL, nil)
		go func() {
			var err error
			for range 50 {
				if _, dueErr := one.db.Pool.Exec(t.Context(), `UPDATE installation SET turned_at = now() - interval '1 hour'`); dueErr != nil {
					err = errors.Join(err, dueErr)
				}
				err = errors.Join(err, one.Hold(t.Context()))
			}
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// The role of running processes may do all of it.
func TestTheRuntimeRoleClaims(t *testing.T) {
	t.Parallel()
	owner, err := url.Parse(testbed.EmptyDatabase(t))
	if err != nil {
		t.Fatal(err)
	}
	runtime := *owner
	runtime.User = url.User(servers.RuntimeRole)
	if err := postgres.MigrateAs(t.Context(), owner.String(), runtime.String()); err != nil {
		t.Fatal(err)
	}
	one := at(t, runtime.String(), testbed.Redis(t), nil)
	one.due(t)
	one.wants(t, "the runtime role", nil)
}

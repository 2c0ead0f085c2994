package activity

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"evens/internal/postgres"
	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

func TestLogKeepsWhatItIsTold(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 2, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	now := time.Now().UTC().Truncate(time.Hour)
	coupon := uuid.New()
	entry := Entry{
		At: now, Event: "result.applied", Operator: "ann@example.com", Comment: "agreed by phone",
		Coupon: uuid.NullUUID{UUID: coupon, Valid: true}, Detail: map[string]int{"result": 7},
	}
	for _, a := range []Entry{entry, {At: now, Event: "nothing.special"}} {
		if err := Log(t.Context(), db.Pool, a); err != nil {
			t.Fatal(err)
		}
	}
	var operator, comment, result string
	var empty int
	err = db.Pool.QueryRow(t.Context(), `
		SELECT operator, comment, detail->>'result',
		       (SELECT count(*) FROM activity_log WHERE detail = '{}' AND coupon_id IS NULL AND player_id IS NULL)
		  FROM activity_log WHERE coupon_id = $1 AND at = $2`, coupon, now).Scan(&operator, &comment, &result, &empty)
	if err != nil || operator != "ann@example.com" || comment != "agreed by phone" || result != "7" || empty != 1 {
		t.Errorf("logged %q, %q, %q, %d without detail, %v", operator, comment, result, empty, err)
	}
	if err := Log(t.Context(), db.Pool, Entry{Event: "broken", Detail: func() {}}); err == nil {
		t.Error("Log() of a detail that is no JSON = nil")
	}
}

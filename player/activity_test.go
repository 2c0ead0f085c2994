package player

import (
	"testing"

	"github.com/google/uuid"
)

func TestLogKeepsWhatItIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	coupon := uuid.New()
	activity := Activity{
		At: b.clock.at, Event: "result.applied", Operator: "ann@example.com", Comment: "agreed by phone",
		Coupon: uuid.NullUUID{UUID: coupon, Valid: true}, Detail: map[string]int{"result": 7},
	}
	for _, a := range []Activity{activity, {At: b.clock.at, Event: "nothing.special"}} {
		if err := Log(t.Context(), b.db.Pool, a); err != nil {
			t.Fatal(err)
		}
	}
	var operator, comment, result string
	var empty int
	err := b.db.Pool.QueryRow(t.Context(), `
		SELECT operator, comment, detail->>'result',
		       (SELECT count(*) FROM activity_log WHERE detail = '{}' AND coupon_id IS NULL AND player_id IS NULL)
		  FROM activity_log WHERE coupon_id = $1 AND at = $2`, coupon, b.clock.at).Scan(&operator, &comment, &result, &empty)
	if err != nil || operator != "ann@example.com" || comment != "agreed by phone" || result != "7" || empty != 1 {
		t.Errorf("logged %q, %q, %q, %d without detail, %v", operator, comment, result, empty, err)
	}
	if err := Log(t.Context(), b.db.Pool, Activity{Event: "broken", Detail: func() {}}); err == nil {
		t.Error("Log() of a detail that is no JSON = nil")
	}
}

package access

import (
	"testing"
	"time"
)

// A session is found while it is used and not over; one that ended does not come back by being used.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sessions := NewSessions(b.db, b.clock.now)
	found := func(token string) bool {
		t.Helper()
		data, found, err := sessions.Find(token)
		if err != nil || found && string(data) != "data" {
			t.Fatalf("Find() = %q, %v", data, err)
		}
		return found
	}
	begun := b.clock.at
	for _, token := range []string{"used", "idle", "ended"} {
		if err := sessions.Commit(token, []byte("data"), begun.Add(3*SessionIdle)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sessions.Delete("ended"); err != nil || found("ended") || found("never was") {
		t.Errorf("an ended session is found, %v", err)
	}
	b.clock.at = begun.Add(SessionIdle - time.Second)
	if !found("used") {
		t.Error("a session that is used is lost")
	}
	b.clock.at = begun.Add(2*SessionIdle - 2*time.Second)
	if !found("used") || found("idle") {
		t.Error("a used session is lost, or an idle one goes on")
	}
	b.clock.at = begun.Add(3 * SessionIdle)
	if found("used") {
		t.Error("a session outlives its time")
	}
	b.clock.at = b.clock.at.Add(time.Second)
	if err := sessions.Commit("next", []byte("data"), b.clock.at.Add(SessionIdle)); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := b.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM operator_sessions`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d sessions are kept, %v, want the last one only", left, err)
	}
}

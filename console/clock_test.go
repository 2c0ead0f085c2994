package console

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"evens/access"
	"evens/internal/postgres"
	"evens/internal/testbed"
	"evens/jobs"
)

// A login holds as long as it should by the database's clock, whichever machine it was made on and whichever
// it is used on.
func TestSessionsGoByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 2, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	for _, skew := range []time.Duration{sessionLife + time.Hour, -sessionLife - time.Hour} {
		database := func() time.Time { return time.Now().Add(-skew) } // as seen from a machine that is ahead by skew
		m := newSessions(access.NewSessions(db, database), database, false, slog.New(slog.DiscardHandler))
		ctx, err := m.Load(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		m.Put(ctx, sessionOperator, "ann")
		token, _, err := m.Commit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var lives time.Duration
		err = db.Pool.QueryRow(t.Context(), `SELECT max(expiry) - $1 FROM operator_sessions`, database()).Scan(&lives)
		if err != nil || (lives-sessionLife).Abs() > time.Minute {
			t.Errorf("skew %s: the session lives for %s, %v, want %s", skew, lives, err, sessionLife)
		}
		again, err := m.Load(t.Context(), token)
		if err != nil || m.GetString(again, sessionOperator) != "ann" {
			t.Errorf("skew %s: the session is not found, %v", skew, err)
		}
		if ends := time.Until(m.Deadline(again)); (ends - sessionLife).Abs() > time.Minute {
			t.Errorf("skew %s: read again it ends in %s, want %s", skew, ends, sessionLife)
		}
		if _, err := db.Pool.Exec(t.Context(), `DELETE FROM operator_sessions`); err != nil {
			t.Fatal(err)
		}
	}
}

// The first page says what a part has to say of itself, such as of the machine's clock.
func TestAdviceIsShown(t *testing.T) {
	t.Parallel()
	advice := ""
	part := Part{Name: "clock", Check: func(context.Context) error { return nil }, Advice: func() string { return advice }}
	server := serve(t, Config{Parts: []Part{part}})
	if _, body := get(t, server.URL+"/console/", "viewer@example.com", password); strings.Contains(body, "clock") {
		t.Errorf("nothing to say, and the first page is %s", body)
	}
	advice = "the clock is an hour ahead"
	if _, body := get(t, server.URL+"/console/", "viewer@example.com", password); !strings.Contains(body, "The clock is an hour ahead.") {
		t.Errorf("the first page is %s", body)
	}
}

// Ages below zero are shown as they are: an alert looks for them.
func TestAgesBelowZeroAreShown(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 2, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	for _, insert := range []string{
		`INSERT INTO result_chunks (result_ids, rung_at) VALUES ('{1}', now() + interval '1 hour')`,
		`INSERT INTO breaks (id, provider, kind, transaction_id, player, currency, amount, action, at, first_seen, last_seen, statement_id, state)
		 VALUES (gen_random_uuid(), 'tg', 'amount', '1', '', '', 1, 'person', now(), now() + interval '1 hour', now(), gen_random_uuid(), 'open')`,
	} {
		if _, err := db.Pool.Exec(t.Context(), insert); err != nil {
			t.Fatal(err)
		}
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewBacklog(db.Pool, time.Now, func() ([]jobs.Depth, error) { return nil, nil }))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, family := range families {
		switch family.GetName() {
		case "evens_result_chunk_oldest_seconds", "evens_break_oldest_seconds":
			seen++
			if age := family.GetMetric()[0].GetGauge().GetValue(); age > -3500 {
				t.Errorf("%s is %.0f, want about -3600", family.GetName(), age)
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d ages are shown, want 2", seen)
	}
}

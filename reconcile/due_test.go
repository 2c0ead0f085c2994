package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"

	"evens/reconcile"
)

// ledgerOfDays is a provider whose list is empty, as ours is; it notes which windows it was asked for.
type ledgerOfDays struct {
	asked []string
	fails map[string]bool
}

func (l *ledgerOfDays) ByRound() bool { return false }

func (l *ledgerOfDays) Page(_ context.Context, from, to time.Time, _ string) (reconcile.Page, error) {
	day := from.Add(reconcile.Skew)
	if to.Sub(from) != 24*time.Hour+2*reconcile.Skew {
		return reconcile.Page{}, nil
	}
	name := day.UTC().Format(time.DateOnly)
	if l.fails[name] {
		return reconcile.Page{}, backoff.Permanent(errors.New("not that one"))
	}
	l.asked = append(l.asked, name)
	return reconcile.Page{}, nil
}

// Three nights without a clock: each day gets its run and its closing, oldest first, once; a day whose list
// cannot be had keeps no other from either.
func TestMissedDaysAreMadeUp(t *testing.T) {
	t.Parallel()
	list := &ledgerOfDays{fails: map[string]bool{}}
	o := open(t, map[string]reconcile.Source{"tg": list})
	today := o.Now().Truncate(24 * time.Hour)
	name := func(days int) string { return today.AddDate(0, 0, days).Format(time.DateOnly) }
	o.SetClock(today.Add(12 * time.Hour))
	if err := o.Recent(t.Context(), "tg"); err != nil {
		t.Fatal(err)
	}
	o.bet("b1", "10")
	o.Sealable(t)
	closed := func() (days []string) {
		t.Helper()
		rows, err := o.DB.Pool.Query(t.Context(), `SELECT day::text FROM closings GROUP BY day ORDER BY min(made_at), day`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var day string
			if err := rows.Scan(&day); err != nil {
				t.Fatal(err)
			}
			days = append(days, day)
		}
		return days
	}
	do := func(at time.Time, wantRuns, wantClosed []string) {
		t.Helper()
		o.SetClock(at)
		for range 2 { // a second clock's task finds nothing to do
			if err := o.Nightly(t.Context(), "tg"); err != nil && len(list.fails) == 0 {
				t.Fatal(err)
			}
			if err := o.CloseDue(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(list.asked, wantRuns) {
			t.Errorf("at %s: runs of %q, want %q", at, list.asked, wantRuns)
		}
		if got := closed(); !slices.Equal(got, wantClosed) {
			t.Errorf("at %s: closed %q, want %q", at, got, wantClosed)
		}
	}
	first := []string{name(0)}
	do(today.Add(25*time.Hour), nil, nil)
	do(today.Add(26*time.Hour), first, nil)
	do(today.Add(27*time.Hour), first, first)
	// Nobody ticks for three nights.
	four := []string{name(0), name(1), name(2), name(3)}
	do(today.Add(4*24*time.Hour+9*time.Hour), four, four)
	// A list that cannot be had: asked for again with each tick, and after the days that can.
	list.fails[name(4)] = true
	noon := today.Add(6*24*time.Hour + 12*time.Hour)
	do(noon, four, four)
	do(noon.Add(time.Hour), append(four, name(5)), append(four, name(4), name(5)))
	list.fails = map[string]bool{}
	do(noon.Add(2*time.Hour), append(four, name(5), name(4)), append(four, name(4), name(5)))
}

// The closing of a day that was missed waits for the lists of it, so that theirs stand beside ours.
func TestAClosingWaitsForTheLists(t *testing.T) {
	t.Parallel()
	list := &ledgerOfDays{}
	o := open(t, map[string]reconcile.Source{"tg": list})
	if err := o.Nightly(t.Context(), "tg"); err != nil || len(list.asked) > 0 {
		t.Errorf("before its first list: asked for %q, %v", list.asked, err)
	}
	today := o.Now().Truncate(24 * time.Hour)
	o.SetClock(today.Add(12 * time.Hour))
	if err := o.Recent(t.Context(), "tg"); err != nil {
		t.Fatal(err)
	}
	o.Sealable(t)
	o.SetClock(today.Add(27 * time.Hour))
	for _, want := range []int{0, 1} {
		if err := o.CloseDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		var days int
		if err := o.DB.Pool.QueryRow(t.Context(), `SELECT count(DISTINCT day) FROM closings`).Scan(&days); err != nil || days != want {
			t.Errorf("%d days are closed, want %d (%v)", days, want, err)
		}
		if err := o.Nightly(t.Context(), "tg"); err != nil {
			t.Fatal(err)
		}
	}
}

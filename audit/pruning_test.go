package audit_test

import (
	"encoding/json"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"evens/audit"
	"evens/explain"
	"evens/jobs/retention"
	"evens/reconcile"
)

// Years later, whatever has a time is gone: the audit finds after each table what it found before, nothing but what has
// waited too long, and the stories of players and coupons, the differences and the day's closing are what they were.
func TestTheBooksAreEvenAfterPruning(t *testing.T) {
	t.Parallel()
	h := playDay(t)
	years := h.Now().AddDate(3, 0, 0)
	even := func(what string) {
		t.Helper()
		report, err := audit.At(t.Context(), h.DB, years)
		h.must(err)
		for _, check := range report.Checks {
			if check.Total > 0 && !waits.MatchString(check.Name) {
				t.Errorf("%s: %s: %+v", what, check.Name, check.Violations)
			}
		}
	}
	even("before pruning")
	// The audit that ends the day has the day's clock: what limits have used is back by then.
	exec := func(sql string) {
		t.Helper()
		_, err := h.DB.Pool.Exec(t.Context(), sql)
		h.must(err)
	}
	exec(`CREATE TABLE used AS TABLE usage_quarters`)
	before := h.evidence()
	pruner := retention.New(retention.Config{DB: h.DB, Now: func() time.Time { return years }, Log: slog.New(slog.DiscardHandler)})
	for _, table := range retention.Tasks() {
		if _, err := pruner.Run(t.Context(), table); err != nil {
			t.Fatal(err)
		}
		even("after pruning " + table)
	}
	// The last day of raw calls stays, whoever asks, so that the owner has to remove what it has.
	exec(`DELETE FROM callbacks`)
	even("after all calls are gone")
	for _, line := range retention.Table() {
		var rows int
		h.must(h.DB.Pool.QueryRow(t.Context(), `SELECT count(*) FROM `+line.Table).Scan(&rows))
		// What waits stays, and so do decided approvals.
		if !line.Forever() && rows > 0 && !slices.Contains([]string{"approvals", "notices", "result_chunks"}, line.Table) {
			t.Errorf("%d rows of %s are left", rows, line.Table)
		}
	}
	if after := h.evidence(); after != before {
		t.Error("after pruning", cmp.Diff(before, after))
	}
	_, err := h.reconciler.Close(t.Context(), h.start)
	h.must(err)
	if after := h.evidence(); after != before {
		t.Error("closed again", cmp.Diff(before, after))
	}
	exec(`INSERT INTO usage_quarters SELECT * FROM used`)
	exec(`DROP TABLE used`)
}

// waits is what the rules are called that look at what has waited for too long.
var waits = regexp.MustCompile(`for days|long after its time`)

// evidence is what people are shown of money and differences, less the raw calls, which are kept for a while only.
func (h *house) evidence() string {
	h.t.Helper()
	ctx := h.t.Context()
	var stories []any
	var players, coupons []string
	h.must(h.DB.Pool.QueryRow(ctx, `SELECT (SELECT array_agg(external_id ORDER BY external_id) FROM players),
		(SELECT array_agg(id::text ORDER BY id) FROM coupons)`).Scan(&players, &coupons))
	for _, name := range players {
		steps, err := explain.Player(ctx, h.DB, name, h.Now())
		h.must(err)
		stories = append(stories, withoutCalls(steps))
	}
	for _, id := range coupons {
		steps, err := explain.Coupon(ctx, h.DB, id, h.Now())
		h.must(err)
		stories = append(stories, withoutCalls(steps))
	}
	open, err := h.reconciler.Breaks(ctx, reconcile.Filter{})
	h.must(err)
	closing, err := h.reconciler.Closing(ctx, h.start)
	h.must(err)
	text, err := json.MarshalIndent([]any{stories, open, closing}, "", " ")
	h.must(err)
	return string(text)
}

var call = regexp.MustCompile(`,? callback [0-9a-f-]{36}`)

func withoutCalls(steps []explain.Step) []explain.Step {
	for i := range steps {
		steps[i].Message = call.ReplaceAllString(steps[i].Message, "")
		if strings.HasPrefix(steps[i].What, "it is ") { // as it stands now
			steps[i].At = time.Time{}
		}
	}
	return steps
}

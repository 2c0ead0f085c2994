package jobs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"evens/casino"
	"evens/jobs/retention"
	"evens/settlement"
)

// ticks has every tick of a kind come.
func (s *Schedule) ticks(kind string) {
	for _, e := range s.entries {
		if e.kind == kind {
			s.tick(e)
		}
	}
}

// Names of tasks, queues and ids stand in Redis and in job_failures, where other releases read them.
func TestStoredNamesOfJobs(t *testing.T) {
	t.Parallel()
	kinds := map[string]string{
		"settlement:apply": "settlement", "coupon:confirm": "coupon", "casino:notice": "casino", "reconcile:run": "reconcile",
		"reconcile:close": "reconcile", "sweep": "maintenance", "janitor": "maintenance", "prune": "maintenance",
	}
	for _, j := range table() {
		if kinds[j.kind] != j.queue {
			t.Errorf("%s is in queue %s, want %q", j.kind, j.queue, kinds[j.kind])
		}
		delete(kinds, j.kind)
		if weights[j.queue] == 0 {
			t.Errorf("nobody looks at queue %s of %s", j.queue, j.kind)
		}
		if j.handle == nil || j.does == "" || j.timeout < time.Second || j.retries < 1 {
			t.Errorf("%s lacks something", j.kind)
		}
	}
	if len(kinds) > 0 {
		t.Errorf("no job: %v", kinds)
	}
	now := time.Unix(36000, 0)
	coupon := uuid.MustParse("00000000-0000-7000-8000-000000000001")
	for want, made := range map[string]func() (*asynq.Task, error){
		`settlement:apply {"v":1,"chunk":7}`:                                     func() (*asynq.Task, error) { return applyTask(settlement.Chunk{ID: 7, Rung: 2}) },
		`casino:notice {"v":1,"notice":9}`:                                       func() (*asynq.Task, error) { return noticeTask(casino.Notice{ID: 9, Rung: 1}) },
		`coupon:confirm {"v":1,"coupon":"00000000-0000-7000-8000-000000000001"}`: func() (*asynq.Task, error) { return confirmTask(coupon, now) },
		`reconcile:run {"v":1,"provider":"tg","window":"last day"}`:              first(reconcileTasks(windowNightly)),
		`reconcile:close {"v":1}`:                                                first(tickTask(TypeClose, "close")),
		`prune {"v":1,"table":"approvals"}`:                                      first(pruneTasks),
	} {
		task, err := made()
		if err != nil {
			t.Fatal(err)
		}
		if got := task.Type() + " " + string(task.Payload()); got != want {
			t.Errorf("task %s, want %s", got, want)
		}
	}
}

func first(ask func(time.Time, int64, []string) ([]*asynq.Task, error)) func() (*asynq.Task, error) {
	return func() (*asynq.Task, error) {
		tasks, err := ask(time.Unix(36000, 0), 10, []string{"tg"})
		if err != nil {
			return nil, err
		}
		return tasks[0], nil
	}
}

// docs/operations.md has this table.
func TestTheDocumentHasTheJobs(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range table() {
		row := documented(t, j)
		if !strings.Contains(string(document), "\n"+row+"\n") {
			t.Errorf("docs/operations.md lacks\n%s", row)
		}
	}
}

func documented(t *testing.T, j job) string {
	t.Helper()
	var when []string
	for _, tick := range j.ticks {
		spec := "`" + tick.spec + "`"
		if tick.spec == "" {
			spec = "`EVENS_SWEEP_INTERVAL`"
		}
		if tick.atStart {
			spec += " and at the start"
		}
		when = append(when, spec)
	}
	if when == nil {
		when = []string{"when there is work"}
	}
	payload, err := json.Marshal(j.payload)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(payload, &fields); err != nil {
		t.Fatal(err)
	}
	delete(fields, "v")
	carries := "nothing"
	if len(fields) > 0 {
		var names []string
		for name := range fields {
			names = append(names, name)
		}
		slices.Sort(names)
		carries = strings.Join(names, ", ")
	}
	limit := fmt.Sprintf("%d s", int(j.timeout.Seconds()))
	if j.timeout >= time.Minute {
		limit = fmt.Sprintf("%d min", int(j.timeout.Minutes()))
	}
	return fmt.Sprintf("| `%s` | %s | %d | `%s`, id `%s` | %s | %s | %s | %d |", j.queue, j.does, weights[j.queue], j.kind, j.id, carries,
		strings.Join(when, ", "), limit, j.retries)
}

// The table's every job reaches the worker: a clock that starts has old rows removed from every table by itself.
func TestOldRowsAreRemovedWithoutBeingAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `INSERT INTO result_chunks (result_ids, rung_at, done_at) VALUES ('{}', now() - interval '3 days', now() - interval '3 days')`)
	b.exec(t, `INSERT INTO job_failures (task_id, type, queue, payload, error, retried, failed_at) VALUES ('', '', '', '', '', 0, now() - interval '500 days')`)
	b.worker(t)
	schedule, err := NewSchedule(b.redis, time.Hour, nil, time.Now, b.log)
	if err != nil {
		t.Fatal(err)
	}
	schedule.ticks(TypePrune)
	eventually(t, "both are gone, and the days of callbacks are open", func() bool {
		var left, days int
		err := b.db.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM result_chunks) + (SELECT count(*) FROM job_failures),
			(SELECT count(*) FROM pg_inherits WHERE inhparent = 'callbacks'::regclass)`).Scan(&left, &days)
		return err == nil && left == 0 && days == 4
	})
	info, err := asynq.NewInspectorFromRedisClient(b.redis).GetQueueInfo(QueueMaintenance)
	if err != nil || info.Archived > 0 {
		t.Errorf("%+v, %v", info, err)
	}
}

func (b bundle) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := b.db.Pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// Where as many tables are worked on as may be at once, another is put off: that is no failure, and takes nobody's
// place.
func TestTablesArePutOffWhereThereIsNoRoom(t *testing.T) {
	t.Parallel()
	b := setup(t)
	worker := NewWorker(WorkerConfig{Redis: b.redis, DB: b.db, Settler: b.domain, Now: time.Now, Concurrency: 4, Log: b.log})
	task := asynq.NewTask(TypePrune, []byte(`{"v":1,"table":"job_failures"}`))
	for range cap(worker.pruning) {
		worker.pruning <- struct{}{}
	}
	if err := worker.prune(t.Context(), task); !errors.Is(err, errLater) {
		t.Errorf("%v with no place left", err)
	}
	if delay := retryDelay(0, errLater, nil); delay != laterDelay {
		t.Errorf("put off by %s", delay)
	}
	<-worker.pruning
	if err := worker.prune(t.Context(), task); err != nil {
		t.Error(err)
	}
	other := asynq.NewTask(TypePrune, []byte(`{"v":1,"table":"of a later release"}`))
	if err := worker.prune(t.Context(), other); !errors.Is(err, asynq.SkipRetry) || !errors.Is(err, retention.ErrNoTask) {
		t.Errorf("a table that is not known: %v", err)
	}
}

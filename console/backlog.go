package console

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"evens/jobs"
	"evens/wallet"
)

// Backlog is read at every scrape: what waits in the queues and in the tables.
type Backlog struct {
	pool   *pgxpool.Pool
	depths func() ([]jobs.Depth, error)
	held   *wallet.HeldWithdrawals
	now    func() time.Time

	oldestHeld, suspense, oldestSuspense *prometheus.Desc

	queue, waiting, openChunks, oldestChunk, openCoupons, codes, breaks, oldestBreak, notices, up *prometheus.Desc
}

// NewBacklog returns a collector to register with the metrics. now is the database's clock.
func NewBacklog(pool *pgxpool.Pool, now func() time.Time, depths func() ([]jobs.Depth, error)) *Backlog {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &Backlog{
		pool:           pool,
		depths:         depths,
		held:           wallet.NewHeldWithdrawals(pool, now),
		now:            now,
		oldestHeld:     desc("evens_withdrawal_held_oldest_seconds", "Since when the oldest held withdrawal waits for the payment gateway; 0 when none does."),
		suspense:       desc("evens_suspense_open", "Rows of the suspense account that wait for a person, by reason.", "reason"),
		oldestSuspense: desc("evens_suspense_oldest_seconds", "Since when the oldest of them waits.", "reason"),
		queue:          desc("evens_queue_tasks", "Tasks in a queue, by state.", "queue", "state"),
		waiting:        desc("evens_results_waiting", "Results that wait for a person or for their coupon, by reason.", "attention"),
		openChunks:     desc("evens_result_chunks_open", "Chunks of results not applied yet."),
		oldestChunk:    desc("evens_result_chunk_oldest_seconds", "Since when the oldest open chunk was last asked for."),
		openCoupons:    desc("evens_coupons_open", "Coupons placing or unconfirmed.", "status"),
		codes:          desc("evens_coupons_with_code", "Unconfirmed coupons whose bet code is known from an answer that could not be taken."),
		breaks:         desc("evens_breaks_open", "Differences to providers' lists that are open.", "provider", "kind"),
		oldestBreak:    desc("evens_break_oldest_seconds", "Since when a provider's oldest open difference is known.", "provider"),
		notices:        desc("evens_notices_pending", "Asynchronous callbacks acknowledged and not worked off.", "provider"),
		up:             desc("evens_backlog_up", "1 when the backlog could be read.", "source"),
	}
}

// Describe implements prometheus.Collector.
func (b *Backlog) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{b.queue, b.waiting, b.openChunks, b.oldestChunk, b.openCoupons, b.codes, b.breaks, b.oldestBreak,
		b.notices, b.up,
		b.oldestHeld, b.suspense, b.oldestSuspense} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (b *Backlog) Collect(out chan<- prometheus.Metric) {
	b.report(out, "redis", b.collectQueues(out))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	b.report(out, "database", b.collectTables(ctx, out))
}

func (b *Backlog) report(out chan<- prometheus.Metric, source string, err error) {
	value := 1.0
	if err != nil {
		value = 0
	}
	out <- prometheus.MustNewConstMetric(b.up, prometheus.GaugeValue, value, source)
}

func (b *Backlog) collectQueues(out chan<- prometheus.Metric) error {
	depths, err := b.depths() // those that could be read, and why not all
	for _, depth := range depths {
		states := map[string]int{
			"pending": depth.Pending, "active": depth.Active, "scheduled": depth.Scheduled,
			"retry": depth.Retry, "archived": depth.Archived,
		}
		for state, n := range states {
			out <- prometheus.MustNewConstMetric(b.queue, prometheus.GaugeValue, float64(n), depth.Queue, state)
		}
	}
	return err
}

// All of them walk partial indexes of exceptions only.
const (
	countWaiting = `SELECT attention, count(*) FROM results WHERE attention IS NOT NULL GROUP BY attention`
	countChunks  = `SELECT count(*), coalesce(extract(epoch FROM now() - min(rung_at)), 0)::float8 FROM result_chunks WHERE done_at IS NULL`
	countNotices = `SELECT provider, count(*) FROM notices WHERE state = 'pending' GROUP BY provider`
	countBreaks  = `
	SELECT provider, kind, count(*), extract(epoch FROM now() - min(first_seen))::float8
	  FROM breaks WHERE state IN ('open', 'healing') GROUP BY provider, kind`
	countOpen  = `SELECT status, count(*) FROM coupons WHERE open_since IS NOT NULL GROUP BY status`
	countCodes = `
	SELECT count(*) FROM coupon_answers a JOIN coupons c ON c.id = a.coupon_id
	 WHERE a.ask_at IS NOT NULL AND c.status = 'unconfirmed'`
)

func (b *Backlog) collectTables(ctx context.Context, out chan<- prometheus.Metric) error {
	if err := b.collectGroups(ctx, out, b.waiting, countWaiting); err != nil {
		return err
	}
	if err := b.collectGroups(ctx, out, b.openCoupons, countOpen); err != nil {
		return err
	}
	if err := b.collectGroups(ctx, out, b.notices, countNotices); err != nil {
		return err
	}
	if err := b.collectBreaks(ctx, out); err != nil {
		return err
	}
	if err := b.collectPayments(ctx, out); err != nil {
		return err
	}
	var chunks int64
	var oldest float64
	if err := b.pool.QueryRow(ctx, countChunks).Scan(&chunks, &oldest); err != nil {
		return err
	}
	out <- prometheus.MustNewConstMetric(b.openChunks, prometheus.GaugeValue, float64(chunks))
	out <- prometheus.MustNewConstMetric(b.oldestChunk, prometheus.GaugeValue, oldest)
	var codes int64
	if err := b.pool.QueryRow(ctx, countCodes).Scan(&codes); err != nil {
		return err
	}
	out <- prometheus.MustNewConstMetric(b.codes, prometheus.GaugeValue, float64(codes))
	return nil
}

// Index: suspense_open.
const countSuspense = `
	SELECT reason, count(*), extract(epoch FROM now() - min(at))::float8 FROM suspense WHERE ended_at IS NULL GROUP BY reason`

func (b *Backlog) collectPayments(ctx context.Context, out chan<- prometheus.Metric) error {
	since, err := b.held.Oldest(ctx)
	if err != nil {
		return err
	}
	age := 0.0
	if !since.IsZero() {
		age = b.now().Sub(since).Seconds()
	}
	out <- prometheus.MustNewConstMetric(b.oldestHeld, prometheus.GaugeValue, age)
	rows, err := b.pool.Query(ctx, countSuspense)
	if err != nil {
		return err
	}
	var reason string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&reason, &n, &age}, func() error {
		out <- prometheus.MustNewConstMetric(b.suspense, prometheus.GaugeValue, float64(n), reason)
		out <- prometheus.MustNewConstMetric(b.oldestSuspense, prometheus.GaugeValue, age, reason)
		return nil
	})
	return err
}

func (b *Backlog) collectBreaks(ctx context.Context, out chan<- prometheus.Metric) error {
	rows, err := b.pool.Query(ctx, countBreaks)
	if err != nil {
		return err
	}
	defer rows.Close()
	oldest := make(map[string]float64)
	for rows.Next() {
		var provider, kind string
		var n int64
		var age float64
		if err := rows.Scan(&provider, &kind, &n, &age); err != nil {
			return err
		}
		out <- prometheus.MustNewConstMetric(b.breaks, prometheus.GaugeValue, float64(n), provider, kind)
		if known, more := oldest[provider]; !more || age > known { // an age below zero shows too
			oldest[provider] = age
		}
	}
	for provider, age := range oldest {
		out <- prometheus.MustNewConstMetric(b.oldestBreak, prometheus.GaugeValue, age, provider)
	}
	return rows.Err()
}

func (b *Backlog) collectGroups(ctx context.Context, out chan<- prometheus.Metric, desc *prometheus.Desc, query string) error {
	rows, err := b.pool.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var label string
		var n int64
		if err := rows.Scan(&label, &n); err != nil {
			return err
		}
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), label)
	}
	return rows.Err()
}

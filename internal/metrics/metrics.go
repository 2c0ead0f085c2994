// Package metrics counts what an on-call person asks for first: are results coming in and paid,
// how late, what waits, and how the bookmaker and the database answer.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics is one process's set. Its methods are safe for concurrent use.
type Metrics struct {
	registry   *prometheus.Registry
	results    *prometheus.CounterVec
	sameTime   prometheus.Counter
	lag        prometheus.Histogram
	lagBelow   prometheus.Counter
	pushes     *prometheus.CounterVec
	pushHeads  prometheus.Counter
	pushTime   prometheus.Histogram
	placements *prometheus.CounterVec
	bookmaker  *prometheus.HistogramVec
	batchSize  prometheus.Histogram
	batchTime  prometheus.Histogram
	jobs       *prometheus.HistogramVec
	unknown    *prometheus.CounterVec
	requests   *prometheus.HistogramVec
	platforms  *prometheus.HistogramVec
	runs       *prometheus.CounterVec
	breaks     *prometheus.CounterVec
}

// New returns metrics with the process's and Go's own beside them.
func New(version, commit string) *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f := promauto.With(registry)
	f.NewGaugeVec(prometheus.GaugeOpts{Name: "evens_build_info", Help: "Always 1."}, []string{"version", "commit"}).
		WithLabelValues(version, commit).Set(1)
	return &Metrics{
		registry: registry,
		results: f.NewCounterVec(prometheus.CounterOpts{Name: "evens_results_total",
			Help: "Results worked off, by what became of them."}, []string{"outcome"}),
		sameTime: f.NewCounter(prometheus.CounterOpts{Name: "evens_results_same_time_total",
			Help: "Results that contradict another with the same DateRecive."}),
		lag: f.NewHistogram(prometheus.HistogramOpts{Name: "evens_settlement_lag_seconds",
			Help: "From a result's arrival to its commit.", Buckets: prometheus.ExponentialBuckets(0.01, 2, 16)}),
		lagBelow: f.NewCounter(prometheus.CounterOpts{Name: "evens_settlement_lag_below_zero_total",
			Help: "Results that were committed more than 2 s before they arrived: two processes differ about the time."}),
		pushes: f.NewCounterVec(prometheus.CounterOpts{Name: "evens_result_pushes_total",
			Help: "Result pushes received, by HTTP status answered."}, []string{"status"}),
		pushHeads: f.NewCounter(prometheus.CounterOpts{Name: "evens_result_heads_total",
			Help: "Heads in result pushes, duplicates included."}),
		pushTime: f.NewHistogram(prometheus.HistogramOpts{Name: "evens_result_push_seconds",
			Help: "Time to store and answer a result push.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}),
		placements: f.NewCounterVec(prometheus.CounterOpts{Name: "evens_bookmaker_calls_total",
			Help: "Calls to BeT, by call and outcome."}, []string{"call", "outcome"}),
		bookmaker: f.NewHistogramVec(prometheus.HistogramOpts{Name: "evens_bookmaker_seconds",
			Help: "Time of calls to BeT.", Buckets: prometheus.ExponentialBuckets(0.002, 2, 13)}, []string{"call"}),
		batchSize: f.NewHistogram(prometheus.HistogramOpts{Name: "evens_poster_batch_size",
			Help: "Works that shared a commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 10)}),
		batchTime: f.NewHistogram(prometheus.HistogramOpts{Name: "evens_poster_batch_seconds",
			Help: "Time of a shared commit.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15)}),
		jobs: f.NewHistogramVec(prometheus.HistogramOpts{Name: "evens_job_seconds",
			Help: "Time of jobs, by type and success.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15)}, []string{"type", "ok"}),
		unknown: f.NewCounterVec(prometheus.CounterOpts{Name: "evens_jobs_unknown_total",
			Help: "Jobs for rows that the database does not have, by type."}, []string{"type"}),
		requests: f.NewHistogramVec(prometheus.HistogramOpts{Name: "evens_http_request_seconds",
			Help: "Time of API requests, by route and status.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}, []string{"route", "status"}),
		runs: f.NewCounterVec(prometheus.CounterOpts{Name: "evens_reconciliations_total",
			Help: "Runs that held our books against a provider's list, by whether they were whole."}, []string{"provider", "ok"}),
		breaks: f.NewCounterVec(prometheus.CounterOpts{Name: "evens_breaks_seen_total",
			Help: "Differences that runs have seen, known ones included."}, []string{"provider", "kind"}),
		platforms: f.NewHistogramVec(prometheus.HistogramOpts{Name: "evens_platform_call_seconds",
			Help: "Time of game platforms' calls, by provider, route and what became of them.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 13)},
			[]string{"provider", "route", "code"}),
	}
}

// Handler serves the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Register adds a collector that is read at every scrape.
func (m *Metrics) Register(c prometheus.Collector) { m.registry.MustRegister(c) }

// Settled counts n results by outcome.
func (m *Metrics) Settled(outcome string, n int) { m.results.WithLabelValues(outcome).Add(float64(n)) }

// SameTime counts n contradicting results.
func (m *Metrics) SameTime(n int) { m.sameTime.Add(float64(n)) }

// maxLagSamples bounds what one push of thousands adds to the histogram's cost: beyond it, the
// rest counts as one more sample.
const maxLagSamples = 1000

// Lag records how long n results waited.
func (m *Metrics) Lag(received, committed time.Time, n int) {
	seconds := committed.Sub(received).Seconds()
	if seconds < -2 {
		m.lagBelow.Add(float64(n))
	}
	for range min(n, maxLagSamples) {
		m.lag.Observe(seconds)
	}
}

// Push records one result push.
func (m *Metrics) Push(status, heads int, took time.Duration) {
	m.pushes.WithLabelValues(strconv.Itoa(status)).Inc()
	m.pushHeads.Add(float64(heads))
	m.pushTime.Observe(took.Seconds())
}

// Bookmaker records one call to BeT.
func (m *Metrics) Bookmaker(call, outcome string, took time.Duration) {
	m.placements.WithLabelValues(call, outcome).Inc()
	m.bookmaker.WithLabelValues(call).Observe(took.Seconds())
}

// Batch records one shared commit.
func (m *Metrics) Batch(size int, took time.Duration) {
	m.batchSize.Observe(float64(size))
	m.batchTime.Observe(took.Seconds())
}

// Job records one run of a job.
func (m *Metrics) Job(kind string, ok bool, took time.Duration) {
	m.jobs.WithLabelValues(kind, strconv.FormatBool(ok)).Observe(took.Seconds())
}

// UnknownJob counts a job for a row that the database does not have.
func (m *Metrics) UnknownJob(kind string) { m.unknown.WithLabelValues(kind).Inc() }

// Request records one API request; route is the pattern, never the path.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Platform records one call of a game platform.
func (m *Metrics) Platform(provider, route, code string, took time.Duration) {
	m.platforms.WithLabelValues(provider, route, code).Observe(took.Seconds())
}

// Reconciled records a run (kind ""), or n breaks of a kind that it saw.
func (m *Metrics) Reconciled(provider string, ok bool, kind string, n int) {
	if kind == "" {
		m.runs.WithLabelValues(provider, strconv.FormatBool(ok)).Inc()
		return
	}
	m.breaks.WithLabelValues(provider, kind).Add(float64(n))
}

// Read adds a counter whose value is read at every scrape.
func (m *Metrics) Read(name, help string, value func() float64) {
	m.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value))
}

// Gauge adds a gauge whose value is read at every scrape.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Package callbacks keeps what providers sent us and what they were answered, for support.
package callbacks

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"evens/internal/postgres"
)

// Recorder writes records behind the callers' backs, many at a time. What it holds in memory is
// bounded, by number and by bytes: while the database is away the oldest wait, and what does not fit is
// counted and lost. The money's own record is the ledger. It is safe for concurrent use.
type Recorder struct {
	db      *postgres.DB
	queue   chan Record
	held    atomic.Int64 // bytes, in the queue and on their way into the database
	sources sources
	done    chan struct{}
	dropped atomic.Int64
	refused atomic.Int64
	once    sync.Once
	log     *slog.Logger
}

const (
	recordsWaiting = 8192
	bytesHeld      = 32 << 20
	recordsAtOnce  = 1000
	bytesAtOnce    = 4 << 20
	recordTimeout  = 10 * time.Second
	recordPause    = 500 * time.Millisecond
	recordTries    = 20
	// recordDelay lets records gather: one statement for many costs the database less.
	recordDelay = 20 * time.Millisecond
)

// NewRecorder starts writing. Close writes what is left and ends.
func NewRecorder(db *postgres.DB, log *slog.Logger) *Recorder {
	r := &Recorder{
		db: db, queue: make(chan Record, recordsWaiting), sources: sources{now: time.Now}, done: make(chan struct{}), log: log,
	}
	go r.run()
	return r
}

// Keep hands over a record, and reports whether it is kept. It never blocks. Of those that are Unproven one
// source has few kept; the others are counted.
func (r *Recorder) Keep(record Record) bool {
	if record.Unproven && !r.sources.few(record.Source) {
		r.refused.Add(1)
		return false
	}
	record = record.reduced()
	size := record.size()
	if r.held.Add(size) > bytesHeld {
		r.drop(record)
		return false
	}
	select {
	case r.queue <- record:
		return true
	default:
		r.drop(record)
		return false
	}
}

func (r *Recorder) drop(record Record) {
	r.held.Add(-record.size())
	r.dropped.Add(1)
}

// Refuse counts a call from an address that may not call, of which nothing else is kept. It reports whether
// the call is worth a line in the log: the first of a source are.
func (r *Recorder) Refuse(address string) bool {
	r.refused.Add(1)
	return r.sources.few(address)
}

// Dropped is how many records were lost since the start.
func (r *Recorder) Dropped() int64 { return r.dropped.Load() }

// Refused is how many calls since the start were counted only: from addresses that may not call, or of
// a source that had sent too many without a signature that fits.
func (r *Recorder) Refused() int64 { return r.refused.Load() }

// Close writes what is left. Nothing may be kept afterwards.
func (r *Recorder) Close() {
	r.once.Do(func() { close(r.queue) })
	<-r.done
}

func (r *Recorder) run() {
	defer close(r.done)
	records := make([]Record, 0, recordsAtOnce)
	for first := range r.queue {
		records = r.gather(append(records[:0], first))
		r.write(records)
		for _, record := range records {
			r.held.Add(-record.size())
		}
		clear(records) // their bodies are not needed any more
	}
}

// gather takes what comes within a moment, up to a full statement.
func (r *Recorder) gather(records []Record) []Record {
	timer := time.NewTimer(recordDelay)
	defer timer.Stop()
	for size := records[0].size(); len(records) < recordsAtOnce && size < bytesAtOnce; {
		select {
		case record, open := <-r.queue:
			if !open {
				return records
			}
			records = append(records, record)
			size += record.size()
		case <-timer.C:
			return records
		}
	}
	return records
}

// write inserts records together. Those that fail for one record's sake are halved until it stands
// alone; a database that is not there is tried again.
func (r *Recorder) write(records []Record) {
	err := r.insertPatiently(records)
	switch {
	case err == nil:
	case len(records) == 1 || postgres.Unavailable(err) && !postgres.OfOneWork(err):
		r.dropped.Add(int64(len(records)))
		r.log.Error("callbacks not kept", "count", len(records), "first", records[0].ID, "error", err)
	default:
		half := len(records) / 2
		r.write(records[:half])
		r.write(records[half:])
	}
}

func (r *Recorder) insertPatiently(records []Record) (err error) {
	for try := range recordTries {
		if try > 0 {
			time.Sleep(recordPause)
		}
		ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
		err = r.insert(ctx, records)
		cancel()
		if !postgres.Unavailable(err) || postgres.OfOneWork(err) && len(records) > 1 {
			return err
		}
	}
	return err
}

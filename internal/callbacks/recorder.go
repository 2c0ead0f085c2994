// Package callbacks keeps what providers sent us and what they were answered, for support.
package callbacks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
)

// Record is one callback as it is kept for support: what came, what was answered, and what it did.
type Record struct {
	ID          uuid.UUID
	At          time.Time
	Provider    string
	Path        string // the route, without a secret in it
	Source      string
	Headers     map[string]string
	Body        []byte
	Plain       []byte // decrypted, where Body is not
	Status      int
	Answer      []byte
	Code        string
	Took        time.Duration
	Player      uuid.NullUUID
	Transaction uuid.NullUUID
}

// Recorder writes records behind the callers' backs, many at a time. What it holds in memory is
// bounded: while the database is away the oldest wait, and what does not fit is counted and lost.
// The money's own record is the ledger. It is safe for concurrent use.
type Recorder struct {
	db      *postgres.DB
	queue   chan Record
	done    chan struct{}
	dropped atomic.Int64
	once    sync.Once
	log     *slog.Logger
}

const (
	recordsWaiting = 8192
	recordsAtOnce  = 1000
	recordTimeout  = 10 * time.Second
	recordPause    = 500 * time.Millisecond
	recordTries    = 20
	// recordDelay lets records gather: one statement for many costs the database less.
	recordDelay = 20 * time.Millisecond
)

// NewRecorder starts writing. Close writes what is left and ends.
func NewRecorder(db *postgres.DB, log *slog.Logger) *Recorder {
	r := &Recorder{db: db, queue: make(chan Record, recordsWaiting), done: make(chan struct{}), log: log}
	go r.run()
	return r
}

// Keep hands over a record. It never blocks.
func (r *Recorder) Keep(record Record) {
	select {
	case r.queue <- record:
	default:
		r.dropped.Add(1)
	}
}

// Dropped is how many records were lost since the start.
func (r *Recorder) Dropped() int64 { return r.dropped.Load() }

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
	}
}

func (r *Recorder) gather(records []Record) []Record {
	timer := time.NewTimer(recordDelay)
	defer timer.Stop()
	for len(records) < recordsAtOnce {
		select {
		case record, open := <-r.queue:
			if !open {
				return records
			}
			records = append(records, record)
		case <-timer.C:
			return records
		}
	}
	return records
}

func (r *Recorder) write(records []Record) {
	for try := range recordTries {
		ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
		err := r.insert(ctx, records)
		cancel()
		if err == nil {
			return
		}
		if !postgres.Unavailable(err) || try == recordTries-1 {
			r.dropped.Add(int64(len(records)))
			r.log.Error("callbacks not kept", "count", len(records), "error", err)
			return
		}
		time.Sleep(recordPause)
	}
}

const insertRecords = `
	INSERT INTO callbacks (id, at, provider, path, source, headers, body, plain, status, answer, code, took_us, player_id, transaction_id)
	SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[], $8::bytea[],
	       $9::smallint[], $10::bytea[], $11::text[], $12::bigint[], $13::uuid[], $14::uuid[])`

func (r *Recorder) insert(ctx context.Context, records []Record) error {
	n := len(records)
	ids, at, took := make([]pgtype.UUID, n), make([]time.Time, n), make([]int64, n)
	providers, paths, sources, codes := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	headers, bodies, plain, answers := make([][]byte, n), make([][]byte, n), make([][]byte, n), make([][]byte, n)
	statuses := make([]int16, n)
	players, transactions := make([]pgtype.UUID, n), make([]pgtype.UUID, n)
	for i, record := range records {
		ids[i], at[i], took[i] = postgres.UUID(record.ID), record.At, record.Took.Microseconds()
		providers[i], paths[i], sources[i], codes[i] = record.Provider, record.Path, record.Source, record.Code
		bodies[i], plain[i], answers[i] = record.Body, record.Plain, record.Answer
		if bodies[i] == nil {
			bodies[i] = []byte{}
		}
		if len(record.Headers) > 0 {
			var err error
			if headers[i], err = json.Marshal(record.Headers); err != nil {
				return fmt.Errorf("headers of a callback: %w", err)
			}
			headers[i] = bytes.ReplaceAll(headers[i], []byte(`\u0000`), nil) // no jsonb holds it
		}
		statuses[i] = int16(record.Status)
		players[i] = postgres.NullUUID(record.Player)
		transactions[i] = postgres.NullUUID(record.Transaction)
	}
	_, err := r.db.Pool.Exec(ctx, insertRecords, postgres.Array(ids), at, providers, paths, sources, postgres.Array(headers),
		postgres.Array(bodies), postgres.Array(plain), statuses, postgres.Array(answers), codes, took, postgres.Array(players), postgres.Array(transactions))
	return err
}

// ErrUnknown says that a callback is not known, or not kept any more.
var ErrUnknown = errors.New("no such callback")

const readRecord = `
	SELECT id, at, provider, path, source, coalesce(headers, '{}'), body, plain, status, answer, coalesce(code, ''), coalesce(took_us, 0),
	       player_id, transaction_id
	  FROM callbacks WHERE id = $1`

// Read returns a callback as it was kept, or ErrUnknown.
func Read(ctx context.Context, db *postgres.DB, id uuid.UUID) (Record, error) {
	var record Record
	var status int16
	var micros int64
	err := db.Pool.QueryRow(ctx, readRecord, id).Scan(&record.ID, &record.At, &record.Provider, &record.Path, &record.Source,
		&record.Headers, &record.Body, &record.Plain, &status, &record.Answer, &record.Code, &micros, &record.Player, &record.Transaction)
	if errors.Is(err, pgx.ErrNoRows) {
		return Record{}, ErrUnknown
	}
	if err != nil {
		return Record{}, fmt.Errorf("read callback: %w", err)
	}
	record.At, record.Status, record.Took = record.At.UTC(), int(status), time.Duration(micros)*time.Microsecond
	return record, nil
}

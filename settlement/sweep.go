package settlement

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/postgres"
)

// A chunk whose job was asked for a while ago and is not done: ask again, under the next number. When a
// chunk was rung for is written and judged by the database's clock alone, everywhere.
// Index: result_chunks_open.
const ringAgain = `
	UPDATE result_chunks SET rung = rung + 1, rung_at = now()
	 WHERE id IN (SELECT id FROM result_chunks
	               WHERE done_at IS NULL AND rung_at < now() - $1::interval
	               ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
	RETURNING id, rung`

// Results whose BarCode has become known since. Indexes: results_attention, coupons_bookmaker_code.
const adoptKnown = `
	WITH known AS (
	    SELECT r.id, (row_number() OVER (ORDER BY r.id) - 1) / $1::integer AS chunk
	      FROM results r JOIN coupons c ON c.bet_code = r.bar_code AND c.provider = r.provider
	     WHERE r.attention = '` + attentionUnknown + `' AND r.state = 'pending'
	)
	INSERT INTO result_chunks (result_ids, rung_at)
	SELECT array_agg(id ORDER BY id), now() FROM known GROUP BY chunk
	RETURNING id, rung`

// SweepPatience is how long a chunk may be under way before the sweep rings for it again.
const SweepPatience = 10 * time.Second

const sweepBatch = 2000

// Sweep finds results that no job is coming for and rings for them: whatever the queue forgot,
// the tables know. It answers how many chunks it rang for.
func (s *Settler) Sweep(ctx context.Context) (int, error) {
	rung := 0
	for {
		chunks, err := s.queryChunks(ctx, ringAgain, SweepPatience, sweepBatch)
		if err != nil {
			return rung, fmt.Errorf("sweep results: %w", err)
		}
		s.bell.Ring(chunks)
		rung += len(chunks)
		if len(chunks) < sweepBatch {
			break
		}
	}
	adopted, err := s.queryChunks(ctx, adoptKnown, ChunkSize)
	if err != nil {
		return rung, fmt.Errorf("sweep results of unknown coupons: %w", err)
	}
	s.bell.Ring(adopted)
	return rung + len(adopted), nil
}

func (s *Settler) queryChunks(ctx context.Context, query string, args ...any) ([]Chunk, error) {
	rows, err := s.db.Pool.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Chunk, error) {
		var chunk Chunk
		err := row.Scan(&chunk.ID, &chunk.Rung)
		return chunk, err
	})
}

// Results of coupons just accepted that came before the placement's answer did.
// Index: results_once.
const adoptEarly = `
	WITH early AS (
	    SELECT r.id, (row_number() OVER (ORDER BY r.id) - 1) / $1::integer AS chunk
	      FROM unnest($2::text[], $3::text[]) k (code, provider)
	      JOIN results r ON r.bar_code = k.code AND r.provider = k.provider AND r.state = 'pending'
	)
	INSERT INTO result_chunks (result_ids, rung_at)
	SELECT array_agg(id ORDER BY id), now() FROM early GROUP BY chunk
	RETURNING id, rung`

// Greeter looks for results that overtook their placement's answer, for many new coupons at
// once. What it misses, the sweep finds.
type Greeter struct {
	settler *Settler
	codes   chan placed
	end     chan struct{}
	wg      sync.WaitGroup
	log     *slog.Logger
}

// placed is a new coupon's bet code, and whose it is.
type placed struct{ provider, code string }

const (
	greetPause = 50 * time.Millisecond
	greetBatch = 1000
)

// NewGreeter starts a greeter; Close ends it.
func NewGreeter(settler *Settler, log *slog.Logger) *Greeter {
	g := &Greeter{settler: settler, codes: make(chan placed, 4*greetBatch), end: make(chan struct{}), log: log}
	g.wg.Go(g.run)
	return g
}

// Accepted is told a new coupon's bet code, and whose it is. It never blocks.
func (g *Greeter) Accepted(provider, betCode string) {
	select {
	case g.codes <- placed{provider, betCode}:
	default: // full: the sweep finds it
	}
}

// Close ends the greeter.
func (g *Greeter) Close() {
	close(g.end)
	g.wg.Wait()
}

func (g *Greeter) run() {
	codes := make([]placed, 0, greetBatch)
	tick := time.NewTicker(greetPause)
	defer tick.Stop()
	for {
		select {
		case code := <-g.codes:
			if codes = append(codes, code); len(codes) < greetBatch {
				continue
			}
		case <-tick.C:
			if len(codes) == 0 {
				continue
			}
		case <-g.end:
			return
		}
		g.greet(codes)
		codes = codes[:0]
	}
}

func (g *Greeter) greet(coupons []placed) {
	codes, providers := make([]string, len(coupons)), make([]string, len(coupons))
	for i, c := range coupons {
		codes[i], providers[i] = c.code, c.provider
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	rows, err := g.settler.db.Hot.Query(ctx, adoptEarly, ChunkSize, codes, providers)
	if err == nil {
		var chunks []Chunk
		chunks, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Chunk])
		if len(chunks) > 0 {
			g.settler.bell.Ring(chunks)
		}
	}
	if err != nil && !postgres.Unavailable(err) {
		g.log.Error("look for early results", "coupons", len(codes), "error", err)
	}
}

package callbacks

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
)

// A record that is there already stays: an insert whose answer was lost is repeated.
const insertRecords = `
	INSERT INTO callbacks (id, at, provider, path, source, headers, body, plain, status, answer, code, took_us, player_id, transaction_id)
	SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[], $8::bytea[],
	       $9::smallint[], $10::bytea[], $11::text[], $12::bigint[], $13::uuid[], $14::uuid[])
	    ON CONFLICT DO NOTHING`

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
		}
		statuses[i] = int16(record.Status)
		players[i] = postgres.NullUUID(record.Player)
		transactions[i] = postgres.NullUUID(record.Transaction)
	}
	_, err := r.db.Pool.Exec(ctx, insertRecords, postgres.Array(ids), at, providers, paths, sources, postgres.Array(headers),
		postgres.Array(bodies), postgres.Array(plain), statuses, postgres.Array(answers), codes, took, postgres.Array(players), postgres.Array(transactions))
	return err
}

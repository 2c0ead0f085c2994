package explain

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
)

// shownBody is how much of an answer a story shows; the table has more.
const shownBody = 500

// Index: coupon_answers_pkey.
const readKeptAnswer = `
	SELECT at, coalesce(bet_code, ''), http_status, reason, body, asked, coalesce(told, ''), told_at
	  FROM coupon_answers WHERE coupon_id = $1 AND at <= $2`

// keptAnswer is BeT's answer to a placement where it could not be taken, and what BeT said about its
// bet code since.
func keptAnswer(ctx context.Context, tx pgx.Tx, coupon uuid.UUID, until time.Time) ([]Step, error) {
	rows, err := tx.Query(ctx, readKeptAnswer, coupon, until)
	if err != nil {
		return nil, fmt.Errorf("read the kept answer: %w", err)
	}
	var steps []Step
	var at time.Time
	var code, reason, told string
	var status, asked int
	var body []byte
	var toldAt pgtype.Timestamptz
	_, err = pgx.ForEachRow(rows, []any{&at, &code, &status, &reason, &body, &asked, &told, &toldAt}, func() error {
		steps = append(steps, Step{
			At: at.UTC(), What: "BeT's answer cannot be taken", Why: reason,
			Message: fmt.Sprintf("HTTP %d: %q", status, body[:min(len(body), shownBody)]),
		})
		if code != "" {
			steps[0].What += ": it names the bet code " + code + ", so the stake stays until BeT or a person says what became of it"
		}
		if toldAt.Valid && !toldAt.Time.After(until) {
			steps = append(steps, Step{At: postgres.Time(toldAt), What: fmt.Sprintf("BeT was asked about %s %d times", code, asked), Why: told})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the kept answer: %w", err)
	}
	return steps, nil
}

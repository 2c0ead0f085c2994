package wallet

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/internal/postgres"
)

// Events that the rules of a player's money leave in the activity log.
const (
	EventLimitExceeded = "limit_exceeded"
	EventLimitsChanged = "limits_changed"
	eventBonus         = "bonus_" // with the bonus's status
)

// event is a line for the activity log.
type event struct {
	at       time.Time
	name     string
	player   uuid.UUID
	operator string
	comment  string
	detail   map[string]string
	// stays: it is written though the work that caused it is refused.
	stays bool
}

// eventLog gathers a batch's events.
type eventLog []event

// undo drops the events told since, but for those that stay.
func (l *eventLog) undo(since int) {
	kept := (*l)[:since]
	for _, e := range (*l)[since:] {
		if e.stays {
			kept = append(kept, e)
		}
	}
	*l = kept
}

// tell adds a line to the activity log.
func (b *Batch) tell(e event, stays bool) {
	e.stays = stays
	b.events = append(b.events, e)
}

func limitExceeded(player uuid.UUID, provider, reference string, e *LimitError, at time.Time) event {
	return event{at: at, name: EventLimitExceeded, player: player, comment: e.Error(), detail: map[string]string{
		"measure": e.Measure.String(), "period": e.Period.String(), "limit": e.Limit.String(), "used": e.Used.String(), "asked": e.Asked.String(),
		"provider": provider, "reference": reference,
	}}
}

func bonusEvent(bonus *Bonus, operator, comment string, at time.Time) event {
	return event{at: at, name: eventBonus + string(bonus.Status), player: bonus.Player, operator: operator, comment: comment, detail: map[string]string{
		"bonus": bonus.ID.String(), "campaign": bonus.Campaign, "granted": bonus.Granted.String(), "required": bonus.Required.String(),
		"wagered": bonus.Wagered.String(), "converted": bonus.Converted.String(),
	}}
}

const insertEvents = `
	INSERT INTO activity_log (at, event, operator, player_id, comment, detail)
	SELECT * FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::jsonb[])`

func (l eventLog) queue(batch *pgx.Batch) {
	n := len(l)
	if n == 0 {
		return
	}
	at, names, operators, comments := make([]time.Time, n), make([]string, n), make([]string, n), make([]string, n)
	players, details := make([]pgtype.UUID, n), make([][]byte, n)
	for i, e := range l {
		at[i], names[i], operators[i], comments[i], players[i] = e.at, e.name, e.operator, e.comment, postgres.UUID(e.player)
		details[i], _ = json.Marshal(e.detail) // texts: nothing to refuse
	}
	batch.Queue(insertEvents, at, names, operators, postgres.Array(players), comments, details)
}

package settlement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/coupon/bet"
	"evens/ledger"
)

// What results say, beside the push that brought them. A Head that could not be read is its text, and a push that
// is no longer kept, or was kept as part only, says nothing. Indexes: callbacks' primary key.
const readMessages = `
	SELECT c.id, c.body, r.ids, r.codes, r.decided, r.statuses, r.ext_statuses, r.amounts, r.providers
	  FROM (SELECT callback_id, array_agg(id) AS ids, array_agg(bar_code) AS codes, array_agg(decided_at) AS decided,
	               array_agg(status) AS statuses, array_agg(ext_status) AS ext_statuses, array_agg(amount_out) AS amounts,
	               array_agg(provider) AS providers
	          FROM results WHERE raw IS NULL GROUP BY callback_id) r
	  JOIN callbacks c ON c.id = r.callback_id
	 WHERE c.provider = '` + bet.Provider + `' AND c.status = 200`

// AuditMessages holds results against the bodies that brought them, as long as those are kept: their BarCodes,
// times of decision and words are those that came in. One body at a time is read. A body that an earlier release
// read otherwise (it has a Head that is unreadable today) is left out.
func AuditMessages(ctx context.Context, tx pgx.Tx, report *ledger.Report) error {
	result := ledger.CheckResult{Name: "every result says what the message that brought it says"}
	rows, err := tx.Query(ctx, readMessages)
	if err != nil {
		return fmt.Errorf("audit messages: %w", err)
	}
	var callback uuid.UUID
	var body []byte
	var ids []int64
	var c kept
	_, err = pgx.ForEachRow(rows, []any{&callback, &body, &ids, &c.codes, &c.decided, &c.statuses, &c.extStatuses, &c.amounts, &c.providers}, func() error {
		heads, err := ParsePush(body)
		if err != nil || slices.ContainsFunc(heads, func(h Head) bool { return h.Fault != "" }) {
			return nil // it was read by other rules
		}
		came := make(map[saying]bool, len(heads))
		for _, head := range heads {
			came[sayingOf(head)] = true
		}
		for i, id := range ids {
			if said := c.at(i); !came[said] || c.providers[i] != bet.Provider {
				result.Found(ledger.Violation{
					Subject: fmt.Sprint(id),
					Detail: fmt.Sprintf("%s's %s %d/%d, decided at %s, is not in callback %s", c.providers[i], said.code, said.status, said.extStatus,
						c.decided[i], callback),
				})
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("audit messages: %w", err)
	}
	report.Conclude(result)
	return nil
}

// saying is a Head as one that can be compared; at counts microseconds, as the database keeps times.
type saying struct {
	code              string
	at                int64
	status, extStatus int32
	amount            int64
	hasAmount         bool
}

func sayingOf(h Head) saying {
	said := saying{code: h.BarCode, at: micros(h.DecidedAt), status: int32(h.Status), extStatus: int32(h.ExtStatus), hasAmount: h.HasAmount}
	if h.HasAmount {
		said.amount = int64(h.AmountOut)
	}
	return said
}

// micros rounds as the driver does.
func micros(at time.Time) int64 { return at.Unix()*1e6 + int64(at.Nanosecond())/1e3 }

// kept are the results of one push.
type kept struct {
	codes, providers      []string
	decided               []time.Time
	statuses, extStatuses []int32
	amounts               []*int64
}

func (k *kept) at(i int) saying {
	said := saying{code: k.codes[i], at: micros(k.decided[i]), status: k.statuses[i], extStatus: k.extStatuses[i]}
	if k.amounts[i] != nil {
		said.amount, said.hasAmount = *k.amounts[i], true
	}
	return said
}

package coupon

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"evens/coupon/bet"
	"evens/internal/dbclock"
	"evens/internal/postgres"
	"evens/money"
)

// difference is a part of BeT's answer that is not what was sent.
type difference struct{ field, sent, told string }

// roundedCoef is by how much a coefficient of BeT's may differ: it writes products with two decimals, as in its
// own example (4.82 × 2.55 = 12.29).
const roundedCoef = money.One / 100

// compare holds the parts of an acceptance that repeat what was sent against it: the stake, the number of
// selections, the coefficient before any change. What BeT does not tell is no difference. c is as it was sent.
func (c *Coupon) compare(answer bet.Answer) []difference {
	var found []difference
	differ := func(field, sent, told string) { found = append(found, difference{field, sent, told}) }
	if answer.Stake != 0 && answer.Stake != c.sent {
		differ("Bet", c.sent.String(), answer.Stake.String())
	}
	if answer.Events != 0 && answer.Events != len(c.Selections) {
		differ("CountEvents", strconv.Itoa(len(c.Selections)), strconv.Itoa(answer.Events))
	}
	if answer.CoefOrig != 0 && !nearCoef(answer.CoefOrig, c.Coef) {
		differ("CoefOrig", c.Coef.String(), answer.CoefOrig.String())
	}
	return found
}

func nearCoef(a, b money.Coef) bool { return a-b < roundedCoef && b-a < roundedCoef }

// One break a coupon, whatever the number of its differences: a person's. It is no statement's. Index: breaks_once.
const insertDifferences = `
	WITH found AS (
	    INSERT INTO breaks (id, provider, kind, transaction_id, player, currency, amount, ours, theirs, action, at, first_seen, last_seen, statement_id)
	    SELECT u.id, u.provider, 'terms', u.code, coalesce(p.external_id, ''), u.currency, u.amount, u.ours, u.theirs, 'person', u.at, u.at, u.at,
	           '00000000-0000-0000-0000-000000000000'
	      FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bigint[], $6::jsonb[], $7::jsonb[], $8::timestamptz[], $9::text[])
	           u (id, code, player, currency, amount, ours, theirs, at, provider)
	      LEFT JOIN players p ON p.id = u.player
	        ON CONFLICT ON CONSTRAINT breaks_once DO NOTHING
	    RETURNING id, at
	)
	INSERT INTO break_events (break_id, at, event) SELECT id, at, 'opened' FROM found`

// queueDifferences writes a break for each coupon that BeT took on other terms than were sent.
func queueDifferences(batch *pgx.Batch, coupons []*Coupon) {
	var ids, players []pgtype.UUID
	var codes, currencies, providers []string
	var amounts []int64
	var ours, theirs [][]byte
	var at []time.Time
	for _, c := range coupons {
		if c.Status != Accepted || len(c.differences) == 0 {
			continue
		}
		sent, told := map[string]string{"coupon_id": c.ID.String()}, map[string]string{}
		for _, d := range c.differences {
			sent[d.field], told[d.field] = d.sent, d.told
		}
		sentText, _ := json.Marshal(sent) // plain texts: nothing to refuse
		toldText, _ := json.Marshal(told)
		ids, players = append(ids, postgres.UUID(dbclock.NewID())), append(players, postgres.UUID(c.Player))
		codes, currencies = append(codes, c.BetCode), append(currencies, string(c.Currency))
		amounts, at = append(amounts, int64(c.Stake)), append(at, c.PlacedAt)
		ours, theirs = append(ours, sentText), append(theirs, toldText)
		providers = append(providers, c.Provider)
	}
	if len(ids) > 0 {
		batch.Queue(insertDifferences, postgres.Array(ids), codes, postgres.Array(players), currencies, amounts,
			postgres.Array(ours), postgres.Array(theirs), at, providers)
	}
}

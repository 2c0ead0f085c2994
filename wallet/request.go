package wallet

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"evens/ledger"
)

// Request is a caller's Idempotency-Key: the same key with the same content is answered as it
// was at first, with other content it is refused. The zero value stands for no key.
type Request struct {
	Scope string // who asks, and for what: keys of different callers never meet
	// Earlier are scopes under which earlier releases may have kept the key.
	Earlier []string
	Key     string      // as the caller sent it
	Hash    ledger.Hash // of the content
}

// Answer is what a request was first answered with.
type Answer struct {
	Hash   ledger.Hash
	Coupon uuid.NullUUID
	Status int    // HTTP status; 0: the coupon tells
	Body   []byte // JSON; nil: the coupon tells
}

// ErrRequestConflict says that the Idempotency-Key was used before with another content.
var ErrRequestConflict = errors.New("the Idempotency-Key was used before with another content")

type requestID struct{ scope, key string }

// requestBook is the part of the requests table that a batch has read, with what it adds.
type requestBook struct {
	known map[requestID]*Answer
	added []addedRequest
}

type addedRequest struct {
	requestID
	*Answer
	at time.Time
}

// Index: requests_pkey.
const readRequests = `
	SELECT r.scope, r.key, r.hash, r.coupon_id, coalesce(r.status, 0), r.answer
	  FROM unnest($1::text[], $2::text[]) k (scope, key)
	  JOIN requests r ON r.scope = k.scope AND r.key = k.key`

// queueRequests asks for the answers given before to the requests of a batch.
func (b *Batch) queueRequests(statements *pgx.Batch, requests []Request) {
	b.requests.known = make(map[requestID]*Answer, len(requests))
	var scopes, keys []string
	for _, request := range requests {
		if request.Key != "" {
			for _, scope := range request.scopes() {
				scopes, keys = append(scopes, scope), append(keys, request.Key)
			}
		}
	}
	if len(keys) > 0 {
		statements.Queue(readRequests, scopes, keys).Query(b.requests.scan)
	}
}

func (r *requestBook) scan(rows pgx.Rows) error {
	for rows.Next() {
		var id requestID
		var hash []byte
		answer := &Answer{}
		if err := rows.Scan(&id.scope, &id.key, &hash, &answer.Coupon, &answer.Status, &answer.Body); err != nil {
			return err
		}
		copy(answer.Hash[:], hash)
		r.known[id] = answer
	}
	return rows.Err()
}

func (r Request) scopes() []string { return append([]string{r.Scope}, r.Earlier...) }

// Answered returns what the request was first answered with, nil when it is new, or
// ErrRequestConflict when its key stands for another content.
func (b *Batch) Answered(request Request) (*Answer, error) {
	if request.Key == "" {
		return nil, nil
	}
	var answer *Answer
	for _, scope := range request.scopes() {
		if answer = b.requests.known[requestID{scope, request.Key}]; answer != nil {
			break
		}
	}
	if answer != nil && answer.Hash != request.Hash {
		return nil, ErrRequestConflict
	}
	return answer, nil
}

// Remember keeps the answer to a new request in the same commit. A request without a key is
// not kept.
func (b *Batch) Remember(request Request, answer Answer, at time.Time) {
	if request.Key == "" {
		return
	}
	answer.Hash = request.Hash
	id := requestID{request.Scope, request.Key}
	b.requests.known[id] = &answer
	b.requests.added = append(b.requests.added, addedRequest{requestID: id, Answer: &answer, at: at})
}

// kept are the refusals that an Idempotency-Key is answered with again, and what stands for each.
var kept = map[int]error{
	http.StatusPaymentRequired: ErrInsufficientFunds,
	http.StatusForbidden:       ErrLimitExceeded,
	http.StatusLocked:          ErrExcluded,
}

// Refusal is what a request was refused with; nil where it was not.
func (a *Answer) Refusal() error { return kept[a.Status] }

// RememberRefusal keeps a refusal by rule in the same commit: the same key is refused again. It
// reports whether the refusal is of that kind, and the request has a key.
func (b *Batch) RememberRefusal(request Request, refusal error, at time.Time) bool {
	for status, rule := range kept {
		if errors.Is(refusal, rule) && request.Key != "" {
			b.Remember(request, Answer{Status: status}, at)
			return true
		}
	}
	return false
}

const insertRequests = `
	INSERT INTO requests (scope, key, hash, coupon_id, status, answer, at)
	SELECT scope, key, hash, coupon_id, nullif(status, 0), answer, at
	  FROM unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[], $5::smallint[], $6::jsonb[], $7::timestamptz[])
	       u (scope, key, hash, coupon_id, status, answer, at)`

func (r *requestBook) queue(batch *pgx.Batch) {
	n := len(r.added)
	if n == 0 {
		return
	}
	slices.SortFunc(r.added, func(a, b addedRequest) int {
		if order := strings.Compare(a.scope, b.scope); order != 0 {
			return order
		}
		return strings.Compare(a.key, b.key)
	})
	scopes, keys, hashes := make([]string, n), make([]string, n), make([][]byte, n)
	coupons, statuses := make([]uuid.NullUUID, n), make([]int16, n)
	answers, at := make([][]byte, n), make([]time.Time, n)
	for i, request := range r.added {
		scopes[i], keys[i], hashes[i] = request.scope, request.key, request.Hash[:]
		coupons[i], statuses[i] = request.Coupon, int16(request.Status)
		answers[i], at[i] = request.Body, request.at
	}
	batch.Queue(insertRequests, scopes, keys, hashes, coupons, statuses, answers, at)
}

package wallet

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// Answered returns what a request was first answered with, nil when it is new, or ErrRequestConflict
// when its key stands for another content. It locks nothing: it is for requests that today's rules
// would refuse, and yesterday's took.
func (p *Poster) Answered(ctx context.Context, request Request) (*Answer, error) {
	if request.Key == "" {
		return nil, nil
	}
	scopes := request.scopes()
	rows, err := p.books.db.Pool.Query(ctx, readRequests, scopes, slices.Repeat([]string{request.Key}, len(scopes)))
	if err != nil {
		return nil, fmt.Errorf("read the first answer: %w", err)
	}
	defer rows.Close()
	batch := Batch{}
	batch.requests.known = make(map[requestID]*Answer, len(scopes))
	if err := batch.requests.scan(rows); err != nil {
		return nil, fmt.Errorf("read the first answer: %w", err)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the first answer: %w", err)
	}
	return batch.Answered(request)
}

// Balance is what a deposit or a withdrawal was answered with; an error where that was a refusal.
func (a *Answer) Balance() (Balance, error) {
	var balance Balance
	return balance, a.read(&balance)
}

// Bonus is what granting a bonus was answered with.
func (a *Answer) Bonus() (BonusView, error) {
	var view BonusView
	return view, a.read(&view)
}

func (a *Answer) read(into any) error {
	if a.Body == nil {
		return a.Refusal()
	}
	if err := json.Unmarshal(a.Body, into); err != nil { // our own writing
		return fmt.Errorf("read the first answer: %w", err)
	}
	return nil
}

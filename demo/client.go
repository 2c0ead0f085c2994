package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// client calls /v1 with an API key.
type client struct {
	base string
	key  string
	http *http.Client
}

func newClient(base, key string) *client {
	return &client{base: base, key: key, http: &http.Client{Timeout: 30 * time.Second}}
}

type player struct {
	ID         string `json:"id"`
	ExternalID string `json:"external_id"`
	Name       string `json:"name"`
}

type wallet struct {
	Cash     string `json:"cash"`
	Total    string `json:"total"`
	Currency string `json:"currency"`
}

type coupon struct {
	ID      string `json:"id"`
	Player  string `json:"player_id"`
	Status  string `json:"status"`
	Stake   string `json:"stake"`
	Coef    string `json:"coef"`
	Payout  string `json:"payout"`
	BetCode string `json:"bet_code"`
	Error   *struct {
		Code string `json:"code"`
	} `json:"error"`
}

// call sends body as JSON and reads the answer into out, unless that is nil. key is the
// Idempotency-Key, "" for none.
func (c *client) call(ctx context.Context, method, path, key string, body, out any) error {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(data)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 8<<20))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return &refusal{status: response.StatusCode, body: data}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// refusal is an answer outside 2xx.
type refusal struct {
	status int
	body   []byte
}

func (r *refusal) Error() string { return fmt.Sprintf("HTTP %d: %s", r.status, r.body) }

func (r *refusal) code() string {
	var problem struct{ Code string }
	if json.Unmarshal(r.body, &problem) != nil {
		return ""
	}
	return problem.Code
}

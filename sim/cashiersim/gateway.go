package cashiersim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Notice is what a callback says of one payment.
type Notice struct {
	TransactionID string `json:"transaction_id"`
	Player        string `json:"player_id"`
	Type          string `json:"type"` // deposit or withdrawal
	Method        string `json:"method"`
	Amount        string `json:"amount"` // in major units
	Currency      string `json:"currency"`
	Status        string `json:"status"`
}

// With is the notice with another status.
func (n Notice) With(status string) Notice {
	n.Status = status
	return n
}

// Answer is what a callback was answered with.
type Answer struct {
	Status int    `json:"-"`
	State  string `json:"state"` // where it was taken
	Code   string `json:"code"`  // where it was not
}

// Gateway sends callbacks. It is safe for concurrent use.
type Gateway struct {
	URL    string
	Secret string
	Client *http.Client // http.DefaultClient when nil
	Now    func() time.Time
}

// Sign is the header X-Signature of a body at a time.
func Sign(secret string, body []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// Tell sends one notice once.
func (g *Gateway) Tell(ctx context.Context, n Notice) (Answer, error) {
	body, err := json.Marshal(n)
	if err != nil {
		return Answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Signature", Sign(g.Secret, body, g.Now()))
	client := g.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("tell of %s: %w", n.TransactionID, err)
	}
	defer response.Body.Close()
	const longest = 64 << 10
	text, err := io.ReadAll(io.LimitReader(response.Body, longest))
	if err != nil {
		return Answer{}, fmt.Errorf("tell of %s: %w", n.TransactionID, err)
	}
	answer := Answer{}
	if err := json.Unmarshal(text, &answer); err != nil {
		return Answer{}, fmt.Errorf("tell of %s: %w", n.TransactionID, err)
	}
	answer.Status = response.StatusCode
	return answer, nil
}

// Orders are all the orders of a few notices.
func Orders(notices []Notice) [][]Notice {
	if len(notices) < 2 {
		return [][]Notice{slices.Clone(notices)}
	}
	var orders [][]Notice
	for i := range notices {
		rest := slices.Delete(slices.Clone(notices), i, i+1)
		for _, order := range Orders(rest) {
			orders = append(orders, append([]Notice{notices[i]}, order...))
		}
	}
	return orders
}

// Mixed is the notices in another order, some of them more than once.
func Mixed(random *rand.Rand, notices []Notice) []Notice {
	mixed := slices.Clone(notices)
	for _, n := range notices {
		if random.IntN(3) == 0 {
			mixed = append(mixed, n)
		}
	}
	random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	return mixed
}

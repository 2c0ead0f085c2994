package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"evens/access"
	"evens/internal/testbed"
	"evens/player"
)

// Players do not feel it when 64 guess passwords: hashing is bounded, and wrong ones are slowed down.
func TestWalletUnderAFloodOfGuessers(t *testing.T) {
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	i.employ(t)
	public, ops := freeAddress(t), freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_RATE_PLAYER=0", "EVENS_LISTEN="+public, "EVENS_OPS_LISTEN="+ops, "EVENS_LOG_LEVEL=error")
	who, _, err := player.New(i.db, time.Now).Create(t.Context(), player.Registration{ExternalID: "ana", Name: "Ana", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := access.NewTokens(i.db, time.Now).Issue(t.Context(), who.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "both listen", func() bool {
		return answers("http://"+ops+"/healthz", 200) && answers("http://"+public+"/v1/openapi.json", 200)
	})
	measure := func() (p99 time.Duration) {
		t.Helper()
		const calls = 2000
		took := make([]time.Duration, 0, calls)
		for range calls {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s/v1/players/%s/wallet", public, who.ID), nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+token)
			began := time.Now()
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			took = append(took, time.Since(began))
			if response.StatusCode != http.StatusOK {
				t.Fatalf("wallet: %d", response.StatusCode)
			}
		}
		slices.Sort(took)
		return took[calls*99/100]
	}
	calm := measure()
	ctx, stop := context.WithCancel(t.Context())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}} // or connecting would cost the most
	var guessers sync.WaitGroup
	answered := make([]map[int]int, 64)
	for n := range answered {
		answered[n] = make(map[int]int)
		guessers.Go(func() { guess(ctx, client, "http://"+ops+"/console/", n, answered[n]) })
	}
	flooded := measure()
	stop()
	guessers.Wait()
	total := make(map[int]int)
	for _, of := range answered {
		for status, n := range of {
			total[status] += n
		}
	}
	t.Logf("p99 of a wallet call: %s, with 64 guessers %s; what they were answered: %v", calm, flooded, total)
	if total[http.StatusOK] > 0 || total[http.StatusTooManyRequests] == 0 {
		t.Errorf("guessers were answered %v", total)
	}
	if looked := total[http.StatusUnauthorized]; looked > 20 { // five of a source, and those whose wait was over
		t.Errorf("%d guesses were looked at", looked)
	}
	// The guessers, and whatever else is tested, share the processor with the server: this limit is for what is
	// badly wrong, the count above for the rest.
	if limit := 5*calm + 400*time.Millisecond; flooded > limit {
		t.Errorf("p99 of a wallet call went from %s to %s, want up to %s", calm, flooded, limit)
	}
}

// guess tries passwords as fast as it is answered, and counts the answers by status.
func guess(ctx context.Context, client *http.Client, url string, n int, answered map[int]int) {
	for try := 0; ctx.Err() == nil; try++ {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return
		}
		request.SetBasicAuth(fmt.Sprintf("%s@example.com", access.Roles()[n%4]), fmt.Sprintf("guess number %d", try))
		response, err := client.Do(request)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		answered[response.StatusCode]++
		time.Sleep(20 * time.Millisecond) // or the guessers alone would take the processor
	}
}

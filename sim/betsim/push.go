package betsim

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// pathResult is where a bookmaker takes results, under its remote_host.
const pathResult = "/api/bet/result"

// oddNumbers is how many numbers of 1000 [Server.Push] writes in quotes where the document has
// none, or without where it has them.
const oddNumbers = 300

// Pusher sends results as BeT does: POST {remote_host, Heads} to {remote_host}/api/bet/result,
// again and again until the answer is 200. The zero value works.
type Pusher struct {
	// Client sends; nil means one that waits 10 s for an answer.
	Client *http.Client
	// Target replaces the remote host of every head, "" leaves it to each.
	Target string
	// PerPush is how many heads go in one call; 0 means 50.
	PerPush int
	// Concurrency is how many calls are under way at once; 0 means 1, which keeps the order.
	Concurrency int

	// Attempts at one call before it is given up; 0 means 8.
	Attempts int
	// Backoff is the pause after the first failure, which doubles up to MaxBackoff. 0 means
	// 50 ms and 2 s.
	Backoff, MaxBackoff time.Duration

	// Duplicates is how many calls of 1000 are made twice though the first was answered 200.
	Duplicates int
	// Odd is how many numbers of 1000 are written in quotes or without, against the document.
	Odd int
	// Seed decides on both.
	Seed uint64
}

// Push sends heads as a [Pusher] does, perPush in a call, one call after the other; target and
// perPush as there.
func (s *Server) Push(ctx context.Context, client *http.Client, target string, heads []Head, perPush int) error {
	p := Pusher{
		Client: client, Target: target, PerPush: perPush, Odd: oddNumbers, Seed: s.cfg.Seed + s.pushes.Add(1),
	}
	return p.Push(ctx, heads)
}

// call is one POST to make.
type call struct {
	number uint64
	host   string
	heads  []Head
}

// Push delivers the heads. It returns when all calls were answered 200 or given up, with what
// went wrong; a ctx that ends gives up all.
func (p Pusher) Push(ctx context.Context, heads []Head) error {
	p = p.withDefaults()
	calls := p.split(heads)
	queue := make(chan call)
	errs := make([]error, p.Concurrency)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for c := range queue {
				errs[i] = errors.Join(errs[i], p.deliver(ctx, c))
			}
		})
	}
	for _, c := range calls {
		if ctx.Err() != nil {
			break
		}
		queue <- c
	}
	close(queue)
	wg.Wait()
	return cmp.Or(ctx.Err(), errors.Join(errs...))
}

func (p Pusher) withDefaults() Pusher {
	if p.Client == nil {
		p.Client = &http.Client{Timeout: 10 * time.Second}
	}
	p.PerPush = cmp.Or(max(p.PerPush, 0), 50)
	p.Concurrency = cmp.Or(max(p.Concurrency, 0), 1)
	p.Attempts = cmp.Or(max(p.Attempts, 0), 8)
	p.Backoff = cmp.Or(p.Backoff, 50*time.Millisecond)
	p.MaxBackoff = cmp.Or(p.MaxBackoff, 2*time.Second)
	return p
}

// split makes calls of neighbours that go to the same host.
func (p Pusher) split(heads []Head) []call {
	var calls []call
	for len(heads) > 0 {
		host := cmp.Or(p.Target, heads[0].RemoteHost)
		n := 1
		for n < len(heads) && n < p.PerPush && cmp.Or(p.Target, heads[n].RemoteHost) == host {
			n++
		}
		calls = append(calls, call{uint64(len(calls)), host, heads[:n]})
		heads = heads[n:]
	}
	return calls
}

// deliver makes one call until it is acknowledged, and now and then once more.
func (p Pusher) deliver(ctx context.Context, c call) error {
	chance := dice(p.Seed, streamPush, c.number)
	host, err := json.Marshal(c.host)
	if err != nil {
		return fmt.Errorf("write remote host: %w", err)
	}
	body := append([]byte(`{"remote_host":`), host...)
	body = append(appendHeads(append(body, ','), c.heads, chance, p.Odd), '}')
	times := 1
	if perMille(chance, p.Duplicates) {
		times = 2
	}
	for range times {
		if err := p.retry(ctx, c.host+pathResult, body); err != nil {
			return fmt.Errorf("push %d results to %s: %w", len(c.heads), c.host, err)
		}
	}
	return nil
}

// retry posts until the answer is 200.
func (p Pusher) retry(ctx context.Context, url string, body []byte) error {
	pause := p.Backoff
	for attempt := 1; ; attempt++ {
		err := p.post(ctx, url, body)
		if err == nil {
			return nil
		}
		if attempt == p.Attempts {
			return fmt.Errorf("given up after %d attempts: %w", attempt, err)
		}
		wait(ctx, pause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause = min(2*pause, p.MaxBackoff)
	}
}

func (p Pusher) post(ctx context.Context, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	resp, err := p.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxRequest)) // so that the connection is used again
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d", resp.StatusCode)
	}
	return nil
}

package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Settle measures results from push to paid: over HTTP, in pushes of PerPush, until the last
// coupon has its money.
type Settle struct {
	N         int
	PerPush   int    // 500 by default
	Senders   int    // connections; 4 by default
	ResultURL string // where results are posted
	Paid      *Paid  // told by the system of every commit
	Progress  func(paid int)
}

// Paid hears how long results waited, from the system under test.
type Paid struct {
	count   atomic.Int64
	mu      sync.Mutex
	waited  []time.Duration
	changed chan struct{}
}

// NewPaid returns an ear for n results.
func NewPaid(n int) *Paid {
	return &Paid{waited: make([]time.Duration, 0, n), changed: make(chan struct{}, 1)}
}

// Lag is told of n results received together and committed together.
func (p *Paid) Lag(received, committed time.Time, n int) {
	p.mu.Lock()
	for range n {
		p.waited = append(p.waited, committed.Sub(received))
	}
	p.mu.Unlock()
	p.count.Add(int64(n))
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

const stalledAfter = time.Minute

// Run pushes and waits. Of each twenty coupons nine win, nine lose and two are refunded, in an
// order that has nothing to do with the order of placing.
func (s Settle) Run(ctx context.Context, baseline Baseline) (*Report, error) {
	resetPeak()
	before := measure()
	started := time.Now()
	pushed := make(chan error, 1)
	pushCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { pushed <- s.Push(pushCtx) }()
	if err := s.wait(ctx, pushed); err != nil {
		return nil, err
	}
	took := time.Since(started)
	report := &Report{Name: "settle", N: s.N}
	report.finish(took, s.Paid.waited, measure().since(before), baseline)
	return report, nil
}

func (s Settle) wait(ctx context.Context, pushed <-chan error) error {
	stalled := time.NewTimer(stalledAfter)
	defer stalled.Stop()
	for {
		paid := int(s.Paid.count.Load())
		s.Progress(paid)
		if paid >= s.N {
			return nil
		}
		select {
		case <-s.Paid.changed:
			stalled.Reset(stalledAfter)
		case err := <-pushed:
			if err != nil {
				return err
			}
			pushed = nil
		case <-stalled.C:
			return fmt.Errorf("%d of %d coupons paid, and none for %s", paid, s.N, stalledAfter)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Push sends all the results, and returns when every push has been answered.
func (s Settle) Push(ctx context.Context) error {
	s.PerPush, s.Senders = cmp.Or(s.PerPush, 500), cmp.Or(s.Senders, 4)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: s.Senders}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	starts := make(chan int)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(starts)
		for from := 0; from < s.N; from += s.PerPush {
			select {
			case starts <- from:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	step := coprime(s.N)
	for range s.Senders {
		group.Go(func() error {
			var body bytes.Buffer
			for from := range starts {
				s.write(&body, from, step)
				if err := post(ctx, client, s.ResultURL, &body); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// coprime is a step that visits every coupon once, far from the one before.
func coprime(n int) int {
	step := n*5/8 | 1
	for gcd(step, n) != 1 {
		step += 2
	}
	return step
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// decidedAt is the DateRecive of every result.
const decidedAt = "1700000000"

func (s Settle) write(body *bytes.Buffer, from, step int) {
	body.Reset()
	body.WriteString(`{"remote_host":"bench","Heads":[`)
	for i := from; i < min(from+s.PerPush, s.N); i++ {
		if i > from {
			body.WriteByte(',')
		}
		coupon := i*step%s.N + 1
		status, ext, amount := 4, 0, "20"
		switch {
		case i%20 < 9:
			status = 2
		case i%20 < 11:
			status, ext, amount = 2, 1, "10"
		}
		body.WriteString(`{"KeyHead":{"Id":"`)
		body.WriteString(strconv.Itoa(coupon))
		body.WriteString(`","BarCode":"`)
		body.WriteString(seedCode(coupon))
		fmt.Fprintf(body, `"},"Status":%d,"ExtStatus":%d,"AmountOut":%s,"DateRecive":"%s"}`, status, ext, amount, decidedAt)
	}
	body.WriteString(`]}`)
}

func post(ctx context.Context, client *http.Client, url string, body *bytes.Buffer) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body.Bytes()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return errors.New(url + ": " + response.Status + ": " + string(answer))
	}
	return nil
}

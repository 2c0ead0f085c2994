package settlement_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"evens/coupon"
	"evens/settlement"
)

// many is a push of n Heads, each as given.
func many(n int, head string) io.Reader {
	return io.MultiReader(strings.NewReader(`{"Heads":[`), strings.NewReader(strings.Repeat(head+",", n-1)), strings.NewReader(head+"]}"))
}

// Millions of empty Heads at once, as an outsider sent them: refused, in little memory, and a straight push
// beside them is paid.
func TestAFloodOfEmptyHeads(t *testing.T) { //nolint:paralleltest // measures the heap
	s := open(t, settlement.Guard{})
	c := s.place(s.player("100.00"), "10.00", "2.50")
	url := s.listen()
	var most atomic.Uint64
	stop := make(chan struct{})
	var watch, pushes sync.WaitGroup
	watch.Go(func() {
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.Store(max(most.Load(), now.HeapInuse))
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	var before runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, head := range []string{`{}`, `0`, `[]`, `{"a":1}`, `""`, `null`} {
		pushes.Go(func() {
			if status, code := post(t, url, many(2_000_000, head)); status != http.StatusRequestEntityTooLarge || code != "body_too_large" {
				t.Errorf("2,000,000 of %s: %d %s", head, status, code)
			}
		})
	}
	for range 4 { // as many as there may be, of what makes most of few bytes
		pushes.Go(func() {
			if status, answer := post(t, url, many(settlement.MostHeads, `{}`)); status != http.StatusOK {
				t.Errorf("%d of {}: %d %s", settlement.MostHeads, status, answer)
			}
		})
	}
	pushes.Go(func() {
		if status, answer := post(t, url, strings.NewReader(pushBody(c.BetCode, 1))); status != http.StatusOK {
			t.Errorf("a straight push beside them: %d %s", status, answer)
		}
	})
	pushes.Wait()
	close(stop)
	watch.Wait()
	if grown := int64(most.Load()-before.HeapInuse) >> 20; grown > 350 {
		t.Errorf("the heap grew by %d MiB", grown)
	}
	s.work()
	s.is(c, coupon.Won, "25.00", "115.00")
}

// Lists that are not Heads, and text that looks like lists, count as what they are.
func TestWhatCountsAsAHead(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	url := s.listen()
	commas := strings.Repeat(",", settlement.MostHeads+1)
	for body, want := range map[string]int{
		`{"remote_host":"` + commas + `","Heads":[]}`:                   http.StatusOK,
		`{"remote_host":"\"` + commas + `","Heads":[]}`:                 http.StatusOK,
		`{"Heads":[` + strings.Repeat(" ", 1<<20) + `]}`:                http.StatusOK,
		`{"Heads":[],"other":[0` + strings.Repeat(",0", 200_000) + `]}`: http.StatusRequestEntityTooLarge,
		`{"Heads":[{"x":[0` + strings.Repeat(",0", 200_000) + `]}]}`:    http.StatusOK, // one Head, unreadable
	} {
		if status, answer := post(t, url, strings.NewReader(body)); status != want {
			t.Errorf("%.40s…: %d %s, want %d", body, status, answer, want)
		}
	}
}

// Senders that promise the largest push and send no more than its beginning hold up nobody who has one.
func TestPushesThatDoNotEnd(t *testing.T) {
	t.Parallel()
	s := open(t, settlement.Guard{})
	url := s.listen()
	for range 2 { // one more would have to wait for them, until the server's own patience ends
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n{", settlement.LargestPush)
	}
	if status, answer := post(t, url, strings.NewReader(pushBody("code", 1))); status != http.StatusOK {
		t.Errorf("a push beside them: %d %s", status, answer)
	}
}

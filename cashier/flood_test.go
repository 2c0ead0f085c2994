package cashier

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Hundreds of large bodies by nobody we know, that do not end: a few are waited for, the others are told to come
// again at once, and the gateway is answered all the while.
func TestLargeBodiesAreFewAtOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	var wg sync.WaitGroup
	var turnedAway atomic.Int64
	for range 300 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(d.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n%s", strings.Repeat(" ", 20_000))
		wg.Go(func() {
			_ = conn.SetReadDeadline(time.Now().Add(callTimeout + 10*time.Second))
			if text, _ := io.ReadAll(conn); strings.Contains(string(text), "503") {
				turnedAway.Add(1)
			}
		})
	}
	d.tell(d.notice("deposit", "d1", "5.00", "succeeded"), 200, "booked")
	wg.Wait()
	if n := turnedAway.Load(); n < 200 || n > 260 {
		t.Errorf("%d of 300 were turned away", n)
	}
	d.has("5.00")
}

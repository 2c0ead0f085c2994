package listen

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"evens/internal/source"
)

// hold accepts until the listener is closed, and keeps what it accepts.
func hold(t *testing.T, bounds Bounds) (address string, accepted chan net.Conn, l *Bounded) {
	t.Helper()
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = NewBounded(inner, bounds)
	accepted = make(chan net.Conn, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return inner.Addr().String(), accepted, l
}

// dial opens a connection that ends with the test.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func closed(t *testing.T, conn net.Conn) bool {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	return errors.Is(err, io.EOF) || err != nil && !errors.Is(err, net.ErrClosed)
}

// A hundred connections that say nothing: three are kept, and a place that is left is free again.
func TestConnectionsBeyondTheBoundsAreClosed(t *testing.T) {
	t.Parallel()
	for name, bounds := range map[string]Bounds{"overall": {Total: 3}, "of one source": {Total: 1000, PerSource: 3}} {
		address, accepted, l := hold(t, bounds)
		var kept []net.Conn
		for range 3 {
			dial(t, address)
			kept = append(kept, <-accepted)
		}
		for range 97 {
			if !closed(t, dial(t, address)) {
				t.Fatalf("%s: a connection beyond the bound stays open", name)
			}
		}
		if l.Refused() != 97 {
			t.Errorf("%s: %d refused, want 97", name, l.Refused())
		}
		_ = kept[0].Close()
		_ = kept[0].Close() // is counted once
		dial(t, address)
		<-accepted
		if !closed(t, dial(t, address)) {
			t.Errorf("%s: one place was left, and two took it", name)
		}
	}
}

func TestProxiesHaveNoBoundOfTheirOwn(t *testing.T) {
	t.Parallel()
	address, accepted, _ := hold(t, Bounds{Total: 50, PerSource: 1, Exempt: source.Proxies{netip.MustParsePrefix("127.0.0.0/8")}})
	for range 50 {
		dial(t, address)
		<-accepted
	}
	if !closed(t, dial(t, address)) {
		t.Error("the bound of all does not hold for proxies")
	}
}

package listen

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"evens/internal/source"
)

// Bounds of the connections that a listener has open at once. Zero: no bound.
type Bounds struct {
	Total int
	// PerSource is for each IPv4 address and each IPv6 /64.
	PerSource int
	// Exempt are addresses without a bound of their own: our proxies, behind which everybody is.
	Exempt source.Proxies
}

// Bounded closes connections beyond its bounds as they come in. It is safe for concurrent use.
type Bounded struct {
	net.Listener
	bounds  Bounds
	refused atomic.Int64

	mu   sync.Mutex
	open int
	from map[netip.Prefix]int
}

// NewBounded returns a listener that hands on what listener accepts, within bounds.
func NewBounded(listener net.Listener, bounds Bounds) *Bounded {
	return &Bounded{Listener: listener, bounds: bounds, from: make(map[netip.Prefix]int)}
}

// Refused is how many connections were closed at once since the start.
func (l *Bounded) Refused() int64 { return l.refused.Load() }

// Accept implements net.Listener.
func (l *Bounded) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		network := l.network(conn)
		if l.enter(network) {
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { l.leave(network) })}, nil
		}
		l.refused.Add(1)
		_ = conn.Close() // nothing was said yet
	}
}

// network is what a connection is counted under; the zero prefix has no bound of its own.
func (l *Bounded) network(conn net.Conn) netip.Prefix {
	address, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil || l.bounds.Exempt.Has(address.Addr()) {
		return netip.Prefix{}
	}
	return source.Network(address.Addr())
}

func (l *Bounded) enter(network netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bounds.Total > 0 && l.open >= l.bounds.Total {
		return false
	}
	if network.IsValid() && l.bounds.PerSource > 0 {
		if l.from[network] >= l.bounds.PerSource {
			return false
		}
		l.from[network]++
	}
	l.open++
	return true
}

func (l *Bounded) leave(network netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.from[network]--; l.from[network] <= 0 {
		delete(l.from, network)
	}
}

// counted is a connection that is counted until it is closed.
type counted struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

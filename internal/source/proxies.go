package source

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the addresses of our own proxies: whatever they say about where a call came from counts.
type Proxies []netip.Prefix

const forwardedFor = "X-Forwarded-For"

// Handler serves with next, to which a call that a proxy hands on comes from where the proxy says.
// Every later look at the request's address sees that, this package's and others'. Without proxies
// nothing is done.
func (p Proxies) Handler(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer := Of(r); p.has(peer) {
			forwarded := *r // a copy: the server still needs its own
			forwarded.RemoteAddr = remote(p.origin(peer, r.Header.Values(forwardedFor)))
			r = &forwarded
		}
		next.ServeHTTP(w, r)
	})
}

// Has reports whether an address is one of the proxies'.
func (p Proxies) Has(address netip.Addr) bool { return p.has(address.Unmap().WithZone("")) }

func (p Proxies) has(address netip.Addr) bool {
	return slices.ContainsFunc(p, func(proxies netip.Prefix) bool { return proxies.Contains(address) })
}

// origin walks from the connection's end outwards, over those that are proxies, and ends at the first
// that is none. Beyond that one anybody may have written anything. What is no address is unknown: the
// zero address, which no list allows. Where all are proxies the outermost is the origin.
func (p Proxies) origin(peer netip.Addr, values []string) netip.Addr {
	said := strings.Split(strings.Join(values, ","), ",")
	for i := len(said) - 1; i >= 0; i-- {
		text := strings.TrimSpace(said[i])
		if text == "" && len(said) == 1 {
			return peer // nothing was said
		}
		address, ok := parse(text)
		if !ok {
			return netip.Addr{}
		}
		if !p.has(address) {
			return address
		}
		peer = address
	}
	return peer
}

// parse reads an address with or without a port.
func parse(text string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text = strings.TrimSuffix(inner, "]")
	}
	address, err := netip.ParseAddr(text)
	return address.Unmap().WithZone(""), err == nil
}

// remote is an address as a request has it; "" for one that is not known.
func remote(address netip.Addr) string {
	if !address.IsValid() {
		return ""
	}
	return netip.AddrPortFrom(address, 0).String()
}

// Package source tells where a request comes from, and whether that address may call.
package source

import (
	"net/http"
	"net/netip"
	"slices"
)

// Of is the address of the other end of the connection; the zero address where it cannot be read.
func Of(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr().Unmap()
}

// Allowed reports whether an address is in a list of those that may call; an empty list admits
// every one.
func Allowed(allow []netip.Prefix, address netip.Addr) bool {
	return len(allow) == 0 || slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(address) })
}

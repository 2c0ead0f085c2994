// Package source tells where a request comes from, and whether that address may call.
package source

import (
	"net/http"
	"net/netip"
	"slices"
)

// Of is the address that a request came from, as Proxies.Handler found it, or the other end of the
// connection; the zero address where it is not known.
func Of(r *http.Request) netip.Addr {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return address.Addr().Unmap().WithZone("")
}

// Network is the network whose addresses one customer has: an IPv4 address alone, an IPv6 /64.
func Network(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	network, _ := address.Prefix(bits) // the zero prefix for the zero address
	return network
}

// Allowed reports whether an address is in a list of those that may call; an empty list admits
// every one.
func Allowed(allow []netip.Prefix, address netip.Addr) bool {
	return len(allow) == 0 || slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(address) })
}

// ParsePrefix takes a network in CIDR notation, or a single address.
func ParsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if mapped := 96; err == nil && prefix.Addr().Is4In6() && prefix.Bits() >= mapped { // as sources are told
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
	}
	return prefix, err
}

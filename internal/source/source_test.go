package source_test

import (
	"net/http"
	"net/netip"
	"testing"

	"evens/internal/source"
)

func TestAllowed(t *testing.T) {
	t.Parallel()
	list := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128")}
	for address, want := range map[string]bool{
		"192.0.2.7:80": true, "[::ffff:192.0.2.7]:80": true, "[2001:db8::1]:80": true, "192.0.3.7:80": false, "[2001:db8::2]:80": false, "nonsense": false,
	} {
		r := &http.Request{RemoteAddr: address}
		if got := source.Allowed(list, source.Of(r)); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
		if !source.Allowed(nil, source.Of(r)) {
			t.Errorf("%s: an empty list admits everyone", address)
		}
	}
}

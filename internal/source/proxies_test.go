package source

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

func TestTheRightmostAddressThatIsNoProxyCounts(t *testing.T) {
	t.Parallel()
	proxies := Proxies(prefixes("10.0.0.0/8", "fd00::/8"))
	for name, c := range map[string]struct {
		peer string
		said []string
		want string // "" for none
	}{
		"a stranger says nothing":             {"203.0.113.7:4711", nil, "203.0.113.7"},
		"a stranger lies":                     {"203.0.113.7:4711", []string{"192.0.2.1"}, "203.0.113.7"},
		"a proxy tells":                       {"10.0.0.1:4711", []string{"192.0.2.1"}, "192.0.2.1"},
		"the caller lied to the proxy":        {"10.0.0.1:4711", []string{"198.51.100.9, 192.0.2.1"}, "192.0.2.1"},
		"it lied with a proxy's address":      {"10.0.0.1:4711", []string{"198.51.100.9, 10.0.0.3, 192.0.2.1"}, "192.0.2.1"},
		"two proxies":                         {"10.0.0.1:4711", []string{"192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		"two headers":                         {"10.0.0.1:4711", []string{"198.51.100.9", "192.0.2.1"}, "192.0.2.1"},
		"a port":                              {"10.0.0.1:4711", []string{"192.0.2.1:80"}, "192.0.2.1"},
		"IPv6":                                {"[fd00::1]:4711", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with a port":                    {"10.0.0.1:4711", []string{"[2001:db8::7]:443"}, "2001:db8::7"},
		"IPv6 in brackets":                    {"10.0.0.1:4711", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv4 in IPv6":                        {"[::ffff:10.0.0.1]:4711", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		"a proxy calls by itself":             {"10.0.0.1:4711", nil, "10.0.0.1"},
		"only proxies":                        {"10.0.0.1:4711", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"no address":                          {"10.0.0.1:4711", []string{"192.0.2.1, unknown"}, ""},
		"an empty place":                      {"10.0.0.1:4711", []string{"192.0.2.1,"}, ""},
		"no address where it does not matter": {"10.0.0.1:4711", []string{"what, 192.0.2.1"}, "192.0.2.1"},
	} {
		var got netip.Addr
		handler := proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Of(r) }))
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.RemoteAddr = c.peer
		for _, value := range c.said {
			r.Header.Add("X-Forwarded-For", value)
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
		want, _ := netip.ParseAddr(c.want)
		if got != want {
			t.Errorf("%s: the source is %v, want %v", name, got, want)
		}
		if c.want == "" && Allowed(prefixes("0.0.0.0/0", "::/0"), got) {
			t.Errorf("%s: an unknown source is allowed", name)
		}
	}
}

func TestWithoutProxiesNobodyIsBelieved(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.RemoteAddr = "203.0.113.7:1"
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	var got netip.Addr
	Proxies(nil).Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Of(r) })).ServeHTTP(nil, r)
	if got != netip.MustParseAddr("203.0.113.7") {
		t.Errorf("the source is %v", got)
	}
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
	} {
		if got := Network(netip.MustParseAddr(address)); got != netip.MustParsePrefix(want) {
			t.Errorf("Network(%s) = %v, want %s", address, got, want)
		}
	}
	if got := Network(netip.Addr{}); got.IsValid() {
		t.Errorf("nobody's network is %v", got)
	}
}

package redis

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	base := address{
		dialTimeout: time.Second, readTimeout: 2 * time.Second, writeTimeout: 2 * time.Second,
		poolSize: defaultPoolSize(),
	}
	tests := map[string]struct {
		url  string
		want func(a *address)
	}{
		"plain":         {"redis://127.0.0.1:6390/0", func(a *address) { a.scheme, a.hosts = "redis", []string{"127.0.0.1:6390"} }},
		"default port":  {"redis://cache", func(a *address) { a.scheme, a.hosts = "redis", []string{"cache:6379"} }},
		"slash only":    {"redis://cache/", func(a *address) { a.scheme, a.hosts = "redis", []string{"cache:6379"} }},
		"ipv6":          {"redis://[::1]:6390/2", func(a *address) { a.scheme, a.hosts, a.db = "redis", []string{"[::1]:6390"}, 2 }},
		"ipv6, no port": {"redis://[::1]", func(a *address) { a.scheme, a.hosts = "redis", []string{"[::1]:6379"} }},
		"database":      {"redis://cache:6379/1023", func(a *address) { a.scheme, a.hosts, a.db = "redis", []string{"cache:6379"}, 1023 }},
		"database in the query": {"redis://cache:6379?db=3", func(a *address) {
			a.scheme, a.hosts, a.db = "redis", []string{"cache:6379"}, 3
		}},
		"user and password": {"redis://anna:s%40fe%2F@cache:6379/1", func(a *address) {
			a.scheme, a.hosts, a.db = "redis", []string{"cache:6379"}, 1
			a.username, a.password = "anna", "s@fe/"
		}},
		"password only": {"redis://:secret@cache", func(a *address) {
			a.scheme, a.hosts, a.password = "redis", []string{"cache:6379"}, "secret"
		}},
		"tls": {"rediss://cache:6380/0", func(a *address) {
			a.scheme, a.hosts, a.tls = "rediss", []string{"cache:6380"}, true
		}},
		"unix": {"unix:///run/evens/redis.sock?db=4", func(a *address) {
			a.scheme, a.socket, a.db = "unix", "/run/evens/redis.sock", 4
		}},
		"unix with a password and a blank": {"unix://:pw@/tmp/a%20b/redis.sock", func(a *address) {
			a.scheme, a.socket, a.password = "unix", "/tmp/a b/redis.sock", "pw"
		}},
		"sentinel": {"redis-sentinel://user:pass@h1:26379,h2,h3:26380/5?master=main&sentinel_password=sp", func(a *address) {
			a.scheme, a.hosts = "redis-sentinel", []string{"h1:26379", "h2:26379", "h3:26380"}
			a.username, a.password, a.db, a.master, a.sentinelPassword = "user", "pass", 5, "main", "sp"
		}},
		"cluster with tls": {"redis-cluster://:pw@h1:6379,h2:6380?tls=true", func(a *address) {
			a.scheme, a.hosts = "redis-cluster", []string{"h1:6379", "h2:6380"}
			a.password, a.tls = "pw", true
		}},
		"tuned": {"redis://cache/0?dial_timeout=100ms&read_timeout=3s&write_timeout=4s&pool_size=7", func(a *address) {
			a.scheme, a.hosts, a.poolSize = "redis", []string{"cache:6379"}, 7
			a.dialTimeout, a.readTimeout, a.writeTimeout = 100*time.Millisecond, 3*time.Second, 4*time.Second
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := base
			tt.want(&want)
			got, err := parseAddress(tt.url)
			if err != nil {
				t.Fatalf("parseAddress(%q): %v", tt.url, err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(address{})); diff != "" {
				t.Errorf("parseAddress(%q) (-want +got):\n%s", tt.url, diff)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		url  string
		want error
	}{
		"empty":                         {"", errScheme},
		"only a password":               {"hunter2", errScheme},
		"another scheme":                {"hunter2://cache", errScheme},
		"scheme in capitals":            {"REDIS://hunter2@cache", errScheme},
		"no host":                       {"redis://:hunter2@/0", errHost},
		"port not a number":             {"redis://:hunter2@cache:hunter2", errHost},
		"port zero":                     {"redis://:hunter2@cache:0", errHost},
		"port too large":                {"redis://:hunter2@cache:70000", errHost},
		"two hosts":                     {"redis://:hunter2@h1:1,h2:2", errOneHost},
		"empty host in a list":          {"redis-cluster://:hunter2@h1:1,,h2:2", errHost},
		"bare ipv6":                     {"redis://:hunter2@::1", errHost},
		"slash in the password":         {"redis://:hun/hunter2@cache:6379/0", errHost},
		"question mark in the password": {"redis://:1?hunter2@cache:6379/0", errQuery},
		"hash in the password":          {"redis://u:1#hunter2@cache:6379/0", errParts},
		"percent in the password":       {"redis://u:hunter2%zz@cache:6379/0", errParts},
		"blank in the password":         {"redis://u:hunter2 x@cache:6379/0", errParts},
		"database not a number":         {"redis://cache/hunter2", errDatabase},
		"negative database":             {"redis://cache/-1", errDatabase},
		"database of a cluster":         {"redis-cluster://h1/3", errCluster},
		"sentinel without a master":     {"redis-sentinel://:hunter2@h1/0", errMaster},
		"unix with a host":              {"unix://hunter2/run/redis.sock", errSocket},
		"unix without a path":           {"unix://:hunter2@", errSocket},
		"unknown parameter":             {"redis://cache/0?hunter2=1", errQuery},
		"timeout without a unit":        {"redis://cache/0?read_timeout=5", errDuration},
		"timeout of zero":               {"redis://cache/0?read_timeout=0s", errDuration},
		"pool of none":                  {"redis://cache/0?pool_size=0", errPool},
		"tls neither true nor false":    {"redis://cache/0?tls=hunter2", errBool},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(tt.url)
			if err == nil {
				t.Fatalf("Open(%q) succeeded, want %v", tt.url, tt.want)
			}
			if got, want := err.Error(), "redis url: "+tt.want.Error(); got != want {
				t.Errorf("Open(%q) = %q, want %q", tt.url, got, want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Open(%q) = %q, spells out the secret", tt.url, err)
			}
		})
	}
}

func FuzzOpenNamesNoPassword(f *testing.F) {
	for _, seed := range []string{
		"redis://:%s@cache:6379/0", "redis-sentinel://u:%s@h1,h2/0?master=m", "unix://:%s@/s.sock", "redis://%s", "%s",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, shape string) {
		const secret = "Zq7-secret-Zq7"
		client, err := Open(strings.ReplaceAll(shape, "%s", secret))
		if err != nil {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error %q spells out the secret", err)
			}
			return
		}
		if err := client.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

package redis

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
	goredis "github.com/redis/go-redis/v9"
)

func open(t *testing.T, url string) goredis.UniversalClient {
	t.Helper()
	client, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("close client: %v", err)
		}
	})
	return client
}

func TestOpenSettings(t *testing.T) {
	t.Parallel()
	plain, ok := open(t, "redis://:pw@127.0.0.1:1/7").(*goredis.Client)
	if !ok {
		t.Fatal("redis:// does not open a *redis.Client")
	}
	o := plain.Options()
	// go-redis turns the -1 it is given into 0 retries.
	if o.MaxRetries != 0 || o.DB != 7 || o.DialTimeout != time.Second ||
		o.ReadTimeout != 2*time.Second || o.WriteTimeout != 2*time.Second || !o.ContextTimeoutEnabled {
		t.Errorf("options of redis:// = %+v", o)
	}
	if o := open(t, "rediss://cache").(*goredis.Client).Options(); o.TLSConfig == nil {
		t.Error("rediss:// opens a client without TLS")
	}
	if o := open(t, "unix:///s.sock?db=2").(*goredis.Client).Options(); o.Network != "unix" || o.Addr != "/s.sock" || o.DB != 2 {
		t.Errorf("options of unix:// = %+v", o)
	}
	if o := open(t, "redis-sentinel://h1/3?master=m").(*goredis.Client).Options(); o.MaxRetries != 0 || o.DB != 3 {
		t.Errorf("options of redis-sentinel:// = %+v", o)
	}
	cluster, ok := open(t, "redis-cluster://h1,h2").(*goredis.ClusterClient)
	if !ok {
		t.Fatal("redis-cluster:// does not open a *redis.ClusterClient")
	}
	if o := cluster.Options(); len(o.Addrs) != 2 || o.MaxRetries != -1 {
		t.Errorf("options of redis-cluster:// = %+v", o)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	m.RequireAuth("pw")
	for _, scheme := range []string{"redis", "redis-cluster"} {
		client := open(t, scheme+"://:pw@"+m.Addr())
		if err := client.Incr(t.Context(), "n").Err(); err != nil {
			t.Errorf("%s: incr: %v", scheme, err)
		}
	}
	if got, _ := m.Get("n"); got != "2" {
		t.Errorf("n = %s, want 2", got)
	}
	err := open(t, "redis://:hunter2@"+m.Addr()).Ping(t.Context()).Err()
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("ping with a wrong password = %v, want an error without it", err)
	}
}

// A command whose answer does not come in time may have run: sending it again is the caller's
// decision. The cluster client has its own loop, so it is tried as well.
func TestUnansweredCommandIsSentOnce(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"redis", "redis-cluster"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			m := miniredis.RunT(t)
			var sent atomic.Int32
			m.Server().SetPreHook(func(_ *server.Peer, cmd string, _ ...string) bool {
				if strings.EqualFold(cmd, "EVAL") {
					sent.Add(1)
					time.Sleep(time.Second)
				}
				return false
			})
			client := open(t, scheme+"://"+m.Addr()+"?read_timeout=100ms")
			err := client.Eval(t.Context(), `return redis.call("INCR", KEYS[1])`, []string{"n"}).Err()
			if err == nil {
				t.Fatal("an unanswered script succeeded")
			}
			time.Sleep(500 * time.Millisecond)
			if n := sent.Load(); n != 1 {
				t.Errorf("script sent %d times, want once (error %v)", n, err)
			}
		})
	}
}

func TestUnreachableServerFailsFast(t *testing.T) {
	t.Parallel()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := open(t, "redis://"+addr).Ping(t.Context()).Err(); err == nil {
		t.Fatal("ping of a closed port succeeded")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("ping of a closed port took %s, want under 2s", took)
	}
}

func TestCheckEviction(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer func(c *server.Peer)
		want   error
	}{
		"noeviction": {func(c *server.Peer) { c.WriteBulk("# Memory\r\nmaxmemory_policy:noeviction\r\n") }, nil},
		"allkeys-lru": {
			func(c *server.Peer) { c.WriteBulk("# Memory\r\nused_memory:1\r\nmaxmemory_policy:allkeys-lru\r\n") },
			ErrEviction,
		},
		"volatile-ttl": {func(c *server.Peer) { c.WriteBulk("maxmemory_policy:volatile-ttl\r\n") }, ErrEviction},
		"not told":     {func(c *server.Peer) { c.WriteBulk("# Memory\r\nused_memory:1\r\n") }, nil},
		"forbidden":    {func(c *server.Peer) { c.WriteError("NOPERM this user has no permissions to run 'info'") }, nil},
		"unknown":      {func(c *server.Peer) { c.WriteError("ERR unknown command 'INFO'") }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, scheme := range []string{"redis", "redis-cluster"} {
				m := miniredis.RunT(t)
				m.Server().SetPreHook(func(c *server.Peer, cmd string, _ ...string) bool {
					if !strings.EqualFold(cmd, "INFO") {
						return false
					}
					tt.answer(c)
					return true
				})
				err := CheckEviction(t.Context(), open(t, scheme+"://"+m.Addr()))
				if !errors.Is(err, tt.want) {
					t.Errorf("CheckEviction() over %s = %v, want %v", scheme, err, tt.want)
				}
			}
		})
	}
}

func TestCheckEvictionNeedsAnAnswer(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	m.SetError("LOADING Redis is loading the dataset in memory")
	if err := CheckEviction(t.Context(), open(t, "redis://"+m.Addr())); err == nil || errors.Is(err, ErrEviction) {
		t.Errorf("CheckEviction() of a loading server = %v, want an error that is not ErrEviction", err)
	}
	addr := m.Addr()
	m.Close()
	if err := CheckEviction(t.Context(), open(t, "redis://"+addr)); err == nil || errors.Is(err, ErrEviction) {
		t.Errorf("CheckEviction() of a stopped server = %v, want an error that is not ErrEviction", err)
	}
}

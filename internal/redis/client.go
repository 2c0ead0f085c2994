package redis

import (
	"crypto/tls"
	"fmt"
	"runtime"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	defaultDialTimeout = time.Second
	defaultIOTimeout   = 2 * time.Second
	// never is go-redis's word for no retries; its zero value means three.
	never = -1
	// dialOnce bounds a failed dial to one DialTimeout; whoever enqueues comes again later.
	dialOnce = 1
)

func defaultPoolSize() int { return max(32, 10*runtime.GOMAXPROCS(0)) }

// Open makes a client for a URL of the forms the package comment lists. It does not connect:
// an unreachable server shows at the first command. The client is safe for concurrent use and
// the caller closes it. An error names what is wrong with the URL and no part of it.
func Open(url string) (goredis.UniversalClient, error) {
	a, err := parseAddress(url)
	if err != nil {
		return nil, fmt.Errorf("redis url: %w", err)
	}
	redirectLog()
	switch a.scheme {
	case schemeSentinel:
		return goredis.NewFailoverClient(a.failoverOptions()), nil
	case schemeCluster:
		return goredis.NewClusterClient(a.clusterOptions()), nil
	default:
		return goredis.NewClient(a.options()), nil
	}
}

func (a address) options() *goredis.Options {
	o := &goredis.Options{
		Network:  "tcp",
		Username: a.username, Password: a.password, DB: a.db,
		TLSConfig:   a.tlsConfig(),
		DialTimeout: a.dialTimeout, ReadTimeout: a.readTimeout, WriteTimeout: a.writeTimeout,
		ContextTimeoutEnabled:    true,
		MaxRetries:               never,
		DialerRetries:            dialOnce,
		PoolSize:                 a.poolSize,
		MaintNotificationsConfig: quiet(),
	}
	if a.socket != "" {
		o.Network, o.Addr = "unix", a.socket
	} else {
		o.Addr = a.hosts[0]
	}
	return o
}

func (a address) failoverOptions() *goredis.FailoverOptions {
	return &goredis.FailoverOptions{
		MasterName: a.master, SentinelAddrs: a.hosts,
		SentinelUsername: a.sentinelUsername, SentinelPassword: a.sentinelPassword,
		Username: a.username, Password: a.password, DB: a.db,
		TLSConfig:   a.tlsConfig(),
		DialTimeout: a.dialTimeout, ReadTimeout: a.readTimeout, WriteTimeout: a.writeTimeout,
		ContextTimeoutEnabled: true,
		MaxRetries:            never,
		DialerRetries:         dialOnce,
		PoolSize:              a.poolSize,
	}
}

// clusterOptions leaves MaxRedirects on, or no MOVED would be followed. The cluster client
// counts its own re-sending after a lost answer as redirects too, whatever MaxRetries says:
// the nodes' hook takes that away.
func (a address) clusterOptions() *goredis.ClusterOptions {
	return &goredis.ClusterOptions{
		Addrs:    a.hosts,
		Username: a.username, Password: a.password,
		TLSConfig:   a.tlsConfig(),
		DialTimeout: a.dialTimeout, ReadTimeout: a.readTimeout, WriteTimeout: a.writeTimeout,
		ContextTimeoutEnabled:    true,
		MaxRetries:               never,
		DialerRetries:            dialOnce,
		PoolSize:                 a.poolSize,
		MaintNotificationsConfig: quiet(),
		NewClient: func(o *goredis.Options) *goredis.Client {
			node := goredis.NewClient(o)
			node.AddHook(sendOnce{})
			return node
		},
	}
}

// tlsConfig names no server: go-redis takes each address's own host.
func (a address) tlsConfig() *tls.Config {
	if !a.tls {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12}
}

// quiet turns off a handshake that only one vendor's hosted servers understand.
func quiet() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

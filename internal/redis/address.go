package redis

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// address is a parsed URL. Its fields hold secrets: it is never printed, and the errors of
// parsing are fixed sentences, for any piece of a mistyped URL may be a piece of a password.
type address struct {
	scheme             string
	username, password string
	hosts              []string
	socket             string
	db                 int
	tls                bool

	master                             string
	sentinelUsername, sentinelPassword string

	dialTimeout, readTimeout, writeTimeout time.Duration
	poolSize                               int
}

const (
	schemePlain    = "redis"
	schemeTLS      = "rediss"
	schemeUnix     = "unix"
	schemeSentinel = "redis-sentinel"
	schemeCluster  = "redis-cluster"
)

var (
	errScheme   = errors.New("the scheme must be redis, rediss, unix, redis-sentinel or redis-cluster")
	errParts    = errors.New("user, password, path and query must be percent-encoded")
	errHost     = errors.New("a host is missing or is not host:port")
	errOneHost  = errors.New("several hosts need the scheme redis-sentinel or redis-cluster")
	errSocket   = errors.New("a unix address is unix:///path/to/socket")
	errDatabase = errors.New("the database must be a number from 0 up")
	errCluster  = errors.New("a cluster has database 0 only")
	errMaster   = errors.New("a sentinel address needs ?master=name")
	errQuery    = errors.New("unknown parameter in the query")
	errDuration = errors.New("a timeout must be a duration above zero, such as 500ms")
	errPool     = errors.New("pool_size must be a number above zero")
	errBool     = errors.New("tls must be true or false")
)

// parseAddress takes a URL apart by hand where net/url cannot: a list of hosts is no authority
// to it.
func parseAddress(raw string) (address, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	known := []string{schemePlain, schemeTLS, schemeUnix, schemeSentinel, schemeCluster}
	if !ok || !slices.Contains(known, scheme) {
		return address{}, errScheme
	}
	a := address{
		scheme:      scheme,
		tls:         scheme == schemeTLS,
		dialTimeout: defaultDialTimeout, readTimeout: defaultIOTimeout, writeTimeout: defaultIOTimeout,
		poolSize: defaultPoolSize(),
	}

	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	user, hosts := "", authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, hosts = authority[:i+1], authority[i+1:]
	}
	u, err := url.Parse("redis://" + user + "host" + tail)
	if err != nil || u.Fragment != "" {
		return address{}, errParts
	}
	if u.User != nil {
		a.username = u.User.Username()
		a.password, _ = u.User.Password()
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return address{}, errParts
	}
	if err := a.setQuery(query); err != nil {
		return address{}, err
	}
	if scheme == schemeUnix {
		return a, a.setSocket(hosts, u.Path)
	}
	return a, a.setHosts(hosts, u.Path)
}

func (a *address) setSocket(hosts, path string) error {
	if hosts != "" || path == "" || path == "/" {
		return errSocket
	}
	a.socket = path
	return nil
}

func (a *address) setHosts(hosts, path string) error {
	port := "6379"
	if a.scheme == schemeSentinel {
		port = "26379"
	}
	for host := range strings.SplitSeq(hosts, ",") {
		hostport, err := withPort(host, port)
		if err != nil {
			return err
		}
		a.hosts = append(a.hosts, hostport)
	}
	if name := strings.TrimPrefix(path, "/"); name != "" {
		db, err := parseDatabase(name)
		if err != nil {
			return err
		}
		a.db = db
	}
	switch {
	case a.scheme == schemeCluster && a.db != 0:
		return errCluster
	case a.scheme == schemeSentinel && a.master == "":
		return errMaster
	case (a.scheme == schemePlain || a.scheme == schemeTLS) && len(a.hosts) > 1:
		return errOneHost
	}
	return nil
}

func (a *address) setQuery(query url.Values) error {
	for key, values := range query {
		value := values[len(values)-1]
		var err error
		switch key {
		case "db":
			a.db, err = parseDatabase(value)
		case "master":
			a.master = value
		case "sentinel_username":
			a.sentinelUsername = value
		case "sentinel_password":
			a.sentinelPassword = value
		case "tls":
			on, boolErr := strconv.ParseBool(value)
			if boolErr != nil {
				return errBool
			}
			a.tls = a.tls || on
		case "dial_timeout":
			a.dialTimeout, err = parseTimeout(value)
		case "read_timeout":
			a.readTimeout, err = parseTimeout(value)
		case "write_timeout":
			a.writeTimeout, err = parseTimeout(value)
		case "pool_size":
			size, sizeErr := strconv.Atoi(value)
			if sizeErr != nil || size < 1 {
				return errPool
			}
			a.poolSize = size
		default:
			return errQuery
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func parseDatabase(s string) (int, error) {
	db, err := strconv.Atoi(s)
	if err != nil || db < 0 {
		return 0, errDatabase
	}
	return db, nil
}

func parseTimeout(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, errDuration
	}
	return d, nil
}

// withPort adds the port where the host has none; IPv6 addresses stand in brackets.
func withPort(host, port string) (string, error) {
	if name, p, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 || name == "" {
			return "", errHost
		}
		return host, nil
	}
	name := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	bracketed := strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]")
	if name == "" || strings.ContainsAny(name, "[] ") || strings.Contains(name, ":") != bracketed {
		return "", errHost
	}
	return net.JoinHostPort(name, port), nil
}

package servers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"evens/internal/redis"
)

func redisAddress(port, password string) string {
	return "redis://default:" + password + "@" + net.JoinHostPort("127.0.0.1", port) + "/0"
}

// recall takes the address from the file, or from the settings of the last start where a power cut tore that.
func (r *redisServer) recall() {
	if text, err := readFile(r.urlFile); err == nil {
		address := strings.TrimSpace(string(text))
		if port, password := partsOf(address); port != "" && password != "" && redisAddress(port, password) == address {
			r.address.set(address)
			return
		}
	}
	text, err := readFile(r.conf)
	if err != nil {
		return
	}
	var port, password string
	for line := range strings.Lines(string(text)) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name {
		case "port":
			port = value
		case "requirepass":
			password = value
		}
	}
	if port != "" && password != "" {
		r.address.set(redisAddress(port, password))
	}
}

func partsOf(address string) (port, password string) {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		password, _ = u.User.Password()
		port = u.Port()
	}
	return port, password
}

// publish writes down where Redis answers, for this process and for others.
func (r *redisServer) publish(address string) error {
	r.address.set(address)
	return r.place.account.writeFile(r.urlFile, []byte(address+"\n"))
}

// before returns the port and password of the last start, or none and a new password.
func (r *redisServer) before() (port, password string) {
	port, password = partsOf(r.address.get())
	if password == "" {
		password = rand.Text()
	}
	return port, password
}

// answers reports whether the server at the address is ours, by the password, and serves.
func (r *redisServer) answers(ctx context.Context) bool {
	client, err := redis.Open(r.address.get())
	if err != nil {
		return false
	}
	defer client.Close()
	return client.Ping(ctx).Err() == nil
}

// isOurs tells a server of this folder from that of the folder it was copied from, whose address the copy has too.
func (r *redisServer) isOurs(ctx context.Context) bool {
	client, err := redis.Open(r.address.get())
	if err != nil {
		return false
	}
	defer client.Close()
	info, err := client.Info(ctx, "server").Result()
	if err != nil {
		return true // the in-process one does not tell
	}
	for line := range strings.Lines(info) {
		if conf, found := strings.CutPrefix(strings.TrimSpace(line), "config_file:"); found {
			return conf == r.conf
		}
	}
	return true
}

// freePort asks the system for a port nobody listens on.
func freePort(ctx context.Context) (string, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}

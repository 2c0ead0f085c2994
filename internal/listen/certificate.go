package listen

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Certificate is a certificate and its key in two PEM files. It is read anew when one of them changes.
// It is safe for concurrent use.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamps  [2]stamp
	looked  time.Time
}

// stamp tells a file's versions apart.
type stamp struct {
	modified time.Time
	size     int64
}

// lookEvery is how often the files are looked at, at the most.
const lookEvery = time.Second

// ReadCertificate reads the files for the first time: an error names what is wrong with them.
func ReadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log}
	stamps, err := c.stat()
	if err != nil {
		return nil, err
	}
	if err := c.read(stamps); err != nil {
		return nil, err
	}
	c.looked = time.Now()
	return c, nil
}

// Config is the TLS of a listener with this certificate. It speaks HTTP/1.1 alone: bounds of connections
// are then bounds of calls too.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: c.get}
}

func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookEvery {
		c.looked = now
		c.renew()
	}
	return c.current, nil
}

// renew takes the files as they are now. While they do not fit each other (one of them may be written
// before the other) the certificate stays as it was.
func (c *Certificate) renew() {
	stamps, err := c.stat()
	if err == nil && stamps == c.stamps {
		return
	}
	if err == nil {
		err = c.read(stamps)
	}
	if err != nil {
		c.log.Warn("the certificate was not read anew: the one before holds", "error", err)
		return
	}
	c.log.Info("the certificate was read anew", "file", c.certFile)
}

func (c *Certificate) stat() (stamps [2]stamp, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return stamps, err
		}
		stamps[i] = stamp{info.ModTime(), info.Size()}
	}
	return stamps, nil
}

func (c *Certificate) read(stamps [2]stamp) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", c.certFile, c.keyFile, err)
	}
	c.current, c.stamps = &pair, stamps
	return nil
}

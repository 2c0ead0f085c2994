package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// request is a POST, written out before the measurement: what signing and encrypting costs the
// sender is not what is measured.
type request []byte

func newRequest(host, path string, header http.Header, body []byte) request {
	var text bytes.Buffer
	fmt.Fprintf(&text, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", path, host, len(body))
	_ = header.Write(&text) // a Buffer takes everything
	text.WriteString("\r\n")
	text.Write(body)
	return text.Bytes()
}

// turn is one player's requests, one after the other; check reads each answer.
type turn struct {
	requests []request
	check    func(status int, body []byte) error
}

// play sends turns over connections that stay open, one turn at a time on each, and returns the
// time of every request.
func play(ctx context.Context, host string, connections int, turns []turn, progress func(done int)) ([]time.Duration, error) {
	var next, done atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	group, ctx := errgroup.WithContext(ctx)
	for range connections {
		group.Go(func() error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
			if err != nil {
				return err
			}
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			reader := bufio.NewReader(conn)
			var took []time.Duration
			for {
				i := int(next.Add(1)) - 1
				if i >= len(turns) {
					break
				}
				for _, r := range turns[i].requests {
					asked := time.Now()
					if _, err := conn.Write(r); err != nil {
						return err
					}
					status, body, err := readAnswer(reader)
					if err != nil {
						return err
					}
					took = append(took, time.Since(asked))
					if err := turns[i].check(status, body); err != nil {
						return fmt.Errorf("%w: HTTP %d %s", err, status, body)
					}
				}
				if n := done.Add(1); n%100 == 0 {
					progress(int(n))
				}
			}
			mu.Lock()
			all = append(all, took...)
			mu.Unlock()
			return nil
		})
	}
	return all, group.Wait()
}

// readAnswer reads an answer that states its length, as all of ours do.
func readAnswer(r *bufio.Reader) (status int, body []byte, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if len(line) < 12 {
		return 0, nil, errAnswer
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, errAnswer
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, nil, errAnswer
			}
		}
	}
	if length < 0 {
		return 0, nil, errAnswer
	}
	body = make([]byte, length)
	_, err = io.ReadFull(r, body)
	return status, body, err
}

var errAnswer = errors.New("an answer that cannot be read")

package listen

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A second request follows in the same breath: it is answered, or the connection has ended before it.
func TestFaultyRequestsEndTheirConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(CloseFaulty(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(append([]byte(r.URL.Path+" "), body...))
	})))
	t.Cleanup(server.Close)
	const chunked = "5\r\nhello\r\n0\r\n\r\n"
	for name, test := range map[string]struct {
		head, body string
		answers    int
	}{
		"length and encoding":  {"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", chunked, 1},
		"encoding and length":  {"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n", chunked, 1},
		"1.0 with an encoding": {"POST /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "hello", 1},
		"length alone":         {"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", "hello", 2},
		"no body":              {"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "", 2},
		"1.0 without a body":   {"GET /a HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, test.head+test.body+"GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			in, answers := bufio.NewReader(conn), 0
			for {
				response, err := http.ReadResponse(in, nil)
				if err != nil {
					break
				}
				_, err = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if err != nil {
					t.Fatal(err)
				}
				if answers++; response.StatusCode != http.StatusOK {
					t.Errorf("answer %d: %s", answers, response.Status)
				}
			}
			if answers != test.answers {
				t.Errorf("%d answers, want %d", answers, test.answers)
			}
		})
	}
}

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/testbed"
)

// released is what the release 88ce453 left: testdata/released/88ce453.sql.gz is a database after its demo and the
// calls of 88ce453.json, which have the answers that it gave when they came again, and what could be read then.
type released struct {
	Key     string
	Repeats []struct {
		Method, Path, Key, Body string
		Status                  int
		Answer                  json.RawMessage
	}
	Reads []struct {
		Method, Path string
		Status       int
		Answer       json.RawMessage
	}
}

func openReleased(t *testing.T) (*installation, *released) {
	t.Helper()
	url := testbed.EmptyDatabase(t)
	file, err := os.Open("testdata/released/88ce453.sql.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	dump, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.PgConn().Exec(t.Context(), string(dump)).ReadAll(); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/released/88ce453.json")
	if err != nil {
		t.Fatal(err)
	}
	var said released
	if err := json.Unmarshal(text, &said); err != nil {
		t.Fatal(err)
	}
	return install(t, url, testbed.Redis(t)), &said
}

// TestBooksOfAnEarlierRelease brings the books that an earlier release kept up to date: they are even, every request
// that is repeated has the answer it had, and what could be read still says the same.
func TestBooksOfAnEarlierRelease(t *testing.T) {
	i, said := openReleased(t)
	i.clean(t)
	listen := freeAddress(t)
	i.start(t, []string{"api"}, "EVENS_LISTEN="+listen)
	eventually(t, time.Minute, "the API answers", func() bool { return answers("http://"+listen+"/v1/openapi.json", http.StatusOK) })

	call := func(method, path, key, body string) (int, []byte) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+listen+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+said.Key)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, text
	}
	rows := i.count(t, `SELECT (SELECT count(*) FROM transactions) + (SELECT count(*) FROM requests) + (SELECT count(*) FROM coupons)`)
	for _, q := range said.Repeats {
		status, text := call(q.Method, q.Path, q.Key, q.Body)
		if status != q.Status {
			t.Errorf("%s %s %s: %d %s, not %d", q.Method, q.Path, q.Key, status, text, q.Status)
			continue
		}
		if lost := missing(t, q.Answer, text); lost != "" {
			t.Errorf("%s %s %s: %s", q.Method, q.Path, q.Key, lost)
		}
	}
	if now := i.count(t, `SELECT (SELECT count(*) FROM transactions) + (SELECT count(*) FROM requests) + (SELECT count(*) FROM coupons)`); now != rows {
		t.Errorf("the repeats made %d rows", now-rows)
	}
	for _, q := range said.Reads {
		status, text := call(q.Method, q.Path, "", "")
		if status != q.Status {
			t.Errorf("%s %s: %d %s, not %d", q.Method, q.Path, status, text, q.Status)
			continue
		}
		if lost := missing(t, q.Answer, text); lost != "" {
			t.Errorf("%s %s: %s", q.Method, q.Path, lost)
		}
	}
	i.clean(t)
}

// missing names the first value of an earlier answer that today's has no more: answers may grow. What depends on the
// day on which it is asked is left out.
func missing(t *testing.T, earlier, today []byte) string {
	t.Helper()
	var was, is any
	for text, into := range map[*[]byte]*any{&earlier: &was, &today: &is} {
		if len(bytes.TrimSpace(*text)) == 0 {
			continue
		}
		if err := json.Unmarshal(*text, into); err != nil {
			t.Fatalf("%s: %v", *text, err)
		}
	}
	return differs("", was, is)
}

func differs(at string, was, is any) string {
	switch was := was.(type) {
	case map[string]any:
		now, isObject := is.(map[string]any)
		if !isObject {
			return fmt.Sprintf("%s: %v is now %v", at, was, is)
		}
		for name, value := range was {
			if name == "used" || name == "pending" {
				continue
			}
			if lost := differs(at+"."+name, value, now[name]); lost != "" {
				return lost
			}
		}
	case []any:
		now, isList := is.([]any)
		if !isList || len(now) != len(was) {
			return fmt.Sprintf("%s: %v is now %v", at, was, is)
		}
		for n, value := range was {
			if lost := differs(fmt.Sprintf("%s[%d]", at, n), value, now[n]); lost != "" {
				return lost
			}
		}
	default:
		if was != is {
			return fmt.Sprintf("%s: %v is now %v", at, was, is)
		}
	}
	return ""
}

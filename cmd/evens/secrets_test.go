package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"evens/internal/testbed"
	"evens/internal/testbed/testlog"
)

// bearers are keys and tokens of ours in any text.
var bearers = regexp.MustCompile(`ev[kp]_[A-Za-z0-9_-]{20,}`)

// The whole demo, with secrets that are known: none is in a log, an answer, a page, a metric or a table.
func TestSecretsShowNowhere(t *testing.T) {
	if testing.Short() {
		t.Skip("plays the whole demo")
	}
	t.Parallel()
	i := install(t, testbed.EmptyDatabase(t), testbed.Redis(t))
	database, err := url.Parse(i.runtimeURL)
	if err != nil {
		t.Fatal(err)
	}
	const known = "KnownSecret"
	database.User = url.UserPassword(database.User.Username(), known+"Database")
	cache, err := url.Parse(i.redisURL)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{known}
	if password, given := cache.User.Password(); given {
		secrets = append(secrets, password)
	}
	cmd := i.command(t, []string{"demo"}, "EVENS_LISTEN=127.0.0.1:0", "EVENS_LOG_LEVEL=debug", "EVENS_DATABASE_URL="+database.String(), "EVENS_DATABASE_OWNER_URL="+i.databaseURL,
		"EVENS_BET_RESULT_SECRET="+known+"Result", "EVENS_BETRON_PATH_SECRET="+known+"Path", "EVENS_CASHIER_SECRET="+known+"Cashier",
		"EVENS_METRICS_TOKEN="+known+"Metrics")
	var out, log testlog.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
		}
	})
	eventually(t, 3*time.Minute, "the demo has told its story", func() bool {
		select {
		case <-ended:
			said := log.String()
			t.Fatalf("the demo ended\n%s\n%s", out.String(), said[max(0, len(said)-4000):])
		default:
		}
		return strings.Contains(out.String(), "Ctrl-C ends the demo.")
	})
	seen := map[string]string{"standard error": log.String(), "the story": strings.Split(out.String(), "\nBetslip ")[0]}
	for where, text := range i.visit(t, out.String(), known+"Metrics") {
		seen[where] = text
	}
	if len(seen) < 20 {
		t.Errorf("only %d places were looked at", len(seen))
	}
	for where, text := range seen {
		for _, secret := range secrets {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s shows a secret: …%s…", where, text[max(0, at-80):min(len(text), at+40)])
			}
		}
		if bearer := bearers.FindString(text); bearer != "" {
			t.Errorf("%s shows %s", where, bearer)
		}
	}
	for _, secret := range append(secrets, "evk_", "evp_") {
		i.wantNotStored(t, secret)
	}
}

// visit asks for everything that the demo serves, as nobody and as its admin.
func (i *installation) visit(t *testing.T, story, metricsToken string) map[string]string {
	t.Helper()
	find := func(pattern string) string {
		match := regexp.MustCompile(pattern).FindStringSubmatch(story)
		if match == nil {
			t.Fatalf("no %s in\n%s", pattern, story)
		}
		return match[1]
	}
	public, ops := find(`API +(http://[^/]+)/`), find(`Console +(http://[^/]+)/`)
	email, password := find(`Login +(\S+)`), find(`password (\S+)`)
	addresses := []string{
		public + "/v1/openapi.json", public + "/v1/docs", public + "/v1/players", public + "/v1/providers", public + "/v1/nowhere",
		public + "/KnownSecretResul/api/bet/result", public + "/api/bet/result", public + "/casino/betron",
		ops + "/", ops + "/healthz", ops + "/readyz", ops + "/metrics", ops + "/console/", ops + "/console/login", ops + "/console/queues/",
		ops + "/console/queues/api/queues", ops + "/console/queues/api/redis_info", ops + "/console/queues/api/servers",
	}
	for _, table := range []string{"callbacks", "players"} {
		ids, err := pgx.CollectRows(first(i.db.Pool.Query(t.Context(), `SELECT DISTINCT ON (`+map[string]string{
			"callbacks": "provider, path, status", "players": "currency",
		}[table]+`) id::text FROM `+table)), pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			addresses = append(addresses, ops+"/console/"+table+"/"+id)
		}
	}
	seen := make(map[string]string)
	for _, address := range addresses {
		for _, as := range []string{"", email} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
			if err != nil {
				t.Fatal(err)
			}
			if as != "" {
				request.SetBasicAuth(as, password)
			}
			if as != "" && strings.HasSuffix(address, "/metrics") {
				request.Header.Set("Authorization", "Bearer "+metricsToken)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			seen[address+" as "+as] = fmt.Sprint(response.Header) + string(text)
		}
	}
	return seen
}

func first(rows pgx.Rows, err error) pgx.Rows {
	if err != nil {
		return failedRows{err: err}
	}
	return rows
}

// failedRows answers an error when it is read.
type failedRows struct {
	pgx.Rows
	err error
}

// Close implements pgx.Rows.
func (r failedRows) Close() {}

// Err implements pgx.Rows.
func (r failedRows) Err() error { return r.err }

// Next implements pgx.Rows.
func (r failedRows) Next() bool { return false }

// wantNotStored looks for a text in every column of every table.
func (i *installation) wantNotStored(t *testing.T, secret string) {
	t.Helper()
	const columns = `
		SELECT table_name, column_name, data_type FROM information_schema.columns c
		  JOIN pg_class k ON k.oid = format('%I.%I', table_schema, table_name)::regclass AND k.relkind IN ('r', 'p') AND NOT k.relispartition
		 WHERE table_schema = 'public'`
	type column struct{ Table, Name, Type string }
	list, err := pgx.CollectRows(first(i.db.Pool.Query(t.Context(), columns)), pgx.RowToStructByPos[column])
	if err != nil || len(list) < 100 {
		t.Fatalf("%d columns, %v", len(list), err)
	}
	for _, c := range list {
		name := pgx.Identifier{c.Name}.Sanitize()
		holds := `position($1 in ` + name + `::text) > 0`
		if c.Type == "bytea" {
			holds = `position(convert_to($1, 'UTF8') in ` + name + `) > 0`
		}
		var n int
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err := i.db.Pool.QueryRow(ctx, `SELECT count(*) FROM `+pgx.Identifier{c.Table}.Sanitize()+` WHERE `+holds, secret).Scan(&n)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			var example string
			_ = i.db.Pool.QueryRow(t.Context(), `SELECT left(`+pgx.Identifier{c.Table}.Sanitize()+`::text, 900) FROM `+pgx.Identifier{c.Table}.Sanitize()+` WHERE `+holds, secret).Scan(&example)
			t.Errorf("%s.%s holds %s in %d rows: %s", c.Table, c.Name, secret, n, example)
		}
	}
}

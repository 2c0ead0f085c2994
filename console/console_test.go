package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"evens/access"
	"evens/activity"
	"evens/internal/postgres"
	"evens/internal/redis"
	"evens/internal/testbed"
	chromium "evens/internal/testbed/browser"
	"evens/jobs"
)

func TestMain(m *testing.M) { testbed.Main(m, chromium.Close) }

// staff has one operator a role, ROLE@example.com, and ops@example.com, who is an admin.
type staff struct{ err error }

const password = "correct horse"

// Login implements Operators.
func (s staff) Login(_ context.Context, attempt access.Attempt) (access.Operator, error) {
	if s.err != nil {
		return access.Operator{}, s.err
	}
	name, _ := strings.CutSuffix(attempt.Email, "@example.com")
	role := access.Role(name)
	if name == "ops" {
		role = access.Admin
	}
	if attempt.Password != password || !role.AtLeast(access.Viewer) {
		return access.Operator{}, access.ErrLogin
	}
	return access.Operator{ID: uuid.NewSHA1(uuid.Nil, []byte(name)), Email: attempt.Email, Role: role}, nil
}

// Get implements Operators.
func (s staff) Get(ctx context.Context, id uuid.UUID) (access.Operator, error) {
	for _, name := range []string{"ops", "viewer", "operator", "finance", "admin"} {
		if uuid.NewSHA1(uuid.Nil, []byte(name)) == id {
			return s.Login(ctx, access.Attempt{Email: name + "@example.com", Password: password})
		}
	}
	return access.Operator{}, access.ErrNoOperator
}

func serve(t *testing.T, cfg Config) *httptest.Server {
	t.Helper()
	rdb, err := redis.Open(testbed.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	})
	cfg.Queue, cfg.Log, cfg.Metrics, cfg.Now = NewDashboard(rdb), slog.New(slog.DiscardHandler), http.NotFoundHandler(), time.Now
	if cfg.Operators == nil {
		cfg.Operators = staff{}
	}
	if cfg.Sessions == nil {
		cfg.Sessions = memstore.New()
	}
	if cfg.Record == nil {
		cfg.Record = func(context.Context, activity.Entry) error { return nil }
	}
	server := httptest.NewServer(New(cfg))
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, url, email, password string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if email != "" {
		request.SetBasicAuth(email, password)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func TestQueuesWantAnOperator(t *testing.T) {
	t.Parallel()
	server := serve(t, Config{})
	for _, test := range []struct {
		name, email, password string
		status                int
	}{
		{"nobody", "", "", http.StatusUnauthorized},
		{"wrong password", "ops@example.com", "guess", http.StatusUnauthorized},
		{"unknown operator", "eve@example.com", "correct horse", http.StatusUnauthorized},
		{"operator", "ops@example.com", "correct horse", http.StatusOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, body := get(t, server.URL+"/console/queues/", test.email, test.password)
			if status != test.status {
				t.Errorf("status = %d, want %d", status, test.status)
			}
			if shown := strings.Contains(body, "<html"); shown != (test.status == http.StatusOK) {
				t.Errorf("dashboard shown = %t", shown)
			}
		})
	}
}

// When the login cannot be checked, nobody is let in, and nobody is told that they are wrong.
func TestLoginThatCannotBeChecked(t *testing.T) {
	t.Parallel()
	server := serve(t, Config{Operators: staff{errors.New("database away")}})
	if status, _ := get(t, server.URL+"/console/queues/", "ops@example.com", "x"); status != http.StatusServiceUnavailable {
		t.Errorf("status = %d, want 503", status)
	}
}

func TestReadyNamesTheMissingPart(t *testing.T) {
	t.Parallel()
	fine := Part{Name: "redis", Check: func(context.Context) error { return nil }}
	old := errors.New("the schema is old")
	broken := Part{Name: "database", Check: func(context.Context) error {
		return errors.New("dial tcp 10.1.2.3:5432: password authentication failed for user secretly")
	}}
	known := Part{Name: "schema", Known: []error{old}, Check: func(context.Context) error { return fmt.Errorf("user secretly: %w", old) }}
	advised := Part{Name: "role", Check: fine.Check, Advice: func() string { return "the role owns the tables" }}
	for _, test := range []struct {
		name   string
		parts  []Part
		status int
		ready  bool
	}{
		{"all there", []Part{fine, advised}, http.StatusOK, true},
		{"two missing", []Part{fine, broken, known}, http.StatusServiceUnavailable, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			status, body := get(t, serve(t, Config{Parts: test.parts}).URL+"/readyz", "", "")
			var answer struct {
				Ready bool
				Parts map[string]string
			}
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatal(err)
			}
			if status != test.status || answer.Ready != test.ready || answer.Parts["redis"] != "ok" {
				t.Errorf("answer = %d %+v", status, answer)
			}
			if test.ready && answer.Parts["role"] != "ok, but the role owns the tables" {
				t.Errorf("role = %q", answer.Parts["role"])
			}
			if !test.ready && (answer.Parts["database"] != unwell || answer.Parts["schema"] != "the schema is old") {
				t.Errorf("parts = %q", answer.Parts)
			}
			if strings.Contains(body, "secretly") || strings.Contains(body, "10.1.2.3") {
				t.Errorf("anyone is told %s", body)
			}
		})
	}
}

func TestHealthNeedsNothing(t *testing.T) {
	t.Parallel()
	if status, body := get(t, serve(t, Config{}).URL+"/healthz", "", ""); status != http.StatusOK || body != "ok\n" {
		t.Errorf("healthz = %d %q", status, body)
	}
}

func TestBacklogCountsWhatWaits(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.Database(t), MaxConns: 2, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	_, err = db.Pool.Exec(t.Context(), `INSERT INTO result_chunks (result_ids, rung_at) VALUES ('{1,2}', now()), ('{3}', now())`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Pool.Exec(t.Context(), `
		INSERT INTO breaks (id, provider, kind, transaction_id, player, currency, amount, action, at, first_seen, last_seen, statement_id, state)
		SELECT gen_random_uuid(), 'tg', 'amount', n::text, '', '', 1, 'person', now(), now() - interval '1 hour', now(), gen_random_uuid(), CASE n WHEN 3 THEN 'resolved' ELSE 'open' END
		  FROM generate_series(1, 3) n`)
	if err != nil {
		t.Fatal(err)
	}
	backlog := NewBacklog(db.Pool, time.Now, func() ([]jobs.Depth, error) { return []jobs.Depth{{Queue: "settlement", Pending: 4}}, nil })
	want := `
		# HELP evens_breaks_open Differences to providers' lists that are open.
		# TYPE evens_breaks_open gauge
		evens_breaks_open{kind="amount",provider="tg"} 2
		# HELP evens_result_chunks_open Chunks of results not applied yet.
		# TYPE evens_result_chunks_open gauge
		evens_result_chunks_open 2
	`
	if err := testutil.CollectAndCompare(backlog, strings.NewReader(want), "evens_result_chunks_open", "evens_breaks_open"); err != nil {
		t.Error(err)
	}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(backlog); err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Gather(); err != nil {
		t.Error(err)
	}
}

// A scrape while Redis and the database are away still answers, and says so.
func TestBacklogSaysWhatItCannotRead(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), postgres.Config{URL: testbed.EmptyDatabase(t), MaxConns: 2, HotConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	backlog := NewBacklog(db.Pool, time.Now, func() ([]jobs.Depth, error) { return nil, errors.New("redis away") })
	want := `
		# HELP evens_backlog_up 1 when the backlog could be read.
		# TYPE evens_backlog_up gauge
		evens_backlog_up{source="database"} 0
		evens_backlog_up{source="redis"} 0
	`
	if err := testutil.CollectAndCompare(backlog, strings.NewReader(want), "evens_backlog_up"); err != nil {
		t.Error(err)
	}
}

// What the owner has allowed is shown, and changes nothing else.
func TestWarningsAreShown(t *testing.T) {
	t.Parallel()
	fine := Part{Name: "redis", Check: func(context.Context) error { return nil }}
	server := serve(t, Config{Parts: []Part{fine}, Warnings: []string{"anybody may call"}})
	if _, body := get(t, server.URL+"/console/", "viewer@example.com", password); !strings.Contains(body, "anybody may call") {
		t.Errorf("the first page is %s", body)
	}
	status, body := get(t, server.URL+"/readyz", "", "")
	if status != http.StatusOK || !strings.Contains(body, `"warnings":["anybody may call"]`) {
		t.Errorf("/readyz = %d %s", status, body)
	}
	if _, body := get(t, serve(t, Config{Parts: []Part{fine}}).URL+"/readyz", "", ""); strings.Contains(body, "warnings") {
		t.Errorf("/readyz without warnings = %s", body)
	}
}

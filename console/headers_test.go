package console

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"evens/internal/callbacks"
)

// Every answer, whoever asks and whether it is a page or not, says that it stands in no frame, loads nothing
// from elsewhere, and is of the type that it says.
func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	server := serve(t, Config{Callbacks: func(context.Context, uuid.UUID) (callbacks.Record, error) {
		return callbacks.Record{}, callbacks.ErrUnknown
	}})
	for _, path := range []string{
		"/", "/healthz", "/readyz", "/metrics", "/nowhere", "/console", "/console/", "/console/login", "/console/nowhere", "/console/queues/",
		"/console/queues/queues/default", "/console/queues/api/queues", "/console/queues/favicon.ico", "/console/callbacks/" + uuid.NewString(),
		"/console/callbacks/nonsense",
	} {
		for _, email := range []string{"", "viewer@example.com", "ops@example.com"} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if email != "" {
				request.SetBasicAuth(email, password)
			}
			response, err := http.DefaultTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			h := response.Header
			policy := h.Get("Content-Security-Policy")
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") == "" ||
				h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s as %q: headers %v", path, email, h)
			}
			for _, part := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
				if !strings.Contains(policy, part) {
					t.Errorf("%s as %q: the policy %q lacks %s", path, email, policy, part)
				}
			}
			if strings.Contains(policy, "http:") || strings.Contains(policy, "https:") || strings.Contains(policy, "*") ||
				strings.Contains(policy, "script-src 'unsafe") || strings.Contains(policy, "unsafe-eval") {
				t.Errorf("%s as %q: the policy lets others in: %s", path, email, policy)
			}
		}
	}
}

// The dashboard's own scripts run under its policy: each inline one is named by its hash, for both roles.
func TestDashboardRunsUnderItsPolicy(t *testing.T) {
	t.Parallel()
	server := serve(t, Config{})
	for _, email := range []string{"viewer@example.com", "ops@example.com"} {
		status, body := get(t, server.URL+"/console/queues/", email, password)
		scripts := inlineScript.FindAllStringSubmatch(body, -1)
		if status != http.StatusOK || len(scripts) != 2 {
			t.Fatalf("as %s: %d, %d inline scripts", email, status, len(scripts))
		}
		page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		named := strings.Fields(strings.Split(dashboardPolicy(page), ";")[1])[2:]
		if len(named) != 2 {
			t.Fatalf("hashes of the page: %q", named)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/console/queues/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth(email, password)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		for _, hash := range named {
			if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, hash) {
				t.Errorf("as %s: the policy %s lacks %s", email, policy, hash)
			}
		}
	}
}

func TestMetricsAskForTheirToken(t *testing.T) {
	t.Parallel()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("evens_up 1\n")) })
	for _, test := range []struct {
		token, header string
		status        int
	}{
		{"", "", 200}, {"", "Bearer x", 200}, {"long secret", "", 401}, {"long secret", "Bearer wrong", 401}, {"long secret", "long secret", 401},
		{"long secret", "Basic long secret", 401}, {"long secret", "Bearer long secret", 200}, {"long secret", "bearer long secret", 200},
		{"long secret", "Bearer ", 401}, {"long secret", "Bearer long secret2", 401},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if test.header != "" {
			request.Header.Set("Authorization", test.header)
		}
		var answer keptAnswer
		bearer(test.token, metrics).ServeHTTP(&answer, request)
		if answer.status != test.status && (answer.status != 0 || test.status != 200) {
			t.Errorf("token %q, header %q: %d, want %d", test.token, test.header, answer.status, test.status)
		}
		if leaked := strings.Contains(answer.String(), "evens_up"); leaked != (test.status == 200) {
			t.Errorf("token %q, header %q: answered %q", test.token, test.header, answer.String())
		}
	}
}

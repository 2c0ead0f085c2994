package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDescriptionIsComplete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.call(t, "GET", "/v1/openapi.json", nil, func(r *http.Request) { r.Header.Del("Authorization") })
	if kind := got.header.Get("Content-Type"); got.status != http.StatusOK || kind != mediaJSON {
		t.Fatalf("openapi.json: %d %s", got.status, kind)
	}
	var spec struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Summary     string
			Security    []map[string][]string
			Parameters  []struct {
				Name     string
				Required bool
			}
			Responses map[string]struct{ Content map[string]any }
		}
		Components struct {
			Schemas         map[string]any
			SecuritySchemes map[string]any
		}
	}
	got.into(t, &spec)
	if spec.OpenAPI != "3.1.0" || len(spec.Components.SecuritySchemes) != 2 {
		t.Errorf("version %q, %d security schemes, want 3.1.0 and 2", spec.OpenAPI, len(spec.Components.SecuritySchemes))
	}
	for _, call := range append(calls("{id}", "{id}"), calls("{id}", "{id}")[0]) {
		op, ok := spec.Paths[call.path][strings.ToLower(call.method)]
		if !ok {
			t.Errorf("%s %s is not described", call.method, call.path)
			continue
		}
		if op.OperationID == "" || op.Summary == "" {
			t.Errorf("%s %s has no name or summary", call.method, call.path)
		}
		var scopes []string
		forPlayers := false
		for _, requirement := range op.Security {
			scopes = append(scopes, requirement[schemeKey]...)
			_, token := requirement[schemeToken]
			forPlayers = forPlayers || token
		}
		if !slices.Equal(scopes, []string{string(call.scope)}) || forPlayers != call.players {
			t.Errorf("%s %s is for %v, want scope %s and players %v", call.method, call.path, op.Security, call.scope, call.players)
		}
		for status, response := range op.Responses {
			if status >= "400" && response.Content["application/problem+json"] == nil {
				t.Errorf("%s %s: %s is no problem document", call.method, call.path, status)
			}
		}
		for _, parameter := range op.Parameters {
			if parameter.Name == "Idempotency-Key" && parameter.Required == strings.HasSuffix(call.path, "/bonuses") { // honoured there, not asked for
				t.Errorf("%s %s: the Idempotency-Key is required: %t", call.method, call.path, parameter.Required)
			}
		}
	}
	operations := 0
	for _, methods := range spec.Paths {
		operations += len(methods)
	}
	if want := len(calls("", "")) + 1; operations != want {
		t.Errorf("%d operations described, want %d", operations, want)
	}
	refs := regexp.MustCompile(`"\$ref":"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(got.body, -1)
	for _, ref := range refs {
		if spec.Components.Schemas[ref[1]] == nil {
			t.Errorf("schema %s is named and not there", ref[1])
		}
	}
}

func TestDocsNeedNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.call(t, "GET", "/v1/docs", nil, func(r *http.Request) { r.Header.Del("Authorization") })
	if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		t.Fatalf("docs: %d %s", got.status, got.header.Get("Content-Type"))
	}
	for _, foreign := range []string{"http://", "https://", "<script", "<link", "src=", "@import", "url("} {
		if strings.Contains(got.body, foreign) {
			t.Errorf("the page contains %q", foreign)
		}
	}
	_, rest, _ := strings.Cut(got.body, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	digest := sha256.Sum256([]byte(style))
	if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, base64.StdEncoding.EncodeToString(digest[:])) {
		t.Errorf("the policy %q does not let the page's own style in", policy)
	}
	for _, call := range calls("{id}", "{id}") {
		if !strings.Contains(got.body, ">"+call.path+"<") {
			t.Errorf("%s is not on the page", call.path)
		}
	}
	for _, m := range meanings {
		if !strings.Contains(got.body, m.Code) {
			t.Errorf("code %s is not on the page", m.Code)
		}
	}
	for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(got.body, -1) {
		if !strings.Contains(got.body, `id="`+link[1]+`"`) {
			t.Errorf("a link leads to #%s, which is not there", link[1])
		}
	}
}

func TestCodesAreDistinct(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range meanings {
		if seen[m.Code] || m.Status < 400 || http.StatusText(m.Status) == "" || m.Text == "" || statusOf(m.Code) != m.Status {
			t.Errorf("code %+v is there twice or incomplete", m)
		}
		seen[m.Code] = true
	}
	if got := statusOf("made up"); got != http.StatusInternalServerError {
		t.Errorf("statusOf() of an unknown code = %d, want 500", got)
	}
}

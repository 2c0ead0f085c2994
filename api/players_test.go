package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestPlayerIsCreatedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := fields{"external_id": "ext-1", "name": "Ann", "email": "ann@example.com", "currency": "USD"}
	first := b.call(t, "POST", "/v1/players", body)
	var made playerView
	first.into(t, &made)
	want := playerView{
		ID: made.ID, ExternalID: "ext-1", Name: "Ann", Email: "ann@example.com", Currency: "USD", Status: "active", CreatedAt: made.CreatedAt,
	}
	if first.status != http.StatusCreated || made != want || made.CreatedAt.IsZero() {
		t.Errorf("first: %d %+v, want 201 %+v", first.status, made, want)
	}
	if id, ok := parseID(made.ID); !ok || id.Version() != 7 {
		t.Errorf("id %q is no UUIDv7", made.ID)
	}
	for name, again := range map[string]answer{
		"created again": b.call(t, "POST", "/v1/players", body.with("name", "Someone else")),
		"read":          b.call(t, "GET", "/v1/players/"+made.ID, nil),
	} {
		var got playerView
		again.into(t, &got)
		if again.status != http.StatusOK || got != want {
			t.Errorf("%s: %d %+v, want 200 %+v", name, again.status, got, want)
		}
	}
	b.call(t, "POST", "/v1/players", body.with("currency", "EUR")).check(t, http.StatusConflict, CodePlayerConflict)
}

func TestPlayerThatIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := fields{"external_id": "ext-1", "name": "Ann", "email": "ann@example.com", "currency": "USD"}
	for _, test := range []struct {
		name, field string
		value       any
	}{
		{"no external id", "external_id", nil},
		{"an empty external id", "external_id", ""},
		{"a long external id", "external_id", strings.Repeat("x", longestExternalID+1)},
		{"a control character PostgreSQL can't store", "name", "A\x00nn"},
		{"a number as name", "name", 7},
		{"a long e-mail", "email", strings.Repeat("x", longestEmail+1)},
		{"no currency", "currency", nil},
		{"a currency in small letters", "currency", "usd"},
		{"a currency that is none", "currency", "QQQ"},
		{"a field that nobody knows", "curency", "USD"},
	} {
		p := b.call(t, "POST", "/v1/players", body.with(test.field, test.value)).check(t, http.StatusUnprocessableEntity, CodeValidationFailed)
		if len(p.Errors) != 1 || p.Errors[0].Location != "body."+test.field || !strings.HasPrefix(p.Detail, test.field+": ") {
			t.Errorf("%s: errors %+v, detail %q, want %s named", test.name, p.Errors, p.Detail, test.field)
		}
	}
	for _, id := range []string{uuid.NewString(), "ext-1", "%00", "%ff"} {
		b.call(t, "GET", "/v1/players/"+id, nil).check(t, http.StatusNotFound, CodePlayerNotFound)
	}
}

func TestTokenLivesAsLongAsAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "")
	for _, test := range []struct {
		body any
		want time.Duration
	}{
		{nil, 24 * time.Hour},
		{"{}", 24 * time.Hour},
		{`{"ttl": null}`, 24 * time.Hour},
		{`{"ttl": "90m"}`, 90 * time.Minute},
		{`{"ttl": "3600"}`, time.Hour},
		{`{"ttl": 60}`, time.Minute},
		{`{"ttl": "720h"}`, 30 * 24 * time.Hour},
	} {
		made := b.call(t, "POST", "/v1/players/"+p.ID+"/tokens", test.body)
		var out struct {
			Token   string
			Expires time.Time `json:"expires_at"`
		}
		made.into(t, &out)
		left := time.Until(out.Expires)
		if made.status != http.StatusOK || !strings.HasPrefix(out.Token, "evp_") || left > test.want || left < test.want-time.Minute {
			t.Errorf("ttl %v: %d %s, want 200 and a token for %s", test.body, made.status, made.body, test.want)
		}
	}
	for _, body := range []string{`{"ttl": "721h"}`, `{"ttl": 0}`, `{"ttl": -5}`, `{"ttl": "soon"}`, `{"ttl": 1.5}`, `{"ttl": 99999999999999999999}`, `{"ttl": true}`, `[]`} {
		b.call(t, "POST", "/v1/players/"+p.ID+"/tokens", body).check(t, http.StatusUnprocessableEntity, CodeValidationFailed)
	}
	b.call(t, "POST", "/v1/players/"+uuid.NewString()+"/tokens", nil).check(t, http.StatusNotFound, CodePlayerNotFound)
}

func TestWalletOfAPlayer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.player(t, "150.01")
	var got walletView
	read := b.call(t, "GET", "/v1/players/"+p.ID+"/wallet", nil)
	read.into(t, &got)
	want := walletView{PlayerID: p.ID, Currency: "USD", Cash: "150.01", Bonus: "0.00", Total: "150.01"}
	if diff := cmp.Diff(want, got); read.status != http.StatusOK || diff != "" {
		t.Errorf("wallet %d (-want +got):\n%s", read.status, diff)
	}
	b.call(t, "GET", "/v1/players/"+uuid.NewString()+"/wallet", nil).check(t, http.StatusNotFound, CodePlayerNotFound)
}

func TestProviders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.call(t, "GET", "/v1/providers", nil)
	want := `{"items":[{"name":"bet","configured":true},{"name":"tg","configured":false},{"name":"naga","configured":false},{"name":"cashier","configured":false}],"next_cursor":null}` + "\n"
	if got.status != http.StatusOK || got.body != want {
		t.Errorf("providers: %d %s, want 200 %s", got.status, got.body, want)
	}
}

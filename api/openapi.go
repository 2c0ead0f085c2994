package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const about = `Players, wallets, coupons and what happens to them.

Authenticate with "Authorization: Bearer" and an API key (evk_…) or a player's token (evp_…). A key opens the
scopes it was made with. A token opens its player's own coupons, wallet, transactions, limits, bonuses and events and the list of
providers; another player's id is refused with 403, another player's coupon is a 404.

Amounts and coefficients are strings in plain decimals ("150.00"); an amount that you state has
at most the decimals that ISO 4217 gives its currency. Times are RFC 3339 in UTC.

Every POST that moves money takes an Idempotency-Key: the same key with the same body is answered as at first, with
another body it is a 409. After an answer of 500 or 503, or none at all, repeat the call with the same key.

Errors are application/problem+json (RFC 9457) with a stable "code"; "errors" names the fields that are wrong.

Lists answer {"items": […], "next_cursor": …}; pass next_cursor as cursor for the next page.`

// Names of the security schemes.
const (
	schemeKey   = "apiKey"
	schemeToken = "playerToken"
)

func description(version string) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "Evens", Version: version, Description: about},
		Servers: []*huma.Server{{URL: "/"}},
		Tags: []*huma.Tag{
			{Name: "Players", Description: "Who has a wallet, and their tokens"},
			{Name: "Wallet", Description: "What a player has, and what moved it"},
			{Name: "Cashier", Description: "Money in and out"},
			{Name: "Limits", Description: "What a player may deposit, lose and stake"},
			{Name: "Bonuses", Description: "The house's money, and what must be staked to keep it"},
			{Name: "Coupons", Description: "Singles and expresses, placed and followed"},
			{Name: "Games", Description: "Providers"},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				schemeKey:   {Type: "http", Scheme: "bearer", BearerFormat: "evk_", Description: "An API key with the scope that is named"},
				schemeToken: {Type: "http", Scheme: "bearer", BearerFormat: "evp_", Description: "A player's token"},
			},
		},
	}
}

// schemaNames gives our unexported types the names callers know them by.
var schemaNames = map[reflect.Type]string{
	reflect.TypeFor[playerView]():      "Player",
	reflect.TypeFor[walletView]():      "Wallet",
	reflect.TypeFor[limitsView]():      "LimitsInForce",
	reflect.TypeFor[capsView]():        "Caps",
	reflect.TypeFor[usedView]():        "Used",
	reflect.TypeFor[pendingView]():     "PendingLimit",
	reflect.TypeFor[bonusView]():       "Bonus",
	reflect.TypeFor[transactionView](): "Transaction",
	reflect.TypeFor[transactionPage](): "TransactionPage",
	reflect.TypeFor[couponView]():      "Coupon",
	reflect.TypeFor[couponPage]():      "CouponPage",
	reflect.TypeFor[selectionView]():   "Selection",
	reflect.TypeFor[settlementView]():  "Settlement",
	reflect.TypeFor[resultView]():      "Result",
	reflect.TypeFor[couponError]():     "CouponError",
}

func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if name, ok := schemaNames[t]; ok {
		return name
	}
	return huma.DefaultSchemaNamer(t, hint)
}

func schemaOf[T any](s *server, hint string) *huma.Schema {
	return s.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, hint)
}

// security says in OpenAPI what an admission says to the guard.
func security(who admission) []map[string][]string {
	var requirements []map[string][]string
	if who.scope != "" {
		requirements = append(requirements, map[string][]string{schemeKey: {string(who.scope)}})
	}
	if who.players {
		requirements = append(requirements, map[string][]string{schemeToken: {}})
	}
	return requirements
}

// openAnswers lets answers grow: a client must not refuse a field it does not know. What is sent
// to us stays closed, so that a misspelt field is found out.
func (s *server) openAnswers() {
	schemas := s.huma.OpenAPI().Components.Schemas.Map()
	sent := make(map[string]bool)
	var send func(*huma.Schema)
	send = func(schema *huma.Schema) {
		name := strings.TrimPrefix(schema.Ref, schemaPrefix)
		if named, known := schemas[name]; known && !sent[name] {
			sent[name] = true
			for _, property := range named.Properties {
				send(property)
			}
		}
	}
	for _, op := range s.operations {
		if op.RequestBody != nil {
			for _, content := range op.RequestBody.Content {
				send(content.Schema)
			}
		}
	}
	for name, schema := range schemas {
		if !sent[name] {
			schema.AdditionalProperties = nil
		}
	}
}

// describe serves the description, to programs and to people. It is complete once routes ran.
func (s *server) describe(mux *http.ServeMux) {
	for _, op := range s.operations {
		for _, parameter := range op.Parameters {
			if parameter.Name == "Idempotency-Key" && strings.HasPrefix(parameter.Description, "Required") {
				parameter.Required = true // asked for by idempotencyKey, for the sake of its code
			}
		}
	}
	s.openAnswers()
	spec, err := json.Marshal(s.huma.OpenAPI())
	if err != nil {
		panic(err) // a mistake in the types above, seen at start
	}
	mux.HandleFunc("GET /v1/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", mediaJSON)
		_, _ = w.Write(spec)
	})
	page, policy := docsPage(s.huma.OpenAPI(), s.operations)
	mux.HandleFunc("GET /v1/docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		_, _ = w.Write(page)
	})
}

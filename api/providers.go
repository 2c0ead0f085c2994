package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

var listProviders = huma.Operation{
	OperationID: "list-providers", Method: http.MethodGet, Path: "/v1/providers", Tags: []string{"Games"},
	Summary: "List the providers and whether each is configured",
}

type providersOutput struct {
	Body struct {
		Items      []Provider `json:"items" nullable:"false"`
		NextCursor *string    `json:"next_cursor" doc:"Always null: there is one page"`
	} `nameHint:"ProviderList"`
}

func (s *server) listProviders(context.Context, *caller, *struct{}) (*providersOutput, error) {
	out := &providersOutput{}
	out.Body.Items = append([]Provider{}, s.cfg.Providers...)
	return out, nil
}

package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"evens/internal/download"
	"evens/player"
)

// transactionsCSV streams the whole selection. An error before the first line is answered as a
// problem; after it the connection is cut.
func (s *server) transactionsCSV(ctx context.Context, id uuid.UUID, filter player.HistoryFilter) *huma.StreamResponse {
	filter.Before = uuid.NullUUID{}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		begun, err := download.CSV(w, player.CSVFile, player.CSVHeader(), s.cfg.History.Lines(ctx, id, filter))
		switch {
		case err == nil:
		case begun:
			eventOf(ctx).err = err
			panic(http.ErrAbortHandler)
		default:
			s.refusal(ctx, err).write(w)
		}
	}}
}

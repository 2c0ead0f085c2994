package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"evens/player"
)

// writeTimeout is how long a client of a stream may leave a piece of it untaken.
const writeTimeout = 20 * time.Second

// transactionsCSV streams the whole selection. Its memory is that of one chunk and a buffer,
// however long the list. An error before the first line is answered as a problem; after it the
// connection is cut, so that a part can't pass for the whole.
func (s *server) transactionsCSV(ctx context.Context, id uuid.UUID, filter player.HistoryFilter) *huma.StreamResponse {
	filter.Before = uuid.NullUUID{}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		out := &patientWriter{ResponseWriter: w, conn: http.NewResponseController(w)}
		lift(out.conn)
		defer lift(out.conn)
		lines := csv.NewWriter(bufio.NewWriterSize(out, 32<<10))
		started := false
		for m, err := range s.cfg.History.All(ctx, id, filter) {
			if err != nil && !started {
				s.refusal(ctx, err).write(w)
				return
			}
			if err != nil {
				eventOf(ctx).err = err
				panic(http.ErrAbortHandler)
			}
			if !started {
				started = true
				startCSV(w, lines)
			}
			if lines.Write(m.CSV()) != nil {
				return // the client is gone
			}
		}
		if !started {
			startCSV(w, lines)
		}
		lines.Flush()
	}}
}

func startCSV(w http.ResponseWriter, lines *csv.Writer) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="transactions.csv"`)
	w.WriteHeader(http.StatusOK)
	_ = lines.Write(player.CSVHeader()) // into the buffer
}

// lift takes the server's deadlines off a connection that streams.
func lift(conn *http.ResponseController) {
	// Where a connection knows no deadlines there are none to lift.
	_ = conn.SetReadDeadline(time.Time{})
	_ = conn.SetWriteDeadline(time.Time{})
}

// patientWriter gives each write its own deadline.
type patientWriter struct {
	http.ResponseWriter
	conn *http.ResponseController
}

// Write implements io.Writer.
func (w *patientWriter) Write(data []byte) (int, error) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	return w.ResponseWriter.Write(data)
}

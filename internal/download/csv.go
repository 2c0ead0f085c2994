// Package download sends long tables to whoever asked for them.
package download

import (
	"bufio"
	"iter"
	"net/http"
	"time"
)

// WriteTimeout is how long a client may leave a piece of a stream untaken.
const WriteTimeout = 20 * time.Second

// CSV streams lines under a header as a file. Its memory is that of a buffer, however many lines there
// are. An error of the first line is returned with begun = false and nothing is sent, so that it can
// be answered; one that comes later is returned with begun = true, and the connection must be cut, so
// that a part can't pass for the whole. A client that goes away ends it without an error.
func CSV(w http.ResponseWriter, file string, header []string, lines iter.Seq2[[]string, error]) (begun bool, err error) {
	out := &patientWriter{ResponseWriter: w, conn: http.NewResponseController(w)}
	Lift(out.conn)
	defer Lift(out.conn)
	table := NewTable(bufio.NewWriterSize(out, 32<<10), header)
	begin := func() {
		begun = true
		w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
		w.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
		w.WriteHeader(http.StatusOK)
		_ = table.Begin() // into the buffer
	}
	for line, err := range lines {
		if err != nil {
			return begun, err
		}
		if !begun {
			begin()
		}
		if table.Write(line) != nil {
			return true, nil // the client is gone
		}
	}
	if !begun {
		begin()
	}
	_ = table.Flush() // the client is gone
	return true, nil
}

// Lift takes the server's deadlines off a connection that streams.
func Lift(conn *http.ResponseController) {
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
	_ = w.conn.SetWriteDeadline(time.Now().Add(WriteTimeout))
	return w.ResponseWriter.Write(data)
}

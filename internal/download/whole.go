package download

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"evens/internal/problem"
)

// Bounds of answers that are kept until they are whole.
const (
	inMemory    = 256 << 10 // of one answer; what is longer goes to a file
	filesAtOnce = 16        // of one process
	largestFile = 1 << 30   // compressed
	retryAfter  = "5"       // seconds
)

var (
	errFiles  = errors.New("too many answers over HTTP/1.0 are being written")
	errLength = errors.New("an answer over HTTP/1.0 is too long")
)

// Whole sends no part of an answer over HTTP/1.0, where nothing but a length tells a part from the whole: proxies that
// speak it to us, nginx as it comes among them, would hand half a file on as all of it. An answer is kept, in memory or
// compressed in a file that has no name any more, and sent with its length once it has ended. One that the handler cuts
// is 503 instead. Event streams, which never end, are sent as they come. Later versions of HTTP tell by themselves and
// pass through.
func Whole(next http.Handler, log *slog.Logger) http.Handler {
	return newWhole(next, log, largestFile)
}

func newWhole(next http.Handler, log *slog.Logger, largest int64) http.Handler {
	files := make(chan struct{}, filesAtOnce)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.ProtoMinor != 0 || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		kept := &keeper{
			ResponseWriter: w, conn: http.NewResponseController(w), before: w.Header().Clone(), files: files, largest: largest,
		}
		defer kept.release()
		cut := kept.serve(next, r)
		switch {
		case kept.passes || !kept.begun:
		case kept.err != nil:
			log.ErrorContext(r.Context(), "an answer could not be kept until it was whole", "path", r.URL.Path, "error", kept.err)
			kept.refuse("the answer could not be written as a whole: ask for less at once, or by HTTP/1.1")
		case cut:
			kept.refuse("the answer could not be completed, and nothing of it was sent")
		default:
			kept.send()
		}
	})
}

// keeper is the http.ResponseWriter of a handler whose answer is kept.
type keeper struct {
	http.ResponseWriter
	conn    *http.ResponseController
	before  http.Header // what was set before the handler came
	files   chan struct{}
	largest int64

	begun, passes bool
	status        int
	size          int64
	memory        bytes.Buffer
	file          *os.File
	zip           *gzip.Writer
	err           error
}

// serve runs the handler, and tells whether it cut its answer.
func (k *keeper) serve(next http.Handler, r *http.Request) (cut bool) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if cause != http.ErrAbortHandler || k.passes || !k.begun { //nolint:errorlint // panics are compared as net/http does
			panic(cause)
		}
		cut = true
	}()
	next.ServeHTTP(k, r)
	return false
}

// WriteHeader implements http.ResponseWriter.
func (k *keeper) WriteHeader(status int) {
	if status < http.StatusOK {
		k.ResponseWriter.WriteHeader(status)
		return
	}
	if k.begun {
		return
	}
	k.begun, k.status = true, status
	h := k.Header()
	k.passes = strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") || h.Get("Content-Length") != "" ||
		status == http.StatusNoContent || status == http.StatusNotModified
	if k.passes {
		k.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (k *keeper) Write(data []byte) (n int, err error) {
	k.WriteHeader(http.StatusOK)
	if k.passes {
		return k.ResponseWriter.Write(data)
	}
	if k.err == nil {
		k.err = k.keep(data)
	}
	if k.err != nil {
		return 0, k.err
	}
	k.size += int64(len(data))
	return len(data), nil
}

func (k *keeper) keep(data []byte) error {
	if k.zip == nil && k.memory.Len()+len(data) <= inMemory {
		_, err := k.memory.Write(data)
		return err
	}
	if k.zip == nil {
		if err := k.open(); err != nil {
			return err
		}
	}
	_, err := k.zip.Write(data)
	return err
}

// open goes on in a file. It has no name from the start, so that nothing is left of it whatever ends the process.
func (k *keeper) open() error {
	select {
	case k.files <- struct{}{}:
	default:
		return errFiles
	}
	file, err := os.CreateTemp("", "evens-answer-*") // for its owner alone
	if err != nil {
		<-k.files
		return err
	}
	k.file = file
	if err := os.Remove(file.Name()); err != nil {
		return err
	}
	k.zip, err = gzip.NewWriterLevel(&bounded{to: file, left: k.largest}, gzip.BestSpeed)
	if err != nil {
		return err
	}
	_, err = k.memory.WriteTo(k.zip)
	return err
}

// bounded refuses what goes beyond a length.
type bounded struct {
	to   io.Writer
	left int64
}

// Write implements io.Writer.
func (b *bounded) Write(data []byte) (int, error) {
	if b.left -= int64(len(data)); b.left < 0 {
		return 0, errLength
	}
	return b.to.Write(data)
}

// Flush implements http.Flusher.
func (k *keeper) Flush() { _ = k.FlushError() }

// FlushError is how http.ResponseController flushes. What is kept stays.
func (k *keeper) FlushError() error {
	if k.passes {
		return k.conn.Flush()
	}
	return nil
}

// Unwrap is for http.ResponseController.
func (k *keeper) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// send sends what was kept, with its length.
func (k *keeper) send() {
	from, err := k.kept()
	if err != nil {
		k.refuse("the answer could not be read back")
		return
	}
	k.Header().Set("Content-Length", strconv.FormatInt(k.size, 10))
	Lift(k.conn)
	defer Lift(k.conn)
	k.ResponseWriter.WriteHeader(k.status)
	// A client that is gone, or a file that is not, ends it before its length: that shows.
	_, _ = io.Copy(&patientWriter{ResponseWriter: k.ResponseWriter, conn: k.conn}, from)
}

func (k *keeper) kept() (io.Reader, error) {
	if k.zip == nil {
		return &k.memory, nil
	}
	if err := k.zip.Close(); err != nil {
		return nil, err
	}
	if _, err := k.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return gzip.NewReader(k.file)
}

// refuse answers that there is no answer.
func (k *keeper) refuse(detail string) {
	h := k.Header()
	clear(h)
	maps.Copy(h, k.before)
	h.Set("Retry-After", retryAfter)
	_ = k.conn.SetWriteDeadline(time.Now().Add(WriteTimeout))
	problem.Write(k.ResponseWriter, http.StatusServiceUnavailable, "unavailable", detail)
}

func (k *keeper) release() {
	if k.file == nil {
		return
	}
	_ = k.file.Close() // it has no name and nobody reads it any more
	<-k.files
}

package console

import (
	"bytes"
	"maps"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// foreignSheet is a style sheet of somebody else's: the dashboard's page asks for fonts that its text and icons
// can do without, and that its policy keeps out.
var foreignSheet = regexp.MustCompile(`<link rel="stylesheet" href="https?:[^>]*>`)

// ownFontsOnly takes foreign style sheets out of the dashboard's pages, so that the browser has nothing to refuse.
func ownFontsOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || path.Ext(r.URL.Path) != "" || strings.HasPrefix(r.URL.Path, queuesPath+"/api/") { // no page
			next.ServeHTTP(w, r)
			return
		}
		var page keptAnswer
		next.ServeHTTP(&page, r)
		body := page.Bytes()
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<!doctype html>")) {
			body = foreignSheet.ReplaceAll(body, nil)
		}
		maps.Copy(w.Header(), page.Header())
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		if page.status != 0 {
			w.WriteHeader(page.status)
		}
		_, _ = w.Write(body)
	})
}

// keptAnswer is a http.ResponseWriter that keeps the body and the status.
type keptAnswer struct {
	buffer
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *keptAnswer) WriteHeader(status int) { a.status = status }

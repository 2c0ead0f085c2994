package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// dashboardPolicy is the policy of a page that we did not write: its inline scripts are named by their hashes, its
// files are its own, its styles are made by its scripts. The fonts that it asks others for do not load: its text
// and icons need none.
func dashboardPolicy(pages ...http.Handler) string {
	var hashes []string
	for _, page := range pages {
		var index buffer
		page.ServeHTTP(&index, &http.Request{
			Method: http.MethodGet, URL: &url.URL{Path: queuesPath + "/"}, Header: http.Header{}, Body: http.NoBody, RequestURI: queuesPath + "/",
		})
		for _, script := range inlineScript.FindAllSubmatch(index.Bytes(), -1) {
			digest := sha256.Sum256(script[1])
			hashes = append(hashes, "'sha256-"+base64.StdEncoding.EncodeToString(digest[:])+"'")
		}
	}
	slices.Sort(hashes)
	return "default-src 'none'; script-src 'self' " + strings.Join(slices.Compact(hashes), " ") + "; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// buffer is a http.ResponseWriter that keeps the body.
type buffer struct {
	bytes.Buffer
	header http.Header
}

// Header implements http.ResponseWriter.
func (b *buffer) Header() http.Header {
	if b.header == nil {
		b.header = make(http.Header)
	}
	return b.header
}

// WriteHeader implements http.ResponseWriter.
func (b *buffer) WriteHeader(int) {}

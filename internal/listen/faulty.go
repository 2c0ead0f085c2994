package listen

import "net/http"

// CloseFaulty ends a connection after a request whose end two readers may see at two places (RFC 9112, 6.1): one
// with a Transfer-Encoding, for net/http takes a Content-Length beside it away and does not tell, and one of HTTP/1.0
// with a body, where net/http takes a Transfer-Encoding away. What a proxy before us took for the rest of such a
// request is never read as the next one. The request itself is served.
func CloseFaulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 && (len(r.TransferEncoding) > 0 || r.ProtoMinor == 0 && r.ContentLength != 0) {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

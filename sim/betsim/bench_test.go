package betsim

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// loginDirectly and placeDirectly call the handler without a network.
func loginDirectly(t testing.TB, s *Server) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/WebServices/BCService.asmx/LogIn/",
		strings.NewReader(`{"login":"demo","password":"demo"}`)))
	return w.Result().Cookies()[0]
}

func placeDirectly(t testing.TB, s *Server, body []byte, cookie *http.Cookie) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/bet/place/", bytes.NewReader(body))
	r.AddCookie(cookie)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatal(w.Code, w.Body)
	}
}

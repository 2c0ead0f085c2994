package demo

import (
	_ "embed"
	"net/http"
)

// BetslipPath is where the demo's betslip page is served.
const BetslipPath = "/demo/betslip"

//go:embed betslip.html
var betslip []byte

// Betslip serves the page: a stand-in for the web frontend, that places coupons with a player's
// token and shows each change as it is sent.
func Betslip() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'")
		_, _ = w.Write(betslip)
	})
}

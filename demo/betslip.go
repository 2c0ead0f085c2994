package demo

import (
	_ "embed"
	"net/http"
)

// BetslipPath is where the demo's betslip page is served.
const BetslipPath = "/demo/betslip"

//go:embed betslip.html
var betslip []byte

// betslipPolicy keeps the page to itself: it loads nothing, and calls nobody but Evens.
const betslipPolicy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Betslip serves the page: a stand-in for the web frontend, that places coupons with a player's
// token and shows each change as it is sent.
func Betslip() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", betslipPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		_, _ = w.Write(betslip)
	})
}

package demo

import (
	"embed"
	"encoding/json"
	"net/http"
	"path"

	"evens/money"
)

// BetslipPath is where the demo's betslip page is served; what it loads lies below.
const BetslipPath = "/demo/betslip"

//go:embed betslip
var betslip embed.FS

// betslipPolicy keeps the page to itself: it runs and loads its own files alone, and calls nobody but Evens.
const betslipPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

var betslipTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
}

// currenciesFile tells the page the decimals of every currency. It is not among the files: money has the list.
const currenciesFile = "currencies.js"

// Betslip serves the page, to be mounted at [BetslipPath] and below: a stand-in for the web frontend, that places
// coupons with a player's token and shows each change as it is sent.
func Betslip() http.Handler {
	currencies := currenciesScript()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := "page.html"
		if r.URL.Path != BetslipPath {
			name = path.Base(r.URL.Path)
		}
		content, err := betslip.ReadFile("betslip/" + name)
		if name == currenciesFile {
			content, err = currencies, nil
		}
		if err != nil {
			http.NotFound(w, r)
			return
		}
		header := w.Header()
		header.Set("Content-Type", betslipTypes[path.Ext(name)])
		header.Set("Content-Security-Policy", betslipPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		_, _ = w.Write(content) //nolint:gosec // a file of ours, whose name alone was asked for
	})
}

func currenciesScript() []byte {
	decimals := make(map[money.Currency]int)
	for _, c := range money.Currencies() {
		decimals[c] = c.Decimals()
	}
	list, err := json.Marshal(decimals)
	if err != nil {
		panic(err) // a map of texts to numbers
	}
	return []byte("// ISO 4217's decimals of every currency, as Evens counts.\nexport const decimals = " + string(list) + ";\n")
}

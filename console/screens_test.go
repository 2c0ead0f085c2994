package console

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"evens/internal/callbacks"
	chromium "evens/internal/testbed/browser"
	"evens/ledger"
	"evens/money"
	"evens/player"
	"evens/wallet"
)

// hostile is a name that a player may have from an earlier release: it turns what comes after it round, and is as
// long as a name can be.
var hostile = "\u202e" + strings.Repeat("W", 149)

// Every page of the console, in a real browser under its own headers: no error and no breach of its policy in the
// browser's console, everything written to be read in both themes, nothing wider than the screen.
func TestEveryPageInABrowser(t *testing.T) {
	t.Parallel()
	support, poster := newSupport(t)
	create := func(name, external string) player.Player {
		who, _, err := support.Players.Create(t.Context(), player.Registration{ExternalID: external, Name: name, Email: "a@example.com", Currency: "USD"})
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
	odd := create(hostile, "\u202eabc"+strings.Repeat("x", 90))
	create("Ana", "ana")
	spend(t, poster, odd.ID, "-12345.60")
	spend(t, poster, odd.ID, "20000.00")
	server := serve(t, Config{
		Support: support, Warnings: []string{"anybody may call " + strings.Repeat("W", 150)},
		Callbacks: func(context.Context, uuid.UUID) (callbacks.Record, error) {
			return callbacks.Record{Provider: "tg", Body: []byte(`{"name":"` + hostile + `"}`), Status: 200}, nil
		},
	})
	// The documents that are no pages are shown too: what comes of a wrong address, and JSON.
	paths := []string{
		"/console/login?next=" + url.QueryEscape("/console/"), "/console/", "/console/players/" + odd.ID.String(),
		"/console/players/" + odd.ID.String() + "?type=" + url.QueryEscape(hostile), "/console/players/ana",
		"/console/queues/", "/console/queues/schedulers", "/console/queues/servers", "/console/queues/redis", "/console/queues/settings",
		"/console/callbacks/" + uuid.NewString(),
	}
	p := logIn(t, server)
	for _, width := range []int64{1280, 390} {
		p.Do(t, chromedp.EmulateViewport(width, 800))
		for _, path := range paths {
			p.Do(t, chromedp.Navigate(server.URL+path))
			ours := !strings.HasPrefix(path, "/console/queues/")
			if !ours {
				p.Until(t, "the dashboard is drawn", `document.querySelector("#root")?.innerText.length > 20`)
			}
			for _, theme := range []string{"light", "dark"} {
				p.Look(t, "prefers-color-scheme", theme)
				if ours && strings.Contains(path, "callbacks") {
					continue // the browser's own view of JSON
				}
				if ours { // the dashboard is as its authors made it
					for _, faint := range p.Faint(t) {
						t.Errorf("%s, %d wide, %s: %s", path, width, theme, faint)
					}
					if wide := chromium.Evaluate[int64](t, p, "document.documentElement.scrollWidth"); wide > width {
						t.Errorf("%s is %d wide on a screen of %d", path, wide, width)
					}
				}
				p.Keep(t, fmt.Sprintf("console-%s-%d-%s", strings.NewReplacer("/", "_", "?", "_").Replace(path[9:min(len(path), 60)]), width, theme))
			}
		}
	}
}

// logIn is a tab of an operator who has logged in.
func logIn(t *testing.T, server *httptest.Server) *chromium.Page {
	t.Helper()
	// The dashboard's charts draw bars of less than nothing where there is no room; that is its authors'.
	p := chromium.Open(t, server.URL+"/console/", 1280, 800, "Error: <rect> attribute")
	p.Do(t, chromedp.Focus(chromedp.CSS("input[name=email]")))
	p.Press(t, "ops@example.com")
	p.Do(t, chromedp.Focus(chromedp.CSS("input[name=password]")))
	p.Press(t, password+"\r")
	p.Until(t, "the login leads to the console", `document.querySelector("h1")?.innerText === "Console"`)
	return p
}

// spend moves cash of a player: out with a minus.
func spend(t *testing.T, poster *wallet.Poster, who uuid.UUID, cash string) {
	t.Helper()
	now := time.Now().UTC()
	key := ledger.Key{Source: "test", ExternalID: "\u202e" + strings.Repeat("t", 100) + uuid.NewString()}
	work := &wallet.Work{Players: []uuid.UUID{who}, Keys: []ledger.Key{key}, At: now}
	work.Decide = func(batch *wallet.Batch) error {
		_, _, err := batch.Post(ledger.Transaction{Key: key, Kind: ledger.Rollback, Player: who, Provider: "tg", Round: hostile, Game: hostile, At: now},
			wallet.Split{Cash: -money.MustParse(cash)}.Moves(ledger.Casino)...)
		return err
	}
	if err := poster.Do(t.Context(), work); err != nil {
		t.Fatal(err)
	}
}

// What somebody typed does not turn the text beside it round: the page's own words stay where they are.
func TestOutsideTextIsIsolated(t *testing.T) {
	t.Parallel()
	support, _ := newSupport(t)
	who, _, err := support.Players.Create(t.Context(), player.Registration{ExternalID: "ext\u202e", Name: "Ana\u202e", Email: "a@example.com", Currency: "USD"})
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t, Config{Support: support})
	status, body := get(t, server.URL+"/console/players/"+who.ID.String(), "ops@example.com", password)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for _, want := range []string{"<bdi>Ana\u202e</bdi>", "<bdi>ext\u202e</bdi>", "<title>\u2068ext\u202e\u2069 · Evens</title>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// Measured in the browser: our id begins right of the external one, and reads from the left.
	p := logIn(t, server)
	p.Do(t, chromedp.Navigate(server.URL+"/console/players/"+who.ID.String()))
	at := chromium.Evaluate[[]float64](t, p, `(() => {
		const small = document.querySelector("h1 small"), own = [...small.childNodes].find(n => n.nodeType === 3);
		const range = document.createRange(), box = (a, b) => { range.setStart(own, a); range.setEnd(own, b); return range.getBoundingClientRect().left };
		return [document.querySelector("h1 small bdi").getBoundingClientRect().left, box(3, 4), box(10, 11)];
	})()`)
	if len(at) != 3 || at[0] >= at[1] || at[1] >= at[2] {
		t.Errorf("the header reads in the order %v", at)
	}
}

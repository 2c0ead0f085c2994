// Package browser shows our pages in a real Chromium, for tests. The tests of a package share one process; each
// has a profile of its own in it.
package browser

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// names are those that scripts/setup.sh looks for.
var names = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
}

// patience bounds each wait for a page.
const patience = 30 * time.Second

// glance is how often a page is looked at meanwhile.
const glance = 30 * time.Millisecond

// shared is the process of this test binary, started by the first test that needs one.
var shared struct {
	sync.Mutex
	ctx context.Context //nolint:containedctx // the process lives as long as the test binary
	end func() error
}

// process is a context of the running browser.
func process() (context.Context, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.ctx != nil {
		return shared.ctx, nil
	}
	var path string
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, errors.New("no Chromium: scripts/setup.sh test installs one")
	}
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
	)
	ctx, kill := chromedp.NewContext(allocator)
	// The browser lives as long as the context that it is started under: no time limit here.
	if err := chromedp.Do(ctx); err != nil {
		kill()
		closeAllocator()
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	shared.ctx, shared.end = ctx, func() error {
		defer closeAllocator()
		return chromedp.Cancel(ctx) // the browser tidies up, and ends
	}
	return ctx, nil
}

// Close ends the process, if one was started. Call it when the package's tests are over.
func Close() {
	shared.Lock()
	defer shared.Unlock()
	if shared.ctx == nil {
		return
	}
	if err := shared.end(); err != nil {
		fmt.Fprintln(os.Stderr, "close the browser:", err)
	}
	shared.ctx = nil
}

// Profile is a browser with cookies and storage of its own.
type Profile struct {
	ctx     context.Context //nolint:containedctx // chromedp's handle of the profile
	scripts []string
}

// NewProfile returns an empty profile, which ends with the test. The scripts run in each of its pages before
// anything else.
func NewProfile(t *testing.T, scripts ...string) *Profile {
	t.Helper()
	ctx, err := process()
	if err != nil {
		t.Fatal(err)
	}
	ctx, _ = chromedp.NewContext(ctx, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a profile: %v", err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	return &Profile{ctx: ctx, scripts: scripts}
}

// Open opens a tab of the profile at the address. An exception, an error in the tab's console or a breach of the page's
// policy fails the test, but for errors that contain one of the tolerated texts.
func (p *Profile) Open(t *testing.T, address string, width, height int64, tolerated ...string) *Page {
	t.Helper()
	ctx, _ := chromedp.NewContext(p.ctx)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	tab := &Page{ctx: ctx}
	t.Cleanup(func() { tab.Close(t) })
	messages := chromedp.Console(ctx)
	tab.reading.Go(func() {
		for message, err := range messages {
			if err != nil {
				return // the tab is closing
			}
			if grave(message, tolerated) {
				t.Errorf("the console of %s: %s", strings.SplitN(address, "#", 2)[0], message)
			}
		}
	})
	tab.Do(t, chromedp.EmulateViewport(width, height))
	for _, script := range p.scripts {
		if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
			t.Fatal(err)
		}
	}
	tab.Do(t, chromedp.Navigate(address))
	return tab
}

// Open opens an address in a profile of its own.
func Open(t *testing.T, address string, width, height int64, tolerated ...string) *Page {
	t.Helper()
	return NewProfile(t).Open(t, address, width, height, tolerated...)
}

// grave reports whether a page that is in order would not have written so. A call that was refused, or a line
// that was cut, is told to the console by the browser itself.
func grave(message chromedp.ConsoleMessage, tolerated []string) bool {
	text := message.String() + " " + message.URL
	if message.Source == "network" && strings.Contains(text, "/v1/") {
		return false
	}
	for _, fine := range tolerated {
		if strings.Contains(text, fine) {
			return false
		}
	}
	return message.IsException() || message.Source == "security" || message.Type == "error"
}

// Page is a tab.
type Page struct {
	ctx     context.Context //nolint:containedctx // chromedp's handle of the tab
	reading sync.WaitGroup
	closed  sync.Once
}

// Close closes the tab, as its player does.
func (p *Page) Close(t *testing.T) {
	t.Helper()
	p.closed.Do(func() {
		if err := chromedp.Cancel(p.ctx); err != nil {
			t.Errorf("close the tab: %v", err)
		}
		p.reading.Wait()
	})
}

// Do runs steps, each of which waits for what it acts on.
func (p *Page) Do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("browser: %v\n%s", err, p.text())
	}
}

// Click clicks what the CSS selector finds.
func (p *Page) Click(t *testing.T, selector string) {
	t.Helper()
	p.Do(t, chromedp.Click(chromedp.CSS(selector)))
}

// Press types a key, or several, where the focus is.
func (p *Page) Press(t *testing.T, keys string) {
	t.Helper()
	p.Do(t, chromedp.KeyEvent(keys))
}

// Reload loads the page again.
func (p *Page) Reload(t *testing.T) {
	t.Helper()
	p.Do(t, chromedp.Reload())
}

// Until waits for a condition in JavaScript.
func (p *Page) Until(t *testing.T, what, condition string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(glance) {
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		met, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		cancel()
		if met {
			return
		}
		if time.Now().After(end) { // until then an error may be that of a page that is just leaving
			t.Fatalf("%s: not within %s (%v); the page reads\n%s", what, patience, err, p.text())
		}
	}
}

// UntilText waits for an element to read so.
func (p *Page) UntilText(t *testing.T, selector, want string) {
	t.Helper()
	p.Until(t, selector+" reads "+want, fmt.Sprintf("document.querySelector(%q)?.innerText === %q", selector, want))
}

// Evaluate returns the value of an expression, or of what it promises.
func Evaluate[T any](t *testing.T, p *Page, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// Look has the page shown as a browser with these settings does: "prefers-color-scheme", "dark";
// "forced-colors", "active".
func (p *Page) Look(t *testing.T, features ...string) {
	t.Helper()
	params := emulation.SetEmulatedMediaParams{}
	for i := 0; i+1 < len(features); i += 2 {
		params.Features = append(params.Features, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, params); err != nil {
		t.Fatal(err)
	}
}

//go:embed contrast.js
var contrastScript string

// Faint lists what is written on the page with less contrast than WCAG 2.1 asks of text (4.5 : 1, large text
// 3 : 1), a line each: the ratio, the colours, the element and its text.
func (p *Page) Faint(t *testing.T) []string {
	t.Helper()
	return Evaluate[[]string](t, p, contrastScript)
}

// Keep writes what the tab shows to the folder of EVENS_SHOTS, where there is one, for people to look at.
func (p *Page) Keep(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("EVENS_SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Context is chromedp's handle of the tab, for what is not here.
func (p *Page) Context() context.Context { return p.ctx }

// text is what the page shows, for failures.
func (p *Page) text() string {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

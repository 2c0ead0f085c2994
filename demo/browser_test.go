package demo_test

import (
	"context"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browsers are the names that scripts/setup.sh looks for.
var browsers = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
}

func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium: scripts/setup.sh test installs one")
	return ""
}

// patience bounds each wait for the page.
const patience = 10 * time.Second

// page is a browser with one page open.
type page struct {
	ctx context.Context
}

// openPage starts a browser of the test's own, in an empty profile, and opens the address. An
// exception or a breach of the page's policy fails the test.
func openPage(t *testing.T, address string, width, height int64) page {
	t.Helper()
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(findBrowser(t)),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
	)
	t.Cleanup(closeAllocator)
	ctx, kill := chromedp.NewContext(allocator)
	t.Cleanup(kill)
	// The browser lives as long as the context that it is started under: no time limit here.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	messages := chromedp.Console(ctx)
	var reading sync.WaitGroup
	reading.Go(func() {
		for message, err := range messages {
			if err != nil {
				return // the browser is closing
			}
			if message.IsException() || message.Source == "security" {
				t.Errorf("the page's console: %s", message)
			}
		}
	})
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil { // the browser tidies up, and ends
			t.Errorf("close the browser: %v", err)
		}
		reading.Wait()
	})
	p := page{ctx}
	p.do(t, chromedp.EmulateViewport(width, height), chromedp.Navigate(address))
	return p
}

// do runs steps, each of which waits for what it acts on.
func (p page) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("browser: %v\n%s", err, p.text())
	}
}

func (p page) click(t *testing.T, selector string) {
	t.Helper()
	p.do(t, chromedp.Click(chromedp.CSS(selector)))
}

// choose clicks an outcome, by the name that a screen reader says.
func (p page) choose(t *testing.T, outcome string) {
	t.Helper()
	p.click(t, `#matches button[aria-label="`+outcome+`"]`)
}

func (p page) stake(t *testing.T, amount string) {
	t.Helper()
	p.do(t, chromedp.Focus(chromedp.CSS("#stake"))) // selects what is in it
	p.do(t, chromedp.KeyEvent(amount))
}

// until waits for a condition in JavaScript.
func (p page) until(t *testing.T, what, condition string) {
	t.Helper()
	_, err := chromedp.Run(p.ctx, chromedp.Poll[bool]("Boolean("+condition+")", chromedp.WithPollingTimeout(patience)))
	if err != nil {
		t.Fatalf("%s: %v; the page reads\n%s", what, err, p.text())
	}
}

// untilText waits for an element to read so.
func (p page) untilText(t *testing.T, selector, want string) {
	t.Helper()
	p.until(t, selector+" reads "+want, `document.querySelector("`+selector+`")?.innerText === "`+want+`"`)
}

// evaluate returns the value of an expression.
func evaluate[T any](t *testing.T, p page, expression string) T {
	t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// text is what the page shows, for failures.
func (p page) text() string {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
	if err != nil {
		return err.Error()
	}
	return text
}

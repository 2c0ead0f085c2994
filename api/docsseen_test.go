package api

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"evens/internal/testbed/browser"
)

// The page that describes the API, in a real browser under its own headers: no error and no breach of its policy in the
// browser's console, everything written to be read in both themes, nothing wider than the screen.
func TestDocsInABrowser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := browser.Open(t, b.url+"/v1/docs", 1280, 800)
	for _, width := range []int64{1280, 390} {
		p.Do(t, chromedp.EmulateViewport(width, 800))
		for _, theme := range []string{"light", "dark"} {
			p.Look(t, "prefers-color-scheme", theme)
			for _, faint := range p.Faint(t) {
				t.Errorf("%d wide, %s: %s", width, theme, faint)
			}
		}
		if wide := browser.Evaluate[int64](t, p, "document.documentElement.scrollWidth"); wide > width {
			t.Errorf("the page is %d wide on a screen of %d: %s", wide, width, browser.Evaluate[string](t, p, fmt.Sprintf(
				`[...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > %d).slice(0, 5).map(e => e.outerHTML.slice(0, 80)).join("\n")`, width)))
		}
	}
}

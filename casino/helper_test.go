package casino_test

import (
	"log/slog"
	"testing"

	"evens/casino/casinotest"
	"evens/wallet"
)

var quiet = slog.New(slog.DiscardHandler)

// second is another process's poster on the same books.
func second(t *testing.T, h *casinotest.Hall) *wallet.Poster {
	t.Helper()
	poster := wallet.NewPoster(wallet.NewBooks(h.DB, nil, quiet), wallet.PosterConfig{})
	t.Cleanup(poster.Close)
	return poster
}

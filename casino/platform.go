package casino

import (
	"context"
	"net/http"

	"evens/player"
	"evens/reconcile/statement"
)

// Platform is one game platform: a package below this one speaks its dialect.
type Platform interface {
	// Name is how it is called in paths, settings and books.
	Name() string
	// Address is that of the API it is asked at: staging and production have catalogues of their own.
	Address() string
	// Mount adds the routes that the platform calls.
	Mount(mux *http.ServeMux, desk *Desk)
	// Launch asks for the address of a game: ErrUnknownGame, ErrUnsupported or ErrUnavailable where
	// there is none.
	Launch(ctx context.Context, launch Launch) (url string, err error)
	// Games asks for the platform's catalogue.
	Games(ctx context.Context) ([]Game, error)
	// List is the platform's own list of transactions; nil where it can only come from a file.
	List() statement.Source
}

// Launch is a game that a player wants to open.
type Launch struct {
	Session Session
	Game    Game   // as the catalogue has it; only its code where there is none
	Token   string // stands for the session at the platform
	Player  player.Player
	Lang    string // ISO 639-1, such as "en"
	Mobile  bool
	Address string // the player's IP address; "" where it is not known
	Return  string // where the game's exit leads; "" for the platform's own choice
}

// Game is one line of a catalogue.
type Game struct {
	Provider string `json:"provider"`
	Code     string `json:"code"`
	Name     string `json:"name"`
	Studio   string `json:"studio,omitempty"` // who made it, where the platform says so
	Category string `json:"category,omitempty"`
	Image    string `json:"image,omitempty"`
	Demo     bool   `json:"demo"` // can be played for fun
	// URL is where the game is served, for platforms whose launch needs it.
	URL string `json:"url,omitempty"`
}

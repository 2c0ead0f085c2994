package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"evens/casino"
)

// Games lists and opens games. Its parts are *casino.Catalogues, *casino.Lounge and *casino.Sessions.
type Games interface {
	Games(ctx context.Context, provider string) ([]casino.Game, error)
	Launch(ctx context.Context, order casino.Order) (url string, session casino.Session, err error)
	End(ctx context.Context, session uuid.UUID, owner uuid.NullUUID) (bool, error)
	EndAll(ctx context.Context, player uuid.UUID) error
}

// errNoGames refuses while no platform is configured.
var errNoGames = fmt.Errorf("%w: no game platform is configured", casino.ErrNotAPlatform)

// errNoSession says that there is no open session of that id, or it is not this player's.
var errNoSession = fmt.Errorf("%w: no open game session of this id", casino.ErrSession)

// gameView is a game as /v1 shows it.
type gameView struct {
	Provider string  `json:"provider" example:"tg"`
	Code     string  `json:"code" example:"VP_230001_1"`
	Name     string  `json:"name"`
	Studio   *string `json:"studio" doc:"Who made it, where the platform says so"`
	Category *string `json:"category"`
	Image    *string `json:"image" doc:"Address of a picture"`
	Demo     bool    `json:"demo" doc:"Can be played for fun"`
}

var listGames = huma.Operation{
	OperationID: "list-games", Method: http.MethodGet, Path: "/v1/games", Tags: []string{"Games"},
	Summary:     "List the games of one platform or of all",
	Description: "Kept for ten minutes. While a platform does not answer, its last catalogue is shown.",
	Errors:      []int{http.StatusUnprocessableEntity},
}

type listGamesInput struct {
	Provider string `query:"provider" doc:"A game platform of GET /v1/providers"`
	Limit    int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	Cursor   string `query:"cursor" doc:"next_cursor of the page before"`
}

type gamesOutput struct {
	Body struct {
		Items      []gameView `json:"items" nullable:"false"`
		NextCursor *string    `json:"next_cursor" doc:"null on the last page"`
	} `nameHint:"GamePage"`
}

func (s *server) listGames(ctx context.Context, _ *caller, in *listGamesInput) (*gamesOutput, error) {
	out := &gamesOutput{}
	out.Body.Items = []gameView{}
	if s.cfg.Games == nil {
		if in.Provider != "" {
			return nil, errNoGames
		}
		return out, nil
	}
	games, err := s.cfg.Games.Games(ctx, in.Provider)
	if err != nil {
		return nil, err
	}
	for _, game := range games {
		if place := game.Provider + " " + game.Code; place > in.Cursor {
			if len(out.Body.Items) == in.Limit {
				last := out.Body.Items[in.Limit-1]
				out.Body.NextCursor = orNull(last.Provider + " " + last.Code)
				break
			}
			out.Body.Items = append(out.Body.Items, gameView{
				Provider: game.Provider, Code: game.Code, Name: game.Name, Studio: orNull(game.Studio),
				Category: orNull(game.Category), Image: orNull(game.Image), Demo: game.Demo,
			})
		}
	}
	return out, nil
}

var launchGame = huma.Operation{
	OperationID: "launch-game", Method: http.MethodPost, Path: "/v1/games/launch", Tags: []string{"Games"},
	Summary: "Open a game",
	Description: "Answers with the address to send the player to. It opens once, and its session ends after 24 hours, " +
		"when the player logs out, or when it is ended here.",
	Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity},
}

type launchInput struct {
	Body struct {
		PlayerID  string `json:"player_id,omitempty" doc:"Need not be named with a player's token"`
		Provider  string `json:"provider" example:"tg" doc:"A game platform of GET /v1/providers"`
		GameCode  string `json:"game_code" example:"VP_230001_1"`
		Lang      string `json:"lang,omitempty" example:"en" doc:"Two letters, with a country or without; en by default"`
		Mode      string `json:"mode,omitempty" example:"real" doc:"real (default) or demo"`
		Device    string `json:"device,omitempty" example:"desktop" doc:"desktop (default) or mobile"`
		IP        string `json:"ip,omitempty" doc:"The player's address, for platforms that ask for it"`
		ReturnURL string `json:"return_url,omitempty" doc:"Where the game's exit leads"`
	} `nameHint:"Launch"`
}

type launchOutput struct {
	Body struct {
		URL       string `json:"url"`
		SessionID string `json:"session_id" format:"uuid"`
	} `nameHint:"Launched"`
}

// A country behind the language is taken and left out: each platform has its own words for both.
var twoLetters = regexp.MustCompile(`^[a-z]{2}([-_][A-Z]{2})?$`)

func (s *server) launchGame(ctx context.Context, who *caller, in *launchInput) (*launchOutput, error) {
	order, err := s.order(who, in)
	if err != nil {
		return nil, err
	}
	if s.cfg.Games == nil {
		return nil, errNoGames
	}
	address, session, err := s.cfg.Games.Launch(ctx, order)
	if err != nil {
		return nil, err
	}
	out := &launchOutput{}
	out.Body.URL, out.Body.SessionID = address, session.ID.String()
	return out, nil
}

// order reads a launch and names every field that is wrong.
func (s *server) order(who *caller, in *launchInput) (casino.Order, error) {
	body := in.Body
	var c checks
	order := casino.Order{
		Provider: body.Provider, Game: c.text("body.game_code", body.GameCode, casino.MaxID), Lang: "en",
		Demo: body.Mode == "demo", Mobile: body.Device == "mobile", Return: c.text("body.return_url", body.ReturnURL, 2000),
	}
	if who.player.Valid && body.PlayerID == "" {
		order.Player = who.player.UUID
	} else {
		order.Player = c.id("body.player_id", body.PlayerID)
	}
	if body.Provider == "" {
		c.fault(CodeValidationFailed, "body.provider", "is required")
	}
	if body.GameCode == "" {
		c.fault(CodeValidationFailed, "body.game_code", "is required")
	}
	if body.Lang != "" {
		order.Lang, _, _ = strings.Cut(strings.ReplaceAll(body.Lang, "_", "-"), "-")
		if !twoLetters.MatchString(body.Lang) {
			c.fault(CodeValidationFailed, "body.lang", "is not a language of two small letters")
		}
	}
	oneOf(&c, "body.mode", body.Mode, "real", "demo")
	oneOf(&c, "body.device", body.Device, "desktop", "mobile")
	if body.IP != "" {
		address, err := netip.ParseAddr(body.IP)
		if err != nil {
			c.fault(CodeValidationFailed, "body.ip", "is not an IP address")
		}
		order.Address = address.String()
	}
	if body.ReturnURL != "" {
		address, err := url.Parse(body.ReturnURL)
		if err != nil || address.Host == "" || address.Scheme != "https" && address.Scheme != "http" {
			c.fault(CodeValidationFailed, "body.return_url", "is not an http or https address")
		}
	}
	if err := c.err(); err != nil {
		return casino.Order{}, err
	}
	if !who.owns(order.Player) {
		return casino.Order{}, errForbidden
	}
	return order, nil
}

func oneOf(c *checks, location, value string, first, second string) {
	if value != "" && value != first && value != second {
		c.fault(CodeValidationFailed, location, fmt.Sprintf("is neither %q nor %q", first, second))
	}
}

var endSession = huma.Operation{
	OperationID: "end-game-session", Method: http.MethodDelete, Path: "/v1/games/sessions/{id}", Tags: []string{"Games"},
	Summary:     "End a game session",
	Description: "When the player closes the game: from now on no bet is taken from it. Wins and rollbacks still arrive.",
	Errors:      []int{http.StatusNotFound},
}

type endSessionInput struct {
	ID string `path:"id" doc:"session_id of the launch"`
}

func (s *server) endSession(ctx context.Context, who *caller, in *endSessionInput) (*struct{}, error) {
	id, ok := parseID(in.ID)
	if !ok || s.cfg.Games == nil {
		return nil, errNoSession
	}
	ended, err := s.cfg.Games.End(ctx, id, who.player)
	if err == nil && !ended {
		err = errNoSession
	}
	return nil, err
}

// endGames ends a player's game sessions with the logout.
func (s *server) endGames(ctx context.Context, id uuid.UUID) error {
	if s.cfg.Games == nil {
		return nil
	}
	return s.cfg.Games.EndAll(ctx, id)
}

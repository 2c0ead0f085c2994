package betron

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"evens/money"
)

// Provider is how the platform is called.
const Provider = "betron"

// Config of the platform. URL, AgentCode, AgentToken and SecretKey are required.
type Config struct {
	URL        string // theirs, such as https://api.betron.tech/api
	AgentCode  string
	AgentToken string
	SecretKey  string
	PathSecret string         // the webhook is at /casino/betron/PathSecret; "" for /casino/betron
	Currency   money.Currency // of the agent: other players are refused; "" takes everyone in their own
	Allow      []netip.Prefix
	Timeout    time.Duration // of our calls; 5 s by default
}

var errPathSecret = errors.New("is one plain path segment")

func plainSegment(text string) bool { return !strings.ContainsAny(text, "/ {}?#") }

func (c Config) validate() error {
	switch {
	case c.URL == "" || c.AgentCode == "" || c.AgentToken == "" || c.SecretKey == "":
		return errors.New("betron: needs an address, an agent code, an agent token and a secret key")
	case !plainSegment(c.PathSecret):
		return fmt.Errorf("betron: the path secret %w", errPathSecret)
	}
	return nil
}

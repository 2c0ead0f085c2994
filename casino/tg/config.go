package tg

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Provider is how the platform is called.
const Provider = "tg"

// Config of the platform. URL, AgentID and Key are required.
type Config struct {
	URL     string // theirs
	AgentID string
	Key     []byte // 32 bytes: the API key, decoded
	// SecretKey is for their /v2/auth only.
	SecretKey string
	// OldSignature signs our calls as their older documents have it.
	OldSignature bool
	// JackpotApart adds jackpotWin to winAmt. By default winAmt includes it: their documents do not say.
	JackpotApart bool
	Allow        []netip.Prefix
	Timeout      time.Duration // of our calls; 5 s by default
}

// ErrKey says that a key is not 64 hex digits or the base64 of 32 bytes. It does not show the key.
var ErrKey = errors.New("a key is 64 hex digits, or 32 bytes in base64")

const keySize = 32

// ParseKey reads an API key as TG writes it.
func ParseKey(text string) ([]byte, error) {
	if key, err := hex.DecodeString(text); err == nil && len(key) == keySize {
		return key, nil
	}
	if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == keySize {
		return key, nil
	}
	return nil, ErrKey
}

func (c Config) validate() error {
	switch {
	case c.URL == "" || c.AgentID == "":
		return errors.New("tg: needs an address and an agent id")
	case len(c.Key) != keySize:
		return fmt.Errorf("tg: %w", ErrKey)
	}
	return nil
}

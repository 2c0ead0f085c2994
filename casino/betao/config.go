package betao

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"time"
)

// Provider is how the platform is called.
const Provider = "betao"

// Config of the platform. URL, APIKey and SecretKey are required.
type Config struct {
	URL       string // theirs
	APIKey    string
	SecretKey string
	Allow     []netip.Prefix
	Timeout   time.Duration // of our calls; 5 s by default
}

func (c Config) validate() error {
	if c.URL == "" || c.APIKey == "" || c.SecretKey == "" {
		return errors.New("betao: needs an address, an API key and a secret key")
	}
	return nil
}

// headerSignature carries the signature, in both directions.
const headerSignature = "X-Signature"

// signature is the lower-case hex HMAC-SHA256 of a body.
func signature(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// authentic compares in a time that tells nothing about the right signature.
func authentic(secret string, body []byte, given string) bool {
	return hmac.Equal([]byte(signature(secret, body)), []byte(given))
}

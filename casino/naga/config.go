package naga

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Provider is how the platform is called.
const Provider = "naga"

// What their signature covers. Their pages do not say; it is agreed at the integration.
const (
	OverData     = "data"
	OverDataHash = "dataHash"
)

// Config of the platform. URL, GroupCode, BrandCode and PublicKey are required.
type Config struct {
	URL        string // theirs
	APIKey     string // for their bet history
	GroupCode  string
	BrandCode  string
	PublicKey  *rsa.PublicKey // verifies their signatures
	SignedOver string         // OverData (default) or OverDataHash
	Allow      []netip.Prefix
	Timeout    time.Duration // of our calls; 5 s by default
}

// ErrPublicKey says that a text is no RSA public key in PEM.
var ErrPublicKey = errors.New("not an RSA public key in PEM")

// ParsePublicKey reads their key as they give it: PEM, in either of its two usual forms. Where a
// variable cannot hold lines, \n stands for their ends.
func ParsePublicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return nil, ErrPublicKey
	}
	if key, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, ErrPublicKey
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, ErrPublicKey
	}
	return key, nil
}

func (c Config) validate() error {
	switch {
	case c.URL == "" || c.GroupCode == "" || c.BrandCode == "":
		return errors.New("naga: needs an address, a group code and a brand code")
	case c.PublicKey == nil:
		return fmt.Errorf("naga: %w", ErrPublicKey)
	case c.SignedOver != OverData && c.SignedOver != OverDataHash:
		return errors.New("naga: signatures are over data or dataHash")
	}
	return nil
}

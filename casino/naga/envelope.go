package naga

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"

	"evens/casino"
	"evens/internal/jsonin"
)

type envelope struct {
	Data     jsonin.Raw `json:"data"`
	DataHash string     `json:"dataHash"`
}

// seal checks whose word a call is.
type seal struct {
	key  *rsa.PublicKey
	over string
}

// open returns the data of a body whose hash and signature fit, else casino.ErrUnauthentic: which
// of them did not is nobody's business.
func (s seal) open(body []byte, signature string) ([]byte, error) {
	var e envelope
	if err := jsonin.Unmarshal(body, &e); err != nil || len(e.Data) == 0 {
		return nil, casino.ErrUnauthentic
	}
	var text bytes.Buffer
	if err := json.Compact(&text, e.Data); err != nil {
		return nil, casino.ErrUnauthentic
	}
	sum := sha256.Sum256(text.Bytes())
	hash := hex.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(hash), []byte(e.DataHash)) != 1 {
		return nil, casino.ErrUnauthentic
	}
	signed := sum
	if s.over == OverDataHash {
		signed = sha256.Sum256([]byte(hash))
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || rsa.VerifyPKCS1v15(s.key, crypto.SHA256, signed[:], raw) != nil {
		return nil, casino.ErrUnauthentic
	}
	return text.Bytes(), nil
}

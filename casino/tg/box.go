package tg

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"evens/internal/jsonin"
)

// Lengths of the three parts of a cipherText: a nonce of 12 bytes and a tag of 16, in base64.
const (
	nonceChars = 16
	tagChars   = 24
	nonceBytes = 12
	tagBytes   = 16
)

// errSealed is all that is told of a body that cannot be opened.
var errSealed = errors.New("the body cannot be decrypted")

// box opens and seals bodies under one key. It is safe for concurrent use.
type box struct{ aead cipher.AEAD }

func newBox(key []byte) (box, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return box{}, fmt.Errorf("tg key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return box{}, fmt.Errorf("tg key: %w", err)
	}
	return box{aead}, nil
}

// sealed is a body as it travels.
type sealed struct {
	CipherText string `json:"cipherText"`
}

// open decrypts a body.
func (b box) open(body []byte) ([]byte, error) {
	var s sealed
	if err := jsonin.Unmarshal(body, &s); err != nil {
		return nil, errSealed
	}
	text := s.CipherText
	if len(text) <= nonceChars+tagChars {
		return nil, errSealed
	}
	decode := base64.StdEncoding.Strict().DecodeString
	nonce, err := decode(text[:nonceChars])
	if err != nil || len(nonce) != nonceBytes {
		return nil, errSealed
	}
	tag, err := decode(text[nonceChars : nonceChars+tagChars])
	if err != nil || len(tag) != tagBytes {
		return nil, errSealed
	}
	data, err := decode(text[nonceChars+tagChars:])
	if err != nil {
		return nil, errSealed
	}
	plain, err := b.aead.Open(nil, nonce, append(data, tag...), nil)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// cipherText encrypts under a nonce that is never used again.
func (b box) cipherText(plain []byte) string {
	nonce := make([]byte, nonceBytes)
	_, _ = rand.Read(nonce) // never fails
	both := b.aead.Seal(nil, nonce, plain, nil)
	data, tag := both[:len(both)-tagBytes], both[len(both)-tagBytes:]
	encode := base64.StdEncoding.EncodeToString
	return encode(nonce) + encode(tag) + encode(data)
}

// seal makes a body as it travels.
func (b box) seal(plain []byte) ([]byte, error) {
	return json.Marshal(sealed{CipherText: b.cipherText(plain)})
}

package bet

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// sealer encrypts a session for keeping: AES-256-GCM with a random nonce, under a key that
// HKDF-SHA256 derives from the partner's password. Who can open it could log in anyway.
type sealer struct {
	aead cipher.AEAD
	// owner is authenticated with the content, so that a session of another user or host on a
	// shared store does not open.
	owner []byte
}

// credentialsKey tells logins and passwords apart without giving them away any more than a sealed
// session does.
func credentialsKey(password, owner string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, []byte(password), []byte(owner), "evens bet credentials 1", 16)
	if err != nil {
		return nil, fmt.Errorf("derive credentials key: %w", err)
	}
	return key, nil
}

func newSealer(password, owner string) (sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(password), nil, "evens bet session 1", 32)
	if err != nil {
		return sealer{}, fmt.Errorf("derive session key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("session cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("session cipher: %w", err)
	}
	return sealer{aead: aead, owner: []byte(owner)}, nil
}

func (s sealer) seal(plain []byte) []byte {
	return s.aead.Seal(nil, nil, plain, s.owner) //nolint:gosec // this AEAD draws its own random nonce
}

func (s sealer) open(sealed []byte) ([]byte, error) { return s.aead.Open(nil, nil, sealed, s.owner) }

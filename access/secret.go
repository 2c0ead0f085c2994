package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// How secrets look: a prefix that tells what they open, and 32 random bytes.
const (
	TokenPrefix = "evp_"
	KeyPrefix   = "evk_"

	secretBytes = 32
)

var secretLength = base64.RawURLEncoding.EncodedLen(secretBytes)

// digest is what is kept of a secret.
type digest [sha256.Size]byte

func newSecret(prefix string) string {
	var random [secretBytes]byte
	_, _ = rand.Read(random[:]) // never fails: the runtime ends the process first
	return prefix + base64.RawURLEncoding.EncodeToString(random[:])
}

// hashOf returns what a secret is looked up by. ok = false: it cannot be one of ours, and the
// database need not be asked.
func hashOf(secret, prefix string) (hash digest, ok bool) {
	if len(secret) != len(prefix)+secretLength || !strings.HasPrefix(secret, prefix) {
		return digest{}, false
	}
	return sha256.Sum256([]byte(secret)), true
}

// digests turns hashes into an array parameter.
func digests(hashes []digest) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

package cashier

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Tolerance is how far a callback's time may be from ours, either way.
const Tolerance = 5 * time.Minute

// ErrSignature says that a signature is missing, wrong, or too old: which of them is nobody's
// business.
var ErrSignature = errors.New("the signature does not fit")

// Sign makes the header of a body at a time.
func Sign(secret string, body []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + digest(secret, stamp, body)
}

func digest(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Verify checks a header in constant time. Several v1 may stand in it, as while a key changes.
func Verify(secret, header string, body []byte, now time.Time) error {
	var stamp string
	var given []string
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			given = append(given, value)
		}
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(given) > 4 {
		return ErrSignature
	}
	if age := now.Sub(time.Unix(at, 0)); age > Tolerance || age < -Tolerance {
		return ErrSignature
	}
	want := []byte(digest(secret, stamp, body))
	fits := false
	for _, one := range given {
		fits = hmac.Equal(want, []byte(one)) || fits
	}
	if !fits {
		return ErrSignature
	}
	return nil
}

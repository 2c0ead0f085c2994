package callbacks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Record is one callback as it is kept for support: what came, what was answered, and what it did.
type Record struct {
	ID          uuid.UUID
	At          time.Time
	Provider    string
	Path        string // the route, without a secret in it
	Source      string // an address; "invalid IP" where it is not known
	Headers     map[string]string
	Body        []byte
	Plain       []byte // decrypted, where Body is not
	Status      int
	Answer      []byte
	Code        string
	Took        time.Duration
	Player      uuid.NullUUID
	Transaction uuid.NullUUID
	// Unproven says that nothing shows the provider sent it: its signature or encryption does not fit. Of
	// the body only the length and a hash are kept then, and few such records of one source.
	Unproven bool
}

// reduced is the record as it is kept. The database's text holds neither a NUL nor bytes that are no UTF-8.
func (r Record) reduced() Record {
	if r.Unproven {
		sum := sha256.Sum256(r.Body)
		r.Body = fmt.Appendf(nil, `{"left_out":"not authenticated","bytes":%d,"sha256":%q}`, len(r.Body), hex.EncodeToString(sum[:]))
		r.Plain, r.Headers = nil, nil
	}
	r.Provider, r.Path, r.Source, r.Code = clean(r.Provider), clean(r.Path), clean(r.Source), clean(r.Code)
	if len(r.Headers) > 0 {
		headers := make(map[string]string, len(r.Headers))
		for name, value := range r.Headers {
			headers[clean(name)] = clean(value)
		}
		r.Headers = headers
	}
	return r
}

func clean(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(text, "\x00", "")
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// overhead is what a record takes beside its texts, about.
const overhead = 512

// size is the memory that a record takes, about.
func (r Record) size() int64 {
	n := overhead + len(r.Path) + len(r.Source) + len(r.Body) + len(r.Plain) + len(r.Answer)
	for name, value := range r.Headers {
		n += len(name) + len(value)
	}
	return int64(n)
}

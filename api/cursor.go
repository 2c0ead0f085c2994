package api

import (
	"encoding/base64"

	"github.com/google/uuid"
)

// listing tells the cursors of the lists apart.
type listing byte

const (
	listingTransactions listing = 't'
	listingCoupons      listing = 'c'
	listingBonuses      listing = 'b'
)

// Paging is what every list takes. It is exported for huma, which sees no other embedded field.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"200" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"Items on a page"`
}

// cursor points behind the last item of a page. Callers get it as it is, and see nothing in it.
func (l listing) cursor(last uuid.UUID) *string {
	text := base64.RawURLEncoding.EncodeToString(append([]byte{byte(l)}, last[:]...))
	return &text
}

// before reads a cursor; "" is the first page.
func (l listing) before(c *checks, cursor string) uuid.NullUUID {
	if cursor == "" {
		return uuid.NullUUID{}
	}
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(data) != 1+len(uuid.UUID{}) || data[0] != byte(l) {
		c.fault(CodeValidationFailed, "query.cursor", "is not a cursor of this list")
		return uuid.NullUUID{}
	}
	return uuid.NullUUID{UUID: uuid.UUID(data[1:]), Valid: true}
}

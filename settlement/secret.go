package settlement

import "bytes"

// withoutSecret is a body as it is kept. BeT's pushes repeat the address that they are sent to, secret and all: stars
// stand for it, so that what follows stays where it was.
func (h *Receiver) withoutSecret(body []byte) []byte {
	if len(h.secret) == 0 || !bytes.Contains(body, h.secret) {
		return body
	}
	return bytes.ReplaceAll(body, h.secret, bytes.Repeat([]byte("*"), len(h.secret)))
}

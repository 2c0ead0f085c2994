package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// readNext reads a page to its end and returns the cursor behind it.
func readNext(body io.ReadCloser) (string, error) {
	var page struct {
		Items []json.RawMessage
		Next  *string `json:"next_cursor"`
	}
	err := json.NewDecoder(body).Decode(&page)
	if err = errors.Join(err, body.Close()); err != nil {
		return "", err
	}
	if len(page.Items) == 0 {
		return "", errors.New("an empty page")
	}
	if page.Next == nil {
		return "", nil
	}
	return *page.Next, nil
}

// countLines reads to the end.
func countLines(r io.Reader) (lines int, err error) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Read(buffer)
		lines += bytes.Count(buffer[:n], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
	}
}

package money

import (
	"encoding/json"
	"testing"
)

// Around a number in quotes stand the blanks of JSON, and none of Unicode's others.
func TestBlanksAroundANumber(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		`" 1.50\t"`: true, `"1.50\r\n"`: true, `"1.50\u0085"`: false, `"1.50\u2028"`: false, `"\u00a01.50"`: false, `"1.50\u3000"`: false, `"1.50\u000b"`: false,
	} {
		var n Number
		if err := json.Unmarshal([]byte(text), &n); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

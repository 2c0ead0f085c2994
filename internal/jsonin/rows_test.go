package jsonin

import "testing"

// A row that cannot be read is left out; its neighbours are read.
func TestRows(t *testing.T) {
	t.Parallel()
	type row struct {
		Name string `json:"name"`
	}
	rows, odd := Rows[row]([]Raw{Raw(`{"name":"a"}`), Raw(`{"name":7}`), Raw("{\"name\":\"\xe9\"}"), Raw(`{"NAME":"c"}`), Raw(`{"name":"d"}`)})
	if len(rows) != 2 || odd != 3 || rows[0].Name != "a" || rows[1].Name != "d" {
		t.Errorf("%v, %d odd", rows, odd)
	}
}

func TestMember(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"id":"a"}`:                           `"a"`,
		"\xef\xbb\xbf" + `{"x":1,"id":7}`:      `7`,
		"{\"name\":\"\xe9\",\"id\":\"a\"}":     `"a"`,
		`{"x":1,"x":2,"\u0069d":"a","ID":"b"}`: `"a"`,
		`{"id":"a","id":"a"}`:                  "",
		`{"ID":"a"}`:                           "",
		`{"a":{"id":"a"}}`:                     "",
		`["id","a"]`:                           "",
		`{"id"`:                                "",
		``:                                     "",
	} {
		got, found := Member([]byte(in), "id")
		if string(got) != want || found != (want != "") {
			t.Errorf("%s: %s, %t", in, got, found)
		}
	}
}

package settlement

import (
	"bytes"
	"fmt"
	"testing"
)

// A push of ten thousand Heads.
func BenchmarkParsePush(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"remote_host":"https://us","Heads":[`)
	for i := range 10_000 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"KeyHead":{"Id":"%d","BarCode":"code%06d"},"Status":2,"ExtStatus":0,"AmountOut":30.85,"DateRecive":"1748800000"}`, i, i)
	}
	body.WriteString(`]}`)
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if heads, err := ParsePush(body.Bytes()); err != nil || len(heads) != 10_000 || heads[0].Fault != "" {
			b.Fatal(len(heads), err)
		}
	}
}

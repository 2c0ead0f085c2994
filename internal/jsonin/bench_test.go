package jsonin

import (
	std "encoding/json"
	"fmt"
	"strings"
	"testing"
)

type debit struct {
	Type          string `json:"type"`
	PlayerID      string `json:"player_id"`
	Amount        Word   `json:"amount"`
	Currency      string `json:"currency"`
	TransactionID string `json:"transaction_id"`
	RoundID       string `json:"round_id"`
	GameCode      string `json:"game_code"`
	Original      string `json:"original_transaction_id"`
}

const debitBody = `{"player_id":"0190f6a0-7b7c-7e2a-9d6e-0a1b2c3d4e5f","amount":12.50,"currency":"USD",` +
	`"transaction_id":"tx-8f14e45fceea167a5a36dedd4bea2543","round_id":"r-0000000000018432","game_code":"vs20olympgate"}`

type head struct {
	KeyHead struct{ BarCode Word }
	Status, ExtStatus, AmountOut,
	DateRecive Word
}

func pushBody(heads int) []byte {
	var b strings.Builder
	b.WriteString(`{"Heads":[`)
	for i := range heads {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"KeyHead":{"BarCode":"ab%08d"},"Status":2,"ExtStatus":0,"AmountOut":30.85,"DateRecive":1748800000}`, i)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

func BenchmarkDebit(b *testing.B) {
	for name, read := range map[string]func([]byte, any) error{"encoding/json": std.Unmarshal, "jsonin": Unmarshal} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var d debit
				if err := read([]byte(debitBody), &d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// As a push is read: the Heads one by one.
func BenchmarkPush(b *testing.B) {
	body := pushBody(500)
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var push struct{ Heads []head }
			if err := std.Unmarshal(body, &push); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("jsonin", func(b *testing.B) {
		b.ReportAllocs()
		door := Door{TrailingCommas: true}
		for b.Loop() {
			var push struct {
				Heads []Raw `json:"Heads,case:ignore" spelt:"heads"`
			}
			if err := door.Unmarshal(body, &push); err != nil {
				b.Fatal(err)
			}
			for _, raw := range push.Heads {
				var h head
				if err := door.Unmarshal(raw, &h); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

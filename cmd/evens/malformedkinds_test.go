package main

import (
	"fmt"
	"strings"
)

// oddBodies are bodies that are right nowhere.
func oddBodies() map[string]string {
	return map[string]string{
		"nothing": "", "a blank": " ", "null": "null", "true": "true", "a number": "7", "a text": `"x"`, "a list": "[]", "lists": "[[[[]]]]",
		"a list of objects": `[{"a":1}]`, "half an object": `{"amount":`, "an open text": `{"a":"`, "a comma": "{,}", "two objects": "{}{}",
		"a comment": "/* */{", "single quotes": `{'a':1}`, "no quotes": `{a:1}`, "NaN": `{"amount":NaN}`, "infinite": `{"amount":1e999}`,
		"deep": strings.Repeat("[", 20_000), "deep objects": strings.Repeat(`{"a":`, 20_000), "closed deep": strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"NUL": "\x00", "NULs": strings.Repeat("\x00", 4096), "UTF-16": "\xff\xfe{\x00}\x00", "a mark alone": "\xef\xbb\xbf", "bad UTF-8": "{\"\xff\":1}",
		"gzip": "\x1f\x8b\x08\x00\x00\x00\x00\x00", "XML": `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>`,
		"a form": "amount=1&player_id=2", "multipart": "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x--", "YAML": "a: &a [*a,*a]",
		"SQL": `'; DROP TABLE players; --`, "a template": "{{.}}${7*7}", "a long text": `"` + strings.Repeat("a", 200_000) + `"`,
		"a long number": `{"amount":` + strings.Repeat("9", 100_000) + "}", "a long exponent": `{"amount":1e` + strings.Repeat("9", 1000) + "}",
		"many members": "{" + strings.Repeat(`"a":1,`, 20_000) + `"a":1`, "escapes": `{"\u0000\ud800":"\udfff"}`, "a prototype": `{"__proto__":{"admin":true}`,
		"a line of JSON": "{}\n{}\n", "a control character": "{\"a\":\"\x01\"}", "a lone surrogate": `{"a":"\ud83d"}`, "blanks": strings.Repeat(" ", 50_000),
	}
}

// oddValues are JSON values that no member of ours takes, or only some.
func oddValues() map[string]string {
	return map[string]string{
		"null": "null", "an object": "{}", "a list": "[]", "a list in a list": "[[1]]", "true": "true", "below zero": "-1", "huge": "99999999999999999999999999",
		"tiny": "1e-400", "a float": "0.1e1", "nothing": `""`, "a NUL": `"\u0000"`, "a quote": `"'"`, "a path": `"../../etc/passwd"`, "a percent": `"%n%s%x"`,
		"half a pair": `"\ud83d"`, "turned": `"\u202e"`, "blank ends": `" x "`, "long": `"` + strings.Repeat("x", 5000) + `"`, "a date": `"0000-00-00T00:00:00Z"`,
		"a far date": `"999999-01-01T00:00:00Z"`, "an id of zeros": `"00000000-0000-0000-0000-000000000000"`, "SQL": `"1' OR '1'='1"`,
		"a script": `"<script>alert(1)</script>"`, "digits of another script": `"٣"`, "a NaN": `"NaN"`, "a hex number": `"0x10"`, "not JSON": "nope",
	}
}

// oddMessages are what is not HTTP, or only nearly.
func oddMessages() map[string]string {
	const begin = "METHOD PATH HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	messages := map[string]string{
		"no version": "METHOD PATH\r\n\r\n", "HTTP/0.9": "METHOD PATH HTTP/0.9\r\n\r\n", "HTTP/3.0": "METHOD PATH HTTP/3.0\r\nHost: x\r\n\r\n",
		"no host": "METHOD PATH HTTP/1.1\r\n\r\n", "two hosts": "METHOD PATH HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "an odd host": "METHOD PATH HTTP/1.1\r\nHost: a b/c\r\n\r\n",
		"a blank method": " PATH HTTP/1.1\r\nHost: x\r\n\r\n", "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"a proxy's": "METHOD http://other.example/PATH HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT": "CONNECT other:443 HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n",
		"a star": "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a fragment": "METHOD PATH#x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"a NUL in the path": "METHOD PATH\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "a bad escape": "METHOD PATH%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"less than it says": begin + "Content-Length: 100\r\n\r\n{}", "a length below zero": begin + "Content-Length: -1\r\n\r\n{}", "a length in words": begin + "Content-Length: two\r\n\r\n{}",
		"two lengths": begin + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "a huge length": begin + "Content-Length: 99999999999999999999\r\n\r\n{}",
		"length and chunks": begin + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "odd chunks": begin + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		"a chunk cut off": begin + "Transfer-Encoding: chunked\r\n\r\nff\r\n{}", "an odd encoding": begin + "Transfer-Encoding: x\r\n\r\n{}",
		"a bare line end": "METHOD PATH HTTP/1.1\nHost: x\nConnection: close\n\n", "a folded header": begin + "X: a\r\n b\r\n\r\n", "a header without a name": begin + ": x\r\n\r\n",
		"a blank in a name": begin + "X y: z\r\n\r\n", "a NUL in a header": begin + "X: \x00\r\n\r\n", "a large header": begin + "X: " + strings.Repeat("a", 200_000) + "\r\n\r\n",
		"many headers": begin + strings.Repeat("X: a\r\n", 5000) + "\r\n", "a long path": "METHOD PATH" + strings.Repeat("/a", 10_000) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"an upgrade": "METHOD PATH HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n", "nothing but line ends": strings.Repeat("\r\n", 1000),
	}
	for _, expect := range []string{"100-continue", "nonsense"} {
		messages["expects "+expect] = begin + "Expect: " + expect + "\r\nContent-Length: 0\r\n\r\n"
	}
	for n, authorization := range []string{"Bearer", "Bearer ", "Basic !!", "Digest x", "Bearer \xff", "Basic Og=="} {
		messages[fmt.Sprint("authorization ", n)] = begin + "Authorization: " + authorization + "\r\nContent-Length: 2\r\n\r\n{}"
	}
	return messages
}

// Package problem writes RFC 9457 problem documents: how every error of ours looks over HTTP,
// outside the providers' own dialects.
package problem

import (
	"encoding/json"
	"net/http"
)

// Field names one part of a request that is wrong, and why.
type Field struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

// Document is the body. Code is stable; Title and Detail are for people.
type Document struct {
	Type   string  `json:"type"`
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Code   string  `json:"code"`
	Detail string  `json:"detail,omitempty"`
	Errors []Field `json:"errors,omitempty"`
}

// Write answers with a problem document and returns the status, for the caller's metrics.
func Write(w http.ResponseWriter, status int, code, detail string, fields ...Field) int {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	// An answer that cannot be written has nobody left to read it.
	_ = json.NewEncoder(w).Encode(Document{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Errors: fields,
	})
	return status
}

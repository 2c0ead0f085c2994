package api

import (
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"evens/internal/jsonin"
	"evens/internal/problem"
)

// Problem is an error as it is answered: an RFC 9457 document with a stable code.
type Problem struct {
	problem.Document
	header http.Header // sent beside it; may be nil
	cause  error       // for the log; never sent
}

// mostErrors is how many wrong fields an answer names.
const mostErrors = 20

// newProblem makes a problem of a code. Detail and the first of the fields are shown to the caller.
func newProblem(code, detail string, fields ...problem.Field) *Problem {
	fields = fields[:min(len(fields), mostErrors)]
	status := statusOf(code)
	return &Problem{Document: problem.Document{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Errors: fields,
	}}
}

// badField is the problem of a single field.
func badField(code, location, message string) *Problem {
	return newProblem(code, describe([]problem.Field{{Location: location, Message: message}}),
		problem.Field{Location: location, Message: message})
}

// with adds a header to the answer.
func (p *Problem) with(name, value string) *Problem {
	if p.header == nil {
		p.header = make(http.Header)
	}
	p.header.Set(name, value)
	return p
}

// because remembers what the problem came from, for the log.
func (p *Problem) because(cause error) *Problem {
	p.cause = cause
	return p
}

// Error implements error.
func (p *Problem) Error() string {
	if p.cause != nil {
		return p.cause.Error()
	}
	return p.Code + ": " + p.Detail
}

// Unwrap returns what the problem came from.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.header }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return mediaProblem }

// write answers with the problem where huma does not.
func (p *Problem) write(w http.ResponseWriter) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	problem.Write(w, p.Status, p.Code, p.Detail, p.Errors...)
}

// speakProblems makes huma's own errors look like ours. huma keeps its settings in package
// variables, so this is done once a process.
var speakProblems = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true // a member in other letters is another member
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return fromHuma(status, message, errs)
	}
})

// fromHuma gives an error of huma's a code: it reads bodies and validates, nothing else.
func fromHuma(status int, message string, errs []error) *Problem {
	for _, err := range errs {
		if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return newProblem(CodeBodyTooLarge, "the body is larger than "+sizeText(tooLarge.Limit))
		}
	}
	switch status {
	case http.StatusBadRequest:
		return invalidBody(message, errs)
	case http.StatusUnprocessableEntity:
		fields := fieldsOf(errs)
		return newProblem(codeOf(fields), describe(fields), fields...)
	case http.StatusUnsupportedMediaType:
		return newProblem(CodeUnsupportedMediaType, "the body must be application/json")
	case http.StatusRequestTimeout:
		return newProblem(CodeRequestTimeout, "the body did not arrive in time")
	}
	cause := errors.Join(append(errs, errors.New(message))...)
	if len(errs) > 0 { // the body could not be read to its end: the caller broke off
		return newProblem(CodeInvalidBody, "the body was cut off").because(cause)
	}
	return newProblem(CodeInternal, "").because(cause)
}

// invalidBody is the problem of a body that cannot be read. huma hands on what the reader said as a
// text: "amount stands twice".
func invalidBody(message string, errs []error) *Problem {
	for _, err := range errs {
		detail, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			continue
		}
		for _, reason := range []error{jsonin.ErrTwice, jsonin.ErrSpelling, jsonin.ErrText, jsonin.ErrType} {
			if member, is := strings.CutSuffix(detail.Message, " "+reason.Error()); is && member != "the body" {
				return badField(CodeInvalidBody, "body."+member, reason.Error())
			}
		}
		if detail.Message == errManyValues.Error() {
			return badField(CodeValidationFailed, "body", "has more than 1,000 values")
		}
		return newProblem(CodeInvalidBody, detail.Message)
	}
	return newProblem(CodeInvalidBody, message)
}

// codeOf is the code of fields that huma found fault with. Too many selections are the same refusal as a
// selection that is none.
func codeOf(fields []problem.Field) string {
	if len(fields) > 0 && fields[0].Location == "body.selections" && strings.HasPrefix(fields[0].Message, "expected array length") {
		return CodeInvalidSelection
	}
	return CodeValidationFailed
}

// fieldsOf names the fields huma found fault with. What the caller sent in them is not echoed.
func fieldsOf(errs []error) []problem.Field {
	fields := make([]problem.Field, 0, len(errs))
	for _, err := range errs {
		detail, ok := errors.AsType[*huma.ErrorDetail](err)
		if !ok {
			fields = append(fields, problem.Field{Location: "body", Message: err.Error()})
			continue
		}
		field := problem.Field{Location: detail.Location, Message: detail.Message}
		if name, ok := strings.CutPrefix(detail.Message, "expected required property "); ok {
			// huma blames the object; the caller wants the name of what is missing.
			field.Location += "." + strings.TrimSuffix(name, " to be present")
			field.Message = "is required"
		}
		fields = append(fields, field)
	}
	return fields
}

// shownFields is how many fields a detail spells out; errors has more of them.
const shownFields = 3

// describe puts fields into a sentence, without the part of the request they are in.
func describe(fields []problem.Field) string {
	var parts []string
	for i, field := range fields {
		if i == shownFields {
			parts = append(parts, "…")
			break
		}
		name := field.Location
		if _, rest, nested := strings.Cut(field.Location, "."); nested {
			name = rest
		}
		parts = append(parts, name+": "+field.Message)
	}
	return strings.Join(parts, "; ")
}

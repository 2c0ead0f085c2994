// Package statementfile reads the statement files that providers, banks and payment services give to finance:
// CSV, gzip, zip or a spreadsheet, in whatever layout a [Mapping] describes. It knows nothing of our books.
//
// [NewReader] unpacks a file, finds its encoding and its header; [Reader.Next] reads it line by line, so that
// memory does not grow with it. Whatever cannot be read for certain is an error that names the line as an
// editor counts it, the file's own column and its text: a doubtful amount or date is never guessed.
// [Propose] looks at a file and drafts the mapping that would read it.
package statementfile

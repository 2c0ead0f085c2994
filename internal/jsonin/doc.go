// Package jsonin reads JSON that comes from outside: what callers, providers and gateways send.
//
// It takes what RFC 8259 calls JSON and I-JSON (RFC 7493) calls safe to exchange: UTF-8, every member
// once. A member that stands twice, that is spelt in other letters than its document spells it, or
// text that is no Unicode (bytes that are not UTF-8, half a surrogate pair) is refused with an
// [*Error] that names it; nothing is repaired, and nothing is guessed. Members that a document does
// not have are left aside: senders add some.
//
// A [Door] is one such sender and says by name what is let pass there beyond that. [ID] is the one
// place that says which texts may be ids.
package jsonin

// Package listen guards listeners: how many connections there may be, and TLS whose certificate is read
// anew when its files change.
package listen

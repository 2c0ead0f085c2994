// Package console serves the operators' listener: the pages behind an operator's login, the queue
// dashboard among them, metrics, and the two health pages. What a role may do is said by the
// permission table of package access; each route names its operation.
package console

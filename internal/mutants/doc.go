// Command mutants plants small faults in the code that moves money, one at a time, and runs the tests that reach each:
// a fault that no test notices is a blind spot. How to read what it says: docs/testing.md.
//
//	make mutants                     300 faults by chance, the commit's id as seed
//	make mutants ARGS="-base main"   faults on the lines changed since main
//
// All faults of a round are in one build of the tests, each behind a switch (EVENS_FAULT=number): Go expressions and
// statements, and the text of SQL statements. Sources are replaced by go build's -overlay; the tree stays as it is. Keys,
// checks and triggers of the schema are taken away in the template of the tests' databases (EVENS_FAULT_SCHEMA=statement).
package main

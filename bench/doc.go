// Package bench measures the whole program, each time beside a baseline on the same server in
// the same run: absolute figures move from machine to machine, ratios hardly do.
package bench

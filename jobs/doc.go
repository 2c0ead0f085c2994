// Package jobs reminds: it carries ids of rows from where work is written down to where it is
// done, and ticks a clock. It never carries facts, and whatever it forgets is found again in the
// tables by the sweep, which is itself a job that ticks.
//
// The queue is asynq on Redis. A task can be lost, repeated, stuck or handed on while its first
// run still goes on (see asynq's issues 1144, 1051, 1055); so every handler is idempotent in
// PostgreSQL, task ids carry a number that grows, and nothing about money depends on an enqueue.
package jobs

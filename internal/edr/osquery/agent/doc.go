// Package agent is an endpoint without osquery: it enrols with a hunter server, polls it through osquery's remote API, answers
// the same SQL by the embedded engine under limits that it keeps itself, and keeps each answer on disk until the server has
// acknowledged it. It tells beside its rows what could not be read.
package agent

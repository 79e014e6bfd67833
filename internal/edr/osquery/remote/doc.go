// Package remote is a fleet of osquery agents: the remote API that osqueryd speaks over TLS (enroll, config, log, distributed
// read and write), and the tool whose endpoints are the agents that enrolled. It keeps nothing itself: whoever makes a Server
// binds where nodes, hand-outs and answers are stored.
//
// Agents do not look at status codes: an empty body, or any JSON object without "error" and "node_invalid", tells them that
// all went well and makes them forget their results. So every refusal here carries a JSON object with "error", and {} is sent
// when the results are stored, never before.
package remote

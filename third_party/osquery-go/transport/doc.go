// Package transport opens osqueryd's sockets.
package transport

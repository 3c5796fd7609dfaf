// Package ext is what Traefik's own module of this name holds, which is missing from its archive.
package ext

// HTTP extends nothing.
type HTTP struct{}

// Router extends nothing.
type Router struct{}

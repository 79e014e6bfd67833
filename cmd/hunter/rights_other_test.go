//go:build !linux

package main

func dropRights() {}

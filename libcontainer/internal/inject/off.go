//go:build !faultinject

// Package inject marks the points at which the tests kill the parent. In a
// normal build a point is nothing.
package inject

// Point is where the test build may be told to die.
func Point(string) {}

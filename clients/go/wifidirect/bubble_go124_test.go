//go:build !go1.25

package wifidirect

import (
	"testing"
	"testing/synctest" // With GOEXPERIMENT=synctest.
)

// bubble runs a test in simulated time.
func bubble(t *testing.T, run func(t *testing.T)) {
	t.Helper()
	synctest.Run(func() { run(t) })
}

//go:build go1.25

package wifidirect

import (
	"testing"
	"testing/synctest"
)

// bubble runs a test in simulated time.
func bubble(t *testing.T, run func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, run)
}

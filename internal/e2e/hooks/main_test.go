package hooks_test

import (
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m, nil) }

package postgres_test

import (
	"testing"

	"evens/internal/testbed"
)

func TestMain(m *testing.M) { testbed.Main(m) }

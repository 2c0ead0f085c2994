package lookup

import "testing"

func TestBoundedForgetsBeyondItsBound(t *testing.T) {
	t.Parallel()
	b := Bounded[int, string]{Most: 2}
	if _, ok := b.Get(1); ok {
		t.Error("an empty memory remembers")
	}
	b.Put(1, "one")
	b.Put(2, "two")
	if one, ok := b.Get(1); !ok || one != "one" {
		t.Errorf("Get(1) = %q, %t", one, ok)
	}
	b.Put(3, "three")
	if _, ok := b.Get(1); ok {
		t.Error("more is remembered than may be")
	}
	if three, ok := b.Get(3); !ok || three != "three" {
		t.Errorf("Get(3) = %q, %t", three, ok)
	}
}

package pool

import (
	"slices"
	"testing"
)

func TestPoolGivesWhatWasUsedLastOrFirst(t *testing.T) {
	var p Pool[int]
	for c := range 4 {
		p.Put(c + 1)
	}
	if c := p.TakeLast(); c != 4 {
		t.Errorf("the last one used is %d, want 4", c)
	}
	if c := p.TakeFirst(); c != 1 {
		t.Errorf("the first one used is %d, want 1", c)
	}
	var dropped []int
	p.Clear(func(c int) { dropped = append(dropped, c) })
	if !slices.Equal(dropped, []int{2, 3}) {
		t.Errorf("dropped %v, want 2 and 3", dropped)
	}
	if p.TakeLast() != 0 || p.TakeFirst() != 0 {
		t.Error("an empty pool has a connection")
	}
}

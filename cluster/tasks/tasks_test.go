package tasks_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/roomring/roomring/cluster/tasks"
)

func TestCloseEndsAndWaits(t *testing.T) {
	g := tasks.New()
	var ended atomic.Int32
	for range 10 {
		if !g.Go(func(ctx context.Context) {
			<-ctx.Done()
			ended.Add(1)
		}) {
			t.Fatal("an open group refuses a goroutine")
		}
	}
	g.Close()
	if ended.Load() != 10 {
		t.Errorf("%d of 10 had ended when Close returned", ended.Load())
	}
	if g.Go(func(context.Context) { t.Error("a closed group runs it") }) || g.Context().Err() == nil {
		t.Error("a closed group takes a goroutine")
	}
	g.Close()
}

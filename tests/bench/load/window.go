package main

import "sync/atomic"

// window bounds how many records of one producer are unacknowledged. One goroutine takes.
type window struct {
	free atomic.Int64
	wake chan struct{}
}

func newWindow(size int) *window {
	w := &window{wake: make(chan struct{}, 1)}
	w.free.Store(int64(size))
	return w
}

func (w *window) take() {
	if w.free.Add(-1) < 0 {
		<-w.wake
	}
}

func (w *window) give(n int) {
	if after := w.free.Add(int64(n)); after-int64(n) < 0 && n > 0 {
		w.wake <- struct{}{}
	}
}

package main

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// consume fills a log and measures how fast one reader gets it: from the first record on, or its
// newest records again and again for as long as is measured. What comes with the first delivery is
// not counted, nor is the time until then, which is that of connecting.
func (w *work) consume() (result, error) {
	const log = "backlog"
	if err := w.create(log, 1); err != nil {
		return result{}, err
	}
	if err := w.fill(log); err != nil {
		return result{}, err
	}
	syscall.Sync() // The backlog stays in the page cache, but its writing is over.
	expected := w.records
	if w.newest > 0 {
		expected = w.newest
	}
	var records int
	var spent time.Duration
	for begin := time.Now(); ; {
		n, took, err := w.readOnce(log, expected)
		if err != nil {
			return result{}, err
		}
		records += n
		spent += took
		if w.newest == 0 || time.Since(begin) >= w.measured {
			break
		}
	}
	return result{Metrics: map[string]float64{
		"records_per_second": float64(records) / spent.Seconds()}}, nil
}

func (w *work) fill(log string) error {
	s, err := w.openStream(log, 1)
	if err != nil {
		return err
	}
	for i := range w.records {
		s.window.take()
		s.producer.Send(NoKey, w.values[i%len(w.values)])
	}
	s.producer.Finish()
	for begin, last := time.Now(), int64(0); s.acked.Load() < int64(w.records); {
		if s.refused.Load() > 0 {
			return fmt.Errorf("%d records of the backlog were refused: %v", s.refused.Load(),
				s.failure.Load())
		}
		if now := s.acked.Load(); now > last {
			begin, last = time.Now(), now
		} else if time.Since(begin) > patience {
			return fmt.Errorf("only %d of %d records of the backlog were stored", now, w.records)
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// readOnce reads so many records with a reader of its own.
func (w *work) readOnce(log string, expected int) (int, time.Duration, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	type reading struct {
		records int
		took    time.Duration
		err     error
	}
	done := make(chan reading, 1)
	seen, counted := 0, 0
	var begin time.Time
	err := w.system.Read(ctx, log, From{Newest: w.newest}, func(values [][]byte) {
		before := seen
		seen += len(values)
		if before == 0 {
			begin = time.Now()
		} else {
			counted += len(values)
		}
		if before < expected && seen >= expected {
			r := reading{records: counted, took: time.Since(begin)}
			if last := values[len(values)-1]; len(last) != w.size {
				r.err = fmt.Errorf("a value of %d bytes came back with %d", w.size, len(last))
			} else if seen > expected {
				r.err = fmt.Errorf("read %d records of %d", seen, expected)
			}
			done <- r
		}
	})
	if err != nil {
		return 0, 0, err
	}
	select {
	case r := <-done:
		return r.records, r.took, r.err
	case <-time.After(2 * patience):
		return 0, 0, fmt.Errorf("not all of %d records were read", expected)
	}
}

// follower counts what one reader at the end of a log got.
type follower struct{ got atomic.Int64 }

// follow opens readers at the end of a log, and sends records one by one until each has got one.
func (w *work) follow(log string, readers int, s *stream) ([]*follower, error) {
	followers := make([]*follower, readers)
	for i := range followers {
		f := &follower{}
		followers[i] = f
		err := w.system.Read(context.Background(), log, From{End: true},
			func(values [][]byte) { f.got.Add(int64(len(values))) })
		if err != nil {
			return nil, err
		}
	}
	for begin := time.Now(); slices.ContainsFunc(followers,
		func(f *follower) bool { return f.got.Load() == 0 }); {
		if time.Since(begin) > patience {
			return nil, fmt.Errorf("not every reader got a record")
		}
		s.window.take()
		s.producer.Send(NoKey, w.values[0])
		time.Sleep(20 * time.Millisecond)
	}
	return followers, nil
}

func slowest(followers []*follower) int64 {
	least := followers[0].got.Load()
	for _, f := range followers[1:] {
		least = min(least, f.got.Load())
	}
	return least
}

// together measures one producer at full speed and one reader of the same log.
func (w *work) together() (result, error) { return w.shared(1, false) }

// fanOut measures the highest rate that all readers of a log keep up with: the producer waits when
// the slowest of them is too far behind.
func (w *work) fanOut() (result, error) { return w.shared(w.readers, true) }

// How far behind the slowest reader may be in fanOut, in records.
const mostBehind = 8192

func (w *work) shared(readers int, wait bool) (result, error) {
	const log = "shared"
	if err := w.create(log, 1); err != nil {
		return result{}, err
	}
	s, err := w.openStream(log, 1)
	if err != nil {
		return result{}, err
	}
	followers, err := w.follow(log, readers, s)
	if err != nil {
		return result{}, err
	}
	var stop atomic.Bool
	go func() {
		sent, missed := int64(0), s.acked.Load()-slowest(followers)
		start := slowest(followers)
		for i := 0; !stop.Load(); i++ {
			// A reader may have missed some of the first records, sent before it was there.
			for wait && sent-(slowest(followers)-start) > mostBehind+missed && !stop.Load() {
				time.Sleep(50 * time.Microsecond)
			}
			for range 64 {
				s.window.take()
				s.producer.Send(NoKey, w.values[i%len(w.values)])
				sent++
			}
		}
	}()
	var before, after int64
	var delivered float64
	rate, err := w.rateOf([]*stream{s}, func(begin bool, seconds float64) {
		if begin {
			before = sum(followers)
			return
		}
		after = sum(followers)
		delivered = float64(after-before) / seconds
	})
	stop.Store(true)
	if err == nil && delivered == 0 {
		err = fmt.Errorf("nothing was delivered")
	}
	return result{Metrics: map[string]float64{
		"records_per_second": rate, "delivered_per_second": delivered}}, err
}

func sum(followers []*follower) (total int64) {
	for _, f := range followers {
		total += f.got.Load()
	}
	return total
}

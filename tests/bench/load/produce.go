package main

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// stream is one producer that sends as fast as its window allows.
type stream struct {
	producer Producer
	window   *window
	acked    atomic.Int64
	refused  atomic.Int64
	failure  atomic.Value // The first error.
}

// openStream opens a throughput producer on a log that exists.
func (w *work) openStream(log string, partitions int) (*stream, error) {
	s := &stream{window: newWindow(w.system.Window())}
	var err error
	s.producer, err = w.system.Producer(log, partitions, Throughput, func(n int, err error) {
		if err != nil {
			s.refused.Add(int64(n))
			s.failure.CompareAndSwap(nil, err.Error())
		} else {
			s.acked.Add(int64(n))
		}
		s.window.give(n)
	})
	return s, err
}

// send goes on until stop is set, with keys 0, 1, 2... where the log has several partitions.
func (s *stream) send(values [][]byte, keys int, stop *atomic.Bool) {
	key := NoKey
	for i := 0; !stop.Load(); i++ {
		if keys > 0 {
			key = i % keys
		}
		s.window.take()
		s.producer.Send(key, values[i%len(values)])
	}
}

var errNothing = errors.New("nothing was acknowledged")

// warmUp lets a system work before it is measured; how much it does is not asked.
func (w *work) warmUp() (result, error) {
	done, err := w.produce()
	if errors.Is(err, errNothing) {
		err = nil
	}
	return done, err
}

// produce measures acknowledged records a second of some producers, each with a log of its own.
func (w *work) produce() (result, error) {
	streams := make([]*stream, w.producers)
	for i := range streams {
		log := fmt.Sprintf("produce-%d", i)
		if err := w.create(log, 1); err != nil {
			return result{}, err
		}
		var err error
		if streams[i], err = w.openStream(log, 1); err != nil {
			return result{}, err
		}
	}
	var stop atomic.Bool
	for _, s := range streams {
		go s.send(w.values, 0, &stop)
	}
	rate, err := w.rateOf(streams, nil)
	stop.Store(true)
	var stored int64
	for _, s := range streams {
		stored += s.acked.Load()
	}
	return result{Metrics: map[string]float64{
		"records_per_second": rate, "acknowledged_records": float64(stored)}}, err
}

// rateOf measures how many records a second the running streams get acknowledged, some time after the
// first was; `also` is called with the seconds that went by, right when they were measured.
func (w *work) rateOf(streams []*stream, also func(begin bool, seconds float64)) (float64, error) {
	total := func() (sum int64) {
		for _, s := range streams {
			sum += s.acked.Load()
		}
		return sum
	}
	for begin := time.Now(); total() == 0 && time.Since(begin) < patience; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(w.warm)
	before, begin := total(), time.Now()
	if also != nil {
		also(true, 0)
	}
	time.Sleep(w.measured)
	seconds := time.Since(begin).Seconds()
	rate := float64(total()-before) / seconds
	if also != nil {
		also(false, seconds)
	}
	for _, s := range streams {
		if n := s.refused.Load(); n > 0 {
			return rate, fmt.Errorf("%d records were refused: %v", n, s.failure.Load())
		}
	}
	if rate == 0 {
		return rate, fmt.Errorf("%w in %v", errNothing, w.measured)
	}
	return rate, nil
}

// manyPartitions measures how long a log of many partitions takes to make, until it takes a record,
// and the rate of keyed records that go to all of them.
func (w *work) manyPartitions() (result, error) {
	const log = "many"
	begin := time.Now()
	if err := w.create(log, w.partitions); err != nil {
		return result{}, err
	}
	call, err := w.system.Caller(log)
	if err != nil {
		return result{}, err
	}
	if err := call(w.values[0]); err != nil {
		return result{}, fmt.Errorf("the first record was not taken: %w", err)
	}
	created := time.Since(begin)
	s, err := w.openStream(log, w.partitions)
	if err != nil {
		return result{}, err
	}
	var stop atomic.Bool
	// More keys than partitions, so that a hash leaves hardly one of them out.
	go s.send(w.values, 10*w.partitions, &stop)
	rate, err := w.rateOf([]*stream{s}, nil)
	stop.Store(true)
	return result{Metrics: map[string]float64{
		"create_seconds": created.Seconds(), "records_per_second": rate}}, err
}

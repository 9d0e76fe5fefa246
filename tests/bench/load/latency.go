package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// After the last record was due, how long the rest may take to arrive.
const lateSeconds = 5

// prctl(PR_SET_TIMERSLACK): how much later than asked the kernel may wake this thread.
const prSetTimerslack = 29

// pace calls send(i, due) for i < total at a fixed rate. One that is late does not put off the
// others: their times are fixed beforehand.
func pace(begin time.Time, rate, total int, send func(i int, due time.Duration)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerslack, 1, 0)
	for i := range total {
		due := time.Duration(i) * time.Second / time.Duration(rate)
		if ahead := due - time.Since(begin); ahead > 0 {
			pause := syscall.NsecToTimespec(ahead.Nanoseconds())
			syscall.Nanosleep(&pause, nil)
		}
		send(i, due)
	}
}

// timeline is what became of each record of one run, by its number; times since the begin.
type timeline struct {
	begin     time.Time
	due       []time.Duration
	acked     []time.Duration
	delivered []time.Duration
	arrived   int // For the reader's goroutine.
	ackCount  int // For the acknowledgements.
	mutex     sync.Mutex
	failure   error
	complete  chan struct{}
	left      atomic.Int64 // Events that are still missing, of both kinds.
}

func (t *timeline) fail(err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.failure == nil {
		t.failure = err
	}
}

func (t *timeline) happened(n int) {
	if t.left.Add(int64(-n)) == 0 {
		close(t.complete)
	}
}

// Marks a value that carries a number; those before are sent only to see the reader ready.
const numbered = 0x6d696c6c

func (t *timeline) deliver(values [][]byte) {
	now := time.Since(t.begin)
	n := 0
	for _, value := range values {
		if binary.LittleEndian.Uint32(value[4:]) != numbered {
			continue
		}
		if number := int(binary.LittleEndian.Uint32(value)); number != t.arrived {
			t.fail(fmt.Errorf("record %d was delivered in the place of %d", number, t.arrived))
			return
		}
		t.delivered[t.arrived] = now
		t.arrived++
		n++
	}
	if n > 0 {
		t.happened(n)
	}
}

// latency measures the time from when a record was due to be sent until a reader has it, and until
// it is acknowledged, at a fixed rate.
func (w *work) latency() (result, error) {
	const log = "latency"
	if err := w.create(log, 1); err != nil {
		return result{}, err
	}
	total := int((w.warm + w.measured).Seconds() * float64(w.rate))
	skipped := int(w.warm.Seconds() * float64(w.rate))
	t := &timeline{due: make([]time.Duration, total), acked: make([]time.Duration, total),
		delivered: make([]time.Duration, total), complete: make(chan struct{})}
	t.left.Store(int64(2 * total))

	var ready, started atomic.Bool
	var before atomic.Int64 // Acknowledgements of the records that only see the reader ready.
	err := w.system.Read(context.Background(), log, From{End: true}, func(values [][]byte) {
		ready.Store(true)
		t.deliver(values)
	})
	if err != nil {
		return result{}, err
	}
	producer, err := w.system.Producer(log, 1, Latency, func(n int, err error) {
		if err != nil {
			t.fail(fmt.Errorf("a record was refused: %w", err))
			return
		}
		if !started.Load() {
			before.Add(int64(n))
			return
		}
		now := time.Since(t.begin)
		for range n {
			t.acked[t.ackCount] = now
			t.ackCount++
		}
		t.happened(n)
	})
	if err != nil {
		return result{}, err
	}
	probes := int64(0)
	for begin := time.Now(); !ready.Load() || before.Load() < probes; {
		if time.Since(begin) > patience {
			return result{}, fmt.Errorf("the reader got nothing")
		}
		if !ready.Load() {
			producer.Send(NoKey, make([]byte, w.size))
			probes++
		}
		time.Sleep(20 * time.Millisecond)
	}
	started.Store(true)

	t.begin = time.Now().Add(50 * time.Millisecond)
	go pace(t.begin, w.rate, total, func(i int, due time.Duration) {
		value := make([]byte, w.size)
		copy(value[8:], w.values[i%len(w.values)])
		binary.LittleEndian.PutUint32(value, uint32(i))
		binary.LittleEndian.PutUint32(value[4:], numbered)
		t.due[i] = due
		producer.Send(NoKey, value)
	})
	select {
	case <-t.complete:
	case <-time.After(w.warm + w.measured + lateSeconds*time.Second):
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.failure != nil {
		return result{}, t.failure
	}
	if left := t.left.Load(); left > 0 {
		return result{}, fmt.Errorf("cannot keep up: %d of %d answers and deliveries were missing %d s "+
			"after the last record was due", left, 2*total, lateSeconds)
	}
	delivered, acked := make([]int64, 0, total), make([]int64, 0, total)
	for i := skipped; i < total; i++ {
		delivered = append(delivered, int64(t.delivered[i]-t.due[i]))
		acked = append(acked, int64(t.acked[i]-t.due[i]))
	}
	return result{Metrics: map[string]float64{},
		Latencies: map[string][]int64{"delivered": delivered, "acknowledged": acked}}, nil
}

// single measures clients that append one record at a time to one log.
func (w *work) single() (result, error) {
	const log = "single"
	if err := w.create(log, 1); err != nil {
		return result{}, err
	}
	calls := make([]func([]byte) error, w.clients)
	for i := range calls {
		var err error
		if calls[i], err = w.system.Caller(log); err != nil {
			return result{}, err
		}
	}
	begin := time.Now().Add(w.warm)
	end := begin.Add(w.measured)
	latencies := make([][]int64, w.clients)
	var stored atomic.Int64
	failures := make(chan error, w.clients)
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() {
			for n := 0; ; n++ {
				sent := time.Now()
				if err := call(w.values[n%len(w.values)]); err != nil {
					failures <- err
					return
				}
				stored.Add(1)
				now := time.Now()
				if now.After(end) {
					return
				}
				if sent.After(begin) {
					latencies[i] = append(latencies[i], int64(now.Sub(sent)))
				}
			}
		})
	}
	running.Wait()
	select {
	case err := <-failures:
		return result{}, err
	default:
	}
	var all []int64
	for _, some := range latencies {
		all = append(all, some...)
	}
	return result{Metrics: map[string]float64{
		"records_per_second":   float64(len(all)) / w.measured.Seconds(),
		"acknowledged_records": float64(stored.Load())},
		Latencies: map[string][]int64{"acknowledged": all}}, nil
}

// first says "ready" and then tries until a record is acknowledged; the caller starts the system
// once this is ready, and compares the time with when it did.
func (w *work) first() (result, error) {
	fmt.Println("ready")
	var err error
	for begin := time.Now(); time.Since(begin) < 2*patience; time.Sleep(time.Millisecond) {
		if err = w.tryOnce(); err == nil {
			return result{Metrics: map[string]float64{
				"first_answer_unix_ns": float64(time.Now().UnixNano())}}, nil
		}
	}
	return result{}, fmt.Errorf("there was no answer in %v: %w", 2*patience, err)
}

// tryOnce asks only where somebody listens, since clients wait longer and longer between attempts.
func (w *work) tryOnce() error {
	probe, err := net.DialTimeout("tcp", w.address, time.Second)
	if err != nil {
		return err
	}
	probe.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.system.Create(ctx, "first", 1); err != nil {
		return err
	}
	call, err := w.system.Caller("first")
	if err != nil {
		return err
	}
	return call(w.values[0])
}

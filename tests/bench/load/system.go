package main

import (
	"context"
	"fmt"
)

// Class is what an acknowledgement promises.
type Class string

const (
	// Memory: in the memory or page cache of the system; a power cut may lose it.
	Memory Class = "d0"
	// SharedSync: on disk, by an fsync that may be shared with other requests.
	SharedSync Class = "d1"
	// EachSync: on disk, by an fsync of its own for each batch or message.
	EachSync Class = "d2"
)

// Goal is what a producer is tuned for.
type Goal int

const (
	Throughput Goal = iota // Records may wait for a few milliseconds to go in larger requests.
	Latency                // Nothing waits on purpose.
)

// From is where a reader begins: at the first record, after the last, or at one of the newest.
type From struct {
	End    bool
	Newest int // Where positive: so many records before the end.
}

// NoKey is the key of a record that has none, as all in a log of one partition.
const NoKey = -1

// Producer sends records over one connection of its own.
type Producer interface {
	// Send hands a record over; it may block. The value must stay as it is. For one goroutine.
	Send(key int, value []byte)
	// Finish says that nothing more is sent, which some need to know to have the last acknowledged.
	Finish()
}

// Acked is called as records are acknowledged: n more, in the order in which they were sent (within
// a partition, where a log has several), or refused. On any goroutine, one call at a time.
type Acked func(n int, err error)

// System opens logs on the system under test. Every producer, caller and reader has a connection of
// its own, as separate processes would.
type System interface {
	// Window is how many records a throughput producer keeps unacknowledged.
	Window() int
	// Create makes a log with so many partitions, or what comes nearest: subjects of one stream in
	// NATS, keys in Redis.
	Create(ctx context.Context, log string, partitions int) error
	// Producer opens a producer; keyed ones spread their records over all partitions.
	Producer(log string, partitions int, goal Goal, acked Acked) (Producer, error)
	// Caller gives a function that appends one record and returns once it is acknowledged.
	Caller(log string) (func(value []byte) error, error)
	// Read delivers the records of a log of one partition until ctx ends, on one goroutine. The
	// values stay as they are until deliver returns: their memory may be used again.
	Read(ctx context.Context, log string, from From, deliver func(values [][]byte)) error
}

func openSystem(name, address string, class Class) (System, error) {
	switch name {
	case "millrace":
		return newMillrace(address, class, false)
	case "millrace-stubs":
		return newMillrace(address, class, true)
	case "kafka":
		return newKafka(address, class)
	case "nats":
		return newNats(address, class)
	case "redis":
		return newRedis(address, class)
	}
	return nil, fmt.Errorf("there is no system %q", name)
}

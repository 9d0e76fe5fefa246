// Command millrace-bench-load puts one work through one running system and prints one JSON object:
// {"metrics": {name: number}, "latencies_ns": {name: [number...]}}. See ../README.md for the works.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// work is what one run does, from the flags.
type work struct {
	system     System
	address    string
	size       int
	producers  int
	clients    int
	readers    int
	partitions int
	records    int
	newest     int
	rate       int
	warm       time.Duration
	measured   time.Duration
	values     [][]byte
}

// result is what one run prints.
type result struct {
	Metrics   map[string]float64 `json:"metrics"`
	Latencies map[string][]int64 `json:"latencies_ns,omitempty"`
}

// Longest that anything may take to begin.
const patience = 60 * time.Second

var works = map[string]func(*work) (result, error){
	"warm-up":    (*work).warmUp,
	"first":      (*work).first,
	"produce":    (*work).produce,
	"together":   (*work).together,
	"fan-out":    (*work).fanOut,
	"consume":    (*work).consume,
	"latency":    (*work).latency,
	"single":     (*work).single,
	"partitions": (*work).manyPartitions,
}

func main() {
	var w work
	name := flag.String("work", "", "what to do")
	system := flag.String("system", "", "millrace, millrace-stubs, kafka, nats or redis")
	flag.StringVar(&w.address, "address", "", "host:port of the system")
	class := flag.String("class", "d0", "d0, d1 or d2")
	flag.IntVar(&w.size, "size", 1024, "bytes of a value")
	flag.IntVar(&w.producers, "producers", 1, "producers, each to a log of its own")
	flag.IntVar(&w.clients, "clients", 1, "clients with one record outstanding each")
	flag.IntVar(&w.readers, "readers", 16, "readers of one log")
	flag.IntVar(&w.partitions, "partitions", 10000, "partitions of a log")
	flag.IntVar(&w.records, "records", 500000, "records of the backlog")
	flag.IntVar(&w.newest, "newest", 0, "read only so many records before the end")
	flag.IntVar(&w.rate, "rate", 5000, "records a second")
	flag.DurationVar(&w.warm, "warm", time.Second, "how long to run before measuring")
	flag.DurationVar(&w.measured, "measured", 3*time.Second, "how long to measure")
	flag.Parse()

	run, ok := works[*name]
	if !ok {
		fail(fmt.Errorf("there is no work %q", *name))
	}
	var err error
	if w.system, err = openSystem(*system, w.address, Class(*class)); err != nil {
		fail(err)
	}
	w.values = differentValues(w.size)
	done, err := run(&w)
	if err != nil {
		fail(fmt.Errorf("%s, %s: %w", *system, *name, err))
	}
	if err := json.NewEncoder(os.Stdout).Encode(done); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// differentValues gives some values that no compression makes smaller, the same in every run.
func differentValues(size int) [][]byte {
	const many = 512
	random := rand.New(rand.NewPCG(1, 2))
	values := make([][]byte, many)
	for i := range values {
		values[i] = make([]byte, size)
		for j := range values[i] {
			values[i][j] = byte(random.Uint32())
		}
	}
	return values
}

// create makes a log; a system that has only just started may refuse for a while.
func (w *work) create(log string, partitions int) error {
	deadline := time.Now().Add(patience)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := w.system.Create(ctx, log, partitions)
		cancel()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

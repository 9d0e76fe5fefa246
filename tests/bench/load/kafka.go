package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A controller refuses a request that makes more than some 10,000 records of metadata.
const kafkaPartitionsAtOnce = 5000

type kafka struct {
	address string
	class   Class
}

func newKafka(address string, class Class) (System, error) {
	if class == SharedSync {
		return nil, errors.New("Kafka has no fsync that several batches share and wait for")
	}
	return &kafka{address, class}, nil
}

func (k *kafka) Window() int { return 100_000 }

func (k *kafka) open(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(options, kgo.SeedBrokers(k.address))...)
}

func (k *kafka) Create(ctx context.Context, log string, partitions int) error {
	client, err := k.open(kgo.RetryTimeout(patience),
		kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }))
	if err != nil {
		return err
	}
	defer client.Close()
	config := map[string]*string{}
	if k.class == EachSync {
		config["flush.messages"] = kadm.StringPtr("1")
	}
	admin := kadm.NewClient(client)
	_, err = admin.CreateTopic(ctx, int32(min(partitions, kafkaPartitionsAtOnce)), 1, config, log)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return err
	}
	for made := kafkaPartitionsAtOnce; made < partitions; made += kafkaPartitionsAtOnce {
		grown, err := admin.UpdatePartitions(ctx, min(made+kafkaPartitionsAtOnce, partitions), log)
		if err = errors.Join(err, grown.Error()); err != nil && !errors.Is(err, kerr.InvalidPartitions) {
			return err // Invalid: there are as many already, by an attempt that failed later.
		}
	}
	return nil
}

type kafkaProducer struct {
	client *kgo.Client
	acked  func(*kgo.Record, error)
}

func (k *kafka) Producer(log string, _ int, goal Goal, acked Acked) (Producer, error) {
	linger := 5 * time.Millisecond
	if goal == Latency {
		linger = 0
	}
	client, err := k.open(kgo.DefaultProduceTopic(log), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(linger),
		kgo.ProducerBatchMaxBytes(256<<10), kgo.MaxBufferedRecords(1<<20))
	if err != nil {
		return nil, err
	}
	return &kafkaProducer{client, func(_ *kgo.Record, err error) { acked(1, err) }}, nil
}

func (p *kafkaProducer) Send(key int, value []byte) {
	record := &kgo.Record{Value: value}
	if key != NoKey {
		record.Key = binary.LittleEndian.AppendUint64(nil, uint64(key))
	}
	p.client.Produce(context.Background(), record, p.acked)
}

func (p *kafkaProducer) Finish() {}

func (k *kafka) Caller(log string) (func([]byte) error, error) {
	client, err := k.open(kgo.DefaultProduceTopic(log), kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(0))
	if err != nil {
		return nil, err
	}
	return func(value []byte) error {
		return client.ProduceSync(context.Background(), &kgo.Record{Value: value}).FirstErr()
	}, nil
}

func (k *kafka) Read(ctx context.Context, log string, from From, deliver func([][]byte)) error {
	offset := kgo.NewOffset().AtStart()
	if from.End {
		offset = kgo.NewOffset().AtEnd()
	} else if from.Newest > 0 {
		offset = kgo.NewOffset().AtEnd().Relative(-int64(from.Newest))
	}
	client, err := k.open(kgo.FetchMaxPartitionBytes(4<<20), kgo.FetchMinBytes(1), kgo.WithPools(&recordPool{}),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{log: {0: offset}}))
	if err != nil {
		return err
	}
	go func() {
		defer client.Close()
		var values [][]byte
		for {
			fetches := client.PollFetches(ctx)
			if ctx.Err() != nil {
				return
			}
			if err := fetches.Err(); err != nil {
				fmt.Fprintln(os.Stderr, "Kafka, reading:", err)
				os.Exit(1)
			}
			values = values[:0]
			fetches.EachRecord(func(r *kgo.Record) { values = append(values, r.Value) })
			if len(values) > 0 {
				deliver(values)
			}
			fetches.EachRecord((*kgo.Record).Recycle)
		}
	}()
	return nil
}

// recordPool keeps the slices of records that were delivered for the next ones.
type recordPool struct{ pool sync.Pool }

func (p *recordPool) GetRecords(n int) []kgo.Record {
	if kept, ok := p.pool.Get().(*[]kgo.Record); ok && cap(*kept) >= n {
		return (*kept)[:0]
	}
	return make([]kgo.Record, 0, n)
}

func (p *recordPool) PutRecords(records []kgo.Record) { p.pool.Put(&records) }

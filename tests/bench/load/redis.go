package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// The most commands of one pipeline.
const redisPipeline = 512

// The field of a stream's entry that holds the value.
const redisField = "v"

type redisStreams struct{ address string }

func newRedis(address string, class Class) (System, error) {
	if class == EachSync {
		return nil, errors.New("Redis shares its fsyncs between clients")
	}
	return &redisStreams{address}, nil
}

func (r *redisStreams) open() *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: r.address, PoolSize: 1, MaxRetries: -1, ReadTimeout: -1, Protocol: 2,
		DisableIdentity: true})
}

func (r *redisStreams) Window() int { return 10_000 }

// Create has nothing to make: a stream comes with its first entry.
func (r *redisStreams) Create(ctx context.Context, _ string, _ int) error {
	client := r.open()
	defer client.Close()
	return client.Ping(ctx).Err()
}

type redisEntry struct {
	key   int
	value []byte
}

type redisProducer struct {
	client     *redis.Client
	log        string
	partitions int
	queue      chan redisEntry
	acked      Acked
}

func (r *redisStreams) Producer(log string, partitions int, _ Goal, acked Acked) (Producer, error) {
	p := &redisProducer{r.open(), log, partitions, make(chan redisEntry, r.Window()), acked}
	go p.run()
	return p, p.client.Ping(context.Background()).Err()
}

func (p *redisProducer) Send(key int, value []byte) { p.queue <- redisEntry{key, value} }

// run puts what is waiting into one pipeline, waits for its answers, and begins again.
func (p *redisProducer) run() {
	ctx := context.Background()
	for entry := range p.queue {
		pipeline := p.client.Pipeline()
		p.add(ctx, pipeline, entry)
		for more := true; more && pipeline.Len() < redisPipeline; {
			select {
			case entry := <-p.queue:
				p.add(ctx, pipeline, entry)
			default:
				more = false
			}
		}
		n := pipeline.Len()
		_, err := pipeline.Exec(ctx)
		p.acked(n, err)
	}
}

func (p *redisProducer) Finish() {}

func (p *redisProducer) add(ctx context.Context, pipeline redis.Pipeliner, entry redisEntry) {
	stream := p.log
	if entry.key != NoKey {
		stream = p.log + ":" + strconv.Itoa(entry.key%p.partitions)
	}
	pipeline.Do(ctx, "XADD", stream, "*", redisField, entry.value)
}

func (r *redisStreams) Caller(log string) (func([]byte) error, error) {
	client := r.open()
	return func(value []byte) error {
		return client.Do(context.Background(), "XADD", log, "*", redisField, value).Err()
	}, nil
}

func (r *redisStreams) Read(ctx context.Context, log string, from From, deliver func([][]byte)) error {
	client := r.open()
	after, err := r.before(ctx, client, log, from)
	if err != nil {
		return err
	}
	go func() {
		defer client.Close()
		var values [][]byte
		for {
			read, err := client.XRead(ctx, &redis.XReadArgs{
				Streams: []string{log, after}, Count: 1000, Block: 0}).Result()
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "Redis, reading:", err)
				os.Exit(1)
			}
			values = values[:0]
			for _, message := range read[0].Messages {
				value, _ := message.Values[redisField].(string)
				values = append(values, []byte(value))
				after = message.ID
			}
			deliver(values)
		}
	}()
	return nil
}

// before gives the ID after which a reader begins. "$" would not do for the end: it would miss what
// comes between two reads.
func (r *redisStreams) before(ctx context.Context, client *redis.Client, log string,
	from From) (string, error) {
	skip := int64(from.Newest)
	if !from.End && skip == 0 {
		return "0", nil
	}
	// One entry further back than the first that is wanted.
	entries, err := client.XRevRangeN(ctx, log, "+", "-", skip+1).Result()
	if err != nil {
		return "", err
	}
	if int64(len(entries)) <= skip {
		return "0", nil
	}
	return entries[skip].ID, nil
}

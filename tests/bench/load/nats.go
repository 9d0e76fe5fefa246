package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// Messages without an answer of a latency producer: more than come in a run, since the client drops
// what is beyond.
const natsPending = 1 << 17

type natsStreams struct {
	address string
	class   Class
}

func newNats(address string, class Class) (System, error) {
	if class == SharedSync {
		return nil, errors.New("JetStream has no fsync that several messages share and wait for")
	}
	return &natsStreams{address, class}, nil
}

// Window is beyond what flow allows, which is what bounds a throughput producer here.
func (n *natsStreams) Window() int { return 10_000 }

func (n *natsStreams) open(options ...jetstream.JetStreamOpt) (jetstream.JetStream, error) {
	connection, err := nats.Connect(n.address)
	if err != nil {
		return nil, err
	}
	return jetstream.New(connection, options...)
}

func natsSubject(log string, partition int) string { return log + "." + strconv.Itoa(partition) }

func (n *natsStreams) Create(ctx context.Context, log string, _ int) error {
	js, err := n.open()
	if err != nil {
		return err
	}
	defer js.Conn().Close()
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: log, Subjects: []string{log + ".*"}, Storage: jetstream.FileStorage,
		AllowBatchPublish: true})
	return err
}

// flow is how many messages a throughput producer sends for one answer, and how many answers may
// be missing.
func (n *natsStreams) flow() jetstreamext.FastPublishFlowControl {
	if n.class == EachSync {
		return jetstreamext.FastPublishFlowControl{Flow: 100, MaxOutstandingAcks: 5, AckTimeout: patience}
	}
	return jetstreamext.FastPublishFlowControl{Flow: 500, MaxOutstandingAcks: 4, AckTimeout: patience}
}

func natsSubjects(log string, partitions int) (subjects []string) {
	for i := range partitions {
		subjects = append(subjects, natsSubject(log, i))
	}
	return subjects
}

// natsBatches publishes by the fast batch protocol, which answers for many messages at once.
type natsBatches struct {
	publisher jetstreamext.FastPublisher
	subjects  []string
	answered  uint64
	sent      uint64
	acked     Acked
}

func (p *natsBatches) Send(key int, value []byte) {
	p.sent++
	ack, err := p.publisher.Add(p.subjects[max(key, 0)%len(p.subjects)], value)
	if err != nil {
		p.acked(1, err)
		return
	}
	p.answer(ack.AckSequence)
}

func (p *natsBatches) answer(upTo uint64) {
	if upTo > p.answered {
		p.acked(int(upTo-p.answered), nil)
		p.answered = upTo
	}
}

func (p *natsBatches) Finish() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := p.publisher.Close(ctx); err != nil {
		p.acked(1, err)
		return
	}
	p.answer(p.sent)
}

// natsProducer publishes message by message, without waiting in between.
type natsProducer struct {
	js       jetstream.JetStream
	subjects []string
	waiting  chan jetstream.PubAckFuture
	acked    Acked
}

func (n *natsStreams) Producer(log string, partitions int, goal Goal, acked Acked) (Producer, error) {
	js, err := n.open(jetstream.WithPublishAsyncMaxPending(natsPending))
	if err != nil {
		return nil, err
	}
	subjects := natsSubjects(log, partitions)
	if goal == Throughput {
		publisher, err := jetstreamext.NewFastPublisher(js, n.flow())
		if err != nil {
			return nil, err
		}
		return &natsBatches{publisher: publisher, subjects: subjects, acked: acked}, nil
	}
	p := &natsProducer{js, subjects, make(chan jetstream.PubAckFuture, natsPending), acked}
	go p.wait()
	return p, nil
}

func (p *natsProducer) Send(key int, value []byte) {
	future, err := p.js.PublishAsync(p.subjects[max(key, 0)%len(p.subjects)], value)
	if err != nil {
		p.acked(1, err)
		return
	}
	p.waiting <- future
}

func (p *natsProducer) Finish() {}

func (p *natsProducer) wait() {
	for future := range p.waiting {
		select {
		case <-future.Ok():
			p.acked(1, nil)
		case err := <-future.Err():
			p.acked(1, err)
		}
	}
}

func (n *natsStreams) Caller(log string) (func([]byte) error, error) {
	js, err := n.open()
	if err != nil {
		return nil, err
	}
	subject := natsSubject(log, 0)
	return func(value []byte) error {
		_, err := js.Publish(context.Background(), subject, value)
		return err
	}, nil
}

func (n *natsStreams) Read(ctx context.Context, log string, from From, deliver func([][]byte)) error {
	js, err := n.open()
	if err != nil {
		return err
	}
	config := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	if from.End {
		config.DeliverPolicy = jetstream.DeliverNewPolicy
	} else if from.Newest > 0 {
		stream, err := js.Stream(ctx, log)
		if err != nil {
			return err
		}
		config.DeliverPolicy = jetstream.DeliverByStartSequencePolicy
		config.OptStartSeq = stream.CachedInfo().State.LastSeq - uint64(from.Newest) + 1
	}
	consumer, err := js.OrderedConsumer(ctx, log, config)
	if err != nil {
		return err
	}
	one := make([][]byte, 1)
	consuming, err := consumer.Consume(func(message jetstream.Msg) {
		one[0] = message.Data()
		deliver(one)
	}, jetstream.PullMaxMessages(5000), jetstream.ConsumeErrHandler(
		func(_ jetstream.ConsumeContext, err error) { fmt.Fprintln(os.Stderr, "NATS, reading:", err) }))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() {
		consuming.Stop()
		js.Conn().Close()
	})
	return nil
}

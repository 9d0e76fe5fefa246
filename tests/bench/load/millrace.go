package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	millracev1 "millrace/proto/millrace/v1"
)

const (
	// The largest request of a throughput producer, and its requests without an answer.
	millraceRequestBytes = 256 << 10
	millraceRequests     = 16
	// How long a record may wait for a throughput producer's request to fill.
	millraceLinger = 5 * time.Millisecond
	// A latency producer gathers what comes while so many requests have no answer.
	millraceEagerRequests = 4
	millraceFrameBytes    = 2 << 20
)

// millrace is the system by its generated stubs. With plain, messages too are the generated ones;
// otherwise the two that carry records are written and read by frames.go, as a client library would.
type millrace struct {
	address    string
	durability millracev1.Durability
	plain      bool
}

func newMillrace(address string, class Class, plain bool) (System, error) {
	m := &millrace{address: address, plain: plain}
	switch class {
	case Memory:
		m.durability = millracev1.Durability_DURABILITY_BUFFERED
	case SharedSync:
		m.durability = millracev1.Durability_DURABILITY_SYNCED
	default:
		return nil, errors.New("Millrace shares its fsyncs between requests")
	}
	return m, nil
}

func (m *millrace) Window() int { return 40_000 }

func (m *millrace) open() (*grpc.ClientConn, error) {
	return grpc.NewClient(m.address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithInitialWindowSize(8<<20), grpc.WithInitialConnWindowSize(16<<20),
		grpc.WithReadBufferSize(256<<10), grpc.WithWriteBufferSize(256<<10))
}

func (m *millrace) Create(ctx context.Context, log string, partitions int) error {
	connection, err := m.open()
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = millracev1.NewTopicServiceClient(connection).CreateTopic(ctx,
		&millracev1.CreateTopicRequest{Topic: log, PartitionCount: proto.Int32(int32(partitions))})
	if status.Code(err) == codes.AlreadyExists {
		return nil
	}
	return err
}

// openProduceStream opens a connection with one produce stream.
func (m *millrace) openProduceStream() (grpc.ClientStream, error) {
	connection, err := m.open()
	if err != nil {
		return nil, err
	}
	options := []grpc.CallOption{}
	if !m.plain {
		options = append(options, grpc.ForceCodecV2(frameCodec{}))
	}
	return millracev1.NewEventHubServiceClient(connection).ProduceStream(context.Background(), options...)
}

// gathering is a request that is being filled.
type gathering interface {
	add(key, value []byte)
	records() int
	bytes() int
	take() any // The message; the next request begins empty.
}

func (m *millrace) gather(log string, partition *int32) gathering {
	if m.plain {
		return &plainRequest{topic: log, partition: partition, durability: m.durability}
	}
	return newFramedRequest(log, partition, m.durability)
}

type millraceProducer struct {
	stream   grpc.ClientStream
	acked    Acked
	eager    bool
	mutex    sync.Mutex
	request  gathering
	unsettle chan int // Records of each request without an answer.
}

func (m *millrace) Producer(log string, partitions int, goal Goal, acked Acked) (Producer, error) {
	stream, err := m.openProduceStream()
	if err != nil {
		return nil, err
	}
	partition := proto.Int32(0)
	if partitions > 1 {
		partition = nil // Placed by key.
	}
	p := &millraceProducer{stream: stream, acked: acked, request: m.gather(log, partition),
		eager: goal == Latency, unsettle: make(chan int, millraceRequests)}
	if p.eager {
		p.unsettle = make(chan int, millraceEagerRequests)
	} else {
		go p.linger()
	}
	go p.receive()
	return p, nil
}

func (p *millraceProducer) Send(key int, value []byte) {
	var named []byte
	if key != NoKey {
		named = strconv.AppendInt(nil, int64(key), 10)
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.request.add(named, value)
	if p.request.bytes() >= millraceRequestBytes || p.eager && len(p.unsettle) < cap(p.unsettle) {
		p.flush()
	}
}

func (p *millraceProducer) Finish() {}

// flush sends what is gathered, as soon as one more request may be without an answer.
func (p *millraceProducer) flush() {
	n := p.request.records()
	if n == 0 {
		return
	}
	p.unsettle <- n
	if err := p.stream.SendMsg(p.request.take()); err != nil && !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, "Millrace, producing:", err) // io.EOF: receive tells why.
		os.Exit(1)
	}
}

func (p *millraceProducer) linger() {
	for range time.Tick(millraceLinger) {
		p.mutex.Lock()
		p.flush()
		p.mutex.Unlock()
	}
}

func (p *millraceProducer) receive() {
	for {
		answer := &millracev1.ProduceStreamResponse{}
		if err := p.stream.RecvMsg(answer); err != nil {
			fmt.Fprintln(os.Stderr, "Millrace, producing:", err)
			os.Exit(1)
		}
		n := <-p.unsettle
		p.acked(n, refusal(answer))
		if p.eager {
			p.mutex.Lock()
			if len(p.unsettle) < cap(p.unsettle) { // Send may have taken the place.
				p.flush()
			}
			p.mutex.Unlock()
		}
	}
}

func refusal(answer *millracev1.ProduceStreamResponse) error {
	if refused := answer.GetError(); refused != nil {
		return fmt.Errorf("%s: %s", refused.Reason, refused.Message)
	}
	return nil
}

func (m *millrace) Caller(log string) (func([]byte) error, error) {
	stream, err := m.openProduceStream()
	if err != nil {
		return nil, err
	}
	request := m.gather(log, proto.Int32(0))
	return func(value []byte) error {
		request.add(nil, value)
		if err := stream.SendMsg(request.take()); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		answer := &millracev1.ProduceStreamResponse{}
		if err := stream.RecvMsg(answer); err != nil {
			return err
		}
		return refusal(answer)
	}, nil
}

func (m *millrace) Read(ctx context.Context, log string, from From, deliver func([][]byte)) error {
	connection, err := m.open()
	if err != nil {
		return err
	}
	stub := millracev1.NewEventHubServiceClient(connection)
	request := &millracev1.SubscribeRequest{MaxBatchBytes: proto.Int32(millraceFrameBytes)}
	switch {
	case from.End:
		request.Topics = []string{log}
	case from.Newest > 0:
		offsets, err := stub.ListOffsets(ctx, &millracev1.ListOffsetsRequest{Topic: log})
		if err != nil {
			return err
		}
		request.Positions = []*millracev1.Position{{Topic: log,
			Offset: offsets.Partitions[0].LatestOffset - int64(from.Newest)}}
	default:
		request.Positions = []*millracev1.Position{{Topic: log}}
	}
	options := []grpc.CallOption{grpc.MaxCallRecvMsgSize(16 << 20)}
	if !m.plain {
		options = append(options, grpc.ForceCodecV2(frameCodec{}))
	}
	stream, err := stub.Subscribe(ctx, request, options...)
	if err != nil {
		return err
	}
	receive := (&frameReceiver{}).receive
	if m.plain {
		receive = receivePlain
	}
	go func() {
		defer connection.Close()
		for {
			values, err := receive(stream)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "Millrace, reading:", err)
				os.Exit(1)
			}
			if len(values) > 0 {
				deliver(values)
			}
		}
	}()
	return nil
}

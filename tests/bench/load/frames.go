package main

import (
	"fmt"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	millracev1 "millrace/proto/millrace/v1"
)

// Field numbers of the messages that carry records; they never change.
const (
	streamRequestField   = 1 // ProduceStreamRequest.request
	requestTopicField    = 1 // ProduceRequest
	requestPartField     = 2
	requestRecordsField  = 3
	requestDurableField  = 4
	recordKeyField       = 1 // Record
	recordValueField     = 2
	frameBatchesField    = 2 // SubscribeResponse.batches
	batchesBatchesField  = 1 // Batches.batches
	recordBatchRecsField = 3 // RecordBatch.records
)

// encoded is a message that is encoded already.
type encoded struct{ buffers mem.BufferSlice }

// received is a SubscribeResponse as it came; the next one may be received into it.
type received struct{ bytes []byte }

// frameCodec passes encoded messages through and leaves all others to protobuf.
type frameCodec struct{}

func (frameCodec) Name() string { return "proto" }

func (frameCodec) Marshal(message any) (mem.BufferSlice, error) {
	if done, ok := message.(*encoded); ok {
		return done.buffers, nil
	}
	bytes, err := proto.Marshal(message.(proto.Message))
	return mem.BufferSlice{mem.SliceBuffer(bytes)}, err
}

func (frameCodec) Unmarshal(data mem.BufferSlice, message any) error {
	if frame, ok := message.(*received); ok {
		frame.bytes = slices.Grow(frame.bytes[:0], data.Len())[:data.Len()]
		data.CopyTo(frame.bytes)
		return nil
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	return proto.Unmarshal(buffer.ReadOnlyData(), message.(proto.Message))
}

// requestBuffers keeps the buffers of requests for the next ones. gRPC's own pool clears a megabyte for
// each request of a kilobyte.
type requestBuffers struct{ pool sync.Pool }

func (b *requestBuffers) Get(length int) *[]byte {
	if kept, ok := b.pool.Get().(*[]byte); ok && cap(*kept) >= length {
		*kept = (*kept)[:length]
		return kept
	}
	made := make([]byte, length)
	return &made
}

func (b *requestBuffers) Put(buffer *[]byte) { b.pool.Put(buffer) }

// framedRequest writes records straight into the bytes of a request, once.
type framedRequest struct {
	head    []byte // The fields of the request besides its records.
	body    *[]byte
	gather  int
	buffers requestBuffers
}

func newFramedRequest(topic string, partition *int32, durability millracev1.Durability) *framedRequest {
	r := &framedRequest{}
	r.head = protowire.AppendTag(r.head, requestTopicField, protowire.BytesType)
	r.head = protowire.AppendString(r.head, topic)
	if partition != nil {
		r.head = protowire.AppendTag(r.head, requestPartField, protowire.VarintType)
		r.head = protowire.AppendVarint(r.head, uint64(*partition))
	}
	r.head = protowire.AppendTag(r.head, requestDurableField, protowire.VarintType)
	r.head = protowire.AppendVarint(r.head, uint64(durability))
	return r
}

func sizeOfBytes(field protowire.Number, size int) int {
	return protowire.SizeTag(field) + protowire.SizeBytes(size)
}

func appendBytes(to []byte, field protowire.Number, bytes []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, field, protowire.BytesType), bytes)
}

func (r *framedRequest) add(key, value []byte) {
	size := sizeOfBytes(recordValueField, len(value))
	if key != nil {
		size += sizeOfBytes(recordKeyField, len(key))
	}
	if r.body == nil {
		r.body = r.buffers.Get(0)
	}
	body := protowire.AppendTag(*r.body, requestRecordsField, protowire.BytesType)
	body = protowire.AppendVarint(body, uint64(size))
	if key != nil {
		body = appendBytes(body, recordKeyField, key)
	}
	*r.body = appendBytes(body, recordValueField, value)
	r.gather++
}

func (r *framedRequest) records() int { return r.gather }

func (r *framedRequest) bytes() int {
	if r.body == nil {
		return 0
	}
	return len(*r.body)
}

func (r *framedRequest) take() any {
	head := protowire.AppendTag(make([]byte, 0, len(r.head)+16), streamRequestField, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(len(r.head)+len(*r.body)))
	head = append(head, r.head...)
	message := &encoded{mem.BufferSlice{mem.SliceBuffer(head),
		mem.NewBuffer(r.body, &r.buffers)}}
	r.body = nil
	r.gather = 0
	return message
}

// frameReceiver receives the frames of one stream, each into the memory of the one before.
type frameReceiver struct {
	frame  received
	values [][]byte
}

// receive gives the values of the next frame, within the bytes that came; none where it carries no
// records.
func (r *frameReceiver) receive(stream grpc.ServerStreamingClient[millracev1.SubscribeResponse]) (
	[][]byte, error) {
	if err := stream.RecvMsg(&r.frame); err != nil {
		return nil, err
	}
	field, kind, n := protowire.ConsumeTag(r.frame.bytes)
	if n < 0 {
		return nil, protowire.ParseError(n)
	}
	if field != frameBatchesField || kind != protowire.BytesType {
		other := &millracev1.SubscribeResponse{}
		if err := proto.Unmarshal(r.frame.bytes, other); err != nil {
			return nil, err
		}
		return nil, trouble(other)
	}
	r.values = r.values[:0]
	err := eachBytes(r.frame.bytes, frameBatchesField, func(batches []byte) error {
		return eachBytes(batches, batchesBatchesField, func(batch []byte) error {
			return eachBytes(batch, recordBatchRecsField, r.takeValue)
		})
	})
	return r.values, err
}

func (r *frameReceiver) takeValue(record []byte) error {
	before := len(r.values)
	err := eachBytes(record, recordValueField, func(value []byte) error {
		r.values = append(r.values, value)
		return nil
	})
	if err == nil && len(r.values) != before+1 {
		err = fmt.Errorf("a record without a value")
	}
	return err
}

// eachBytes calls found for the contents of a field that holds bytes, as often as it occurs.
func eachBytes(message []byte, wanted protowire.Number, found func([]byte) error) error {
	for len(message) > 0 {
		field, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if field == wanted && kind == protowire.BytesType {
			bytes, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return protowire.ParseError(n)
			}
			if err := found(bytes); err != nil {
				return err
			}
			message = message[n:]
			continue
		}
		if n = protowire.ConsumeFieldValue(field, kind, message); n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
	}
	return nil
}

package main

import (
	"fmt"

	"google.golang.org/grpc"

	millracev1 "millrace/proto/millrace/v1"
)

// plainRequest fills a generated request message.
type plainRequest struct {
	topic      string
	partition  *int32
	durability millracev1.Durability
	gathered   []*millracev1.Record
	size       int
}

func (r *plainRequest) add(key, value []byte) {
	r.gathered = append(r.gathered, &millracev1.Record{Key: key, Value: value})
	r.size += len(key) + len(value)
}

func (r *plainRequest) records() int { return len(r.gathered) }
func (r *plainRequest) bytes() int   { return r.size }

func (r *plainRequest) take() any {
	message := &millracev1.ProduceStreamRequest{Request: &millracev1.ProduceRequest{
		Topic: r.topic, Partition: r.partition, Durability: r.durability, Records: r.gathered}}
	r.gathered = make([]*millracev1.Record, 0, len(r.gathered))
	r.size = 0
	return message
}

// receivePlain gives the values of the next frame; none where it carries no records.
func receivePlain(stream grpc.ServerStreamingClient[millracev1.SubscribeResponse]) ([][]byte, error) {
	frame, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	if err := trouble(frame); err != nil {
		return nil, err
	}
	var values [][]byte
	for _, batch := range frame.GetBatches().GetBatches() {
		for _, record := range batch.Records {
			values = append(values, record.Value)
		}
	}
	return values, nil
}

// trouble tells why a reader cannot go on, where a frame says so.
func trouble(frame *millracev1.SubscribeResponse) error {
	if ending := frame.GetEnding(); ending != nil {
		return fmt.Errorf("the hub ended the stream: %v %s", ending.Reason, ending.Message)
	}
	if failed := frame.GetPartitionError(); failed != nil {
		return fmt.Errorf("partition %d: %s", failed.Partition, failed.GetError().GetReason())
	}
	return nil
}

// Sends orders, each stored once however often it is sent: order-producer HOST:PORT TOPIC < LINES
// A line is "number,item,quantity,price_cents"; a number alone cancels the order.
package main

//go:generate ../generate.sh

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"example.com/orders/gen/millrace"
	"example.com/orders/gen/shop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

func order(line string) (*millrace.Record, error) {
	fields := strings.Split(line, ",")
	record := &millrace.Record{
		Key: []byte(fields[0]), // Orders of one number stay in order.
		Headers: []*millrace.Header{
			{Name: "source", Value: []byte("go")},
			{Name: "schema", Value: []byte{0x00, 0x01, 0xfe, 0xff}}, // Any bytes,
			{Name: "note", Value: []byte{}},                         // or none,
			{Name: "gift"},                                          // or no value at all.
		},
	}
	if len(fields) == 1 {
		return record, nil // Without a value: a tombstone.
	}
	order := &shop.Order{Item: fields[1]}
	if _, err := fmt.Sscan(strings.Join(fields[2:], " "), &order.Quantity, &order.PriceCents); err != nil {
		return nil, fmt.Errorf("not an order: %q: %w", line, err)
	}
	var err error
	record.Value, err = proto.Marshal(order)
	return record, err
}

// answer calls until the hub answers. A repeated request is stored once, since the hub knows its sequence.
func answer[Q, A any](call func(context.Context, Q, ...grpc.CallOption) (A, error), request Q) A {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		response, err := call(ctx, request)
		cancel()
		switch status.Code(err) {
		case codes.OK:
			return response
		case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded:
			log.Print(err)
			time.Sleep(time.Second)
		default:
			log.Fatal(err) // The hub refuses it.
		}
	}
}

func main() {
	log.SetFlags(0)
	target, topic := os.Args[1], os.Args[2]
	channel, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	hub := millrace.NewEventHubServiceClient(channel)
	me := answer(hub.OpenProducer, &millrace.OpenProducerRequest{})
	sequence := &millrace.ProducerSequence{ProducerId: me.ProducerId, Epoch: me.Epoch, Sequence: me.LastSequence}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		record, err := order(lines.Text())
		if err != nil {
			log.Fatal(err)
		}
		sequence.Sequence++
		stored := answer(hub.Produce, &millrace.ProduceRequest{
			Topic: topic, Records: []*millrace.Record{record}, Sequence: sequence})
		for _, place := range stored.Appended {
			fmt.Printf("partition %d, offset %d\n", place.Partition, place.BaseOffset)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

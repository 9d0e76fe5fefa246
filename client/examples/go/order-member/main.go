// One member of a consumer group: order-member HOST:PORT TOPIC GROUP [INSTANCE_ID]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/orders/gen/millrace"
	"example.com/orders/gen/shop"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// process is where your work goes. It answers how far it has come.
func process(batch *millrace.RecordBatch) *millrace.OffsetCommit {
	offset := batch.BaseOffset
	for _, record := range batch.Records {
		text := "cancelled" // A tombstone.
		if record.Value != nil {
			var order shop.Order
			if err := proto.Unmarshal(record.Value, &order); err != nil {
				text = "no order: " + err.Error()
			} else {
				text = fmt.Sprintf("%d x %s for %d cents", order.Quantity, order.Item, order.PriceCents)
			}
		}
		bytes, _ := proto.Marshal(record)
		fmt.Printf("%d %d %x %s: %s\n", batch.Partition, offset, bytes, record.Key, text)
		offset++
	}
	return &millrace.OffsetCommit{Topic: batch.Topic, Partition: batch.Partition, NextOffset: offset,
		PositionEpoch: &batch.PositionEpoch}
}

// read reads one stream, until it ends or the member has stopped.
func read(stopping context.Context, hub millrace.EventHubServiceClient, request *millrace.SubscribeRequest) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()                             // Ends the stream, whatever happens.
	frames, err := hub.Subscribe(ctx, request) // The open stream is the membership.
	if err != nil {
		return err
	}
	commit := &millrace.CommitOffsetRequest{Group: request.Group}
	for {
		frame, err := frames.Recv()
		if err != nil {
			return err // io.EOF where the hub has said `ending` before.
		}
		if me := frame.GetSessionStarted(); me != nil {
			request.ResumeMemberId = me.MemberId // For when the stream breaks.
			commit.MemberId, commit.MemberEpoch = me.MemberId, me.MemberEpoch
		}
		commit.Offsets = nil
		for _, batch := range frame.GetBatches().GetBatches() {
			commit.Offsets = append(commit.Offsets, process(batch))
		}
		done := stopping.Err() != nil
		commit.Leave = done && request.InstanceId == "" // An instance comes back to its partitions.
		if len(commit.Offsets) > 0 || commit.Leave {    // When `revoking` comes all is committed.
			if _, err := hub.CommitOffset(ctx, commit); err != nil {
				return err
			}
		}
		if ending := frame.GetEnding(); ending != nil && !ending.Retry {
			log.Fatal(ending.Message)
		}
		if done {
			return nil
		}
	}
}

func main() {
	log.SetFlags(0)
	arguments := append(os.Args[1:], "")
	stopping, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	channel, err := grpc.NewClient(arguments[0], grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second})) // Finds a dead connection.
	if err != nil {
		log.Fatal(err)
	}
	hub := millrace.NewEventHubServiceClient(channel)
	request := &millrace.SubscribeRequest{
		Topics: arguments[1:2], Group: arguments[2], InstanceId: arguments[3],
		HeartbeatInterval: durationpb.New(time.Second), // So that `stopping` is seen within a second.
	}
	for stopping.Err() == nil {
		if err := read(stopping, hub, request); err != nil {
			log.Print(err) // The hub restarts, say: come back and take the old place.
		}
		select {
		case <-stopping.Done():
		case <-time.After(time.Second):
		}
	}
}

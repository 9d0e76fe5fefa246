//! Sends orders, each stored once however often it is sent: order_producer HOST:PORT TOPIC < LINES
//! A line is "number,item,quantity,price_cents"; a number alone cancels the order.

use std::{env, error::Error, io, time::Duration};

use orders::millrace::v1::event_hub_service_client::EventHubServiceClient;
use orders::millrace::v1::{Header, OpenProducerRequest, ProduceRequest, ProducerSequence, Record};
use orders::shop::Order;
use prost::Message;
use tonic::transport::Endpoint;
use tonic::{Code, Response, Status};

fn order(line: &str) -> Result<Record, Box<dyn Error>> {
    let header =
        |name: &str, value: Option<&[u8]>| Header { name: name.into(), value: value.map(Into::into) };
    let fields: Vec<_> = line.split(',').collect();
    let value = match fields[1..] {
        [] => None, // A tombstone: the order is cancelled.
        [item, quantity, price_cents] => {
            Some(Order { item: item.into(), quantity: quantity.parse()?, price_cents: price_cents.parse()? })
        }
        _ => return Err(format!("not an order: {line}").into()),
    };
    Ok(Record {
        key: Some(fields[0].into()), // Orders of one number stay in order.
        value: value.map(|order| order.encode_to_vec()),
        headers: vec![
            header("source", Some(b"rust")),
            header("schema", Some(&[0x00, 0x01, 0xfe, 0xff])), // Any bytes,
            header("note", Some(b"")),                         // or none,
            header("gift", None),                              // or no value at all.
        ],
        event_time: None,
    })
}

/// Until the hub answers. A repeated request is stored once, since the hub knows its sequence.
async fn answer<T>(mut call: impl AsyncFnMut() -> Result<Response<T>, Status>) -> Result<T, Status> {
    use Code::{Cancelled, DeadlineExceeded, Internal, ResourceExhausted, Unavailable, Unknown};
    loop {
        match call().await {
            Err(status) => match status.code() {
                Unavailable | ResourceExhausted | DeadlineExceeded => eprintln!("{}", status.message()),
                Cancelled | Internal | Unknown => eprintln!("{}", status.message()), // Tonic's for a broken connection.
                _ => return Err(status),                                             // The hub refuses it.
            },
            Ok(response) => return Ok(response.into_inner()),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let target = format!("http://{}", arguments.next().ok_or("HOST:PORT is missing")?);
    let topic = arguments.next().ok_or("TOPIC is missing")?;
    let channel = Endpoint::new(target)?.timeout(Duration::from_secs(30)).connect_lazy();
    let hub = EventHubServiceClient::new(channel);
    let me = answer(async || hub.clone().open_producer(OpenProducerRequest::default()).await).await?;
    for (line, sequence) in io::stdin().lines().zip(me.last_sequence + 1..) {
        let request = ProduceRequest {
            topic: topic.clone(),
            records: vec![order(&line?)?],
            sequence: Some(ProducerSequence {
                producer_id: me.producer_id.clone(),
                epoch: me.epoch,
                sequence,
            }),
            ..Default::default()
        };
        for stored in answer(async || hub.clone().produce(request.clone()).await).await?.appended {
            println!("partition {}, offset {}", stored.partition, stored.base_offset);
        }
    }
    Ok(())
}

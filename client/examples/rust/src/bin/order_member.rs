//! One member of a consumer group: order_member HOST:PORT TOPIC GROUP [INSTANCE_ID]

use std::{env, error::Error, process::ExitCode, time::Duration};

use orders::millrace::v1::event_hub_service_client::EventHubServiceClient;
use orders::millrace::v1::subscribe_response::Frame;
use orders::millrace::v1::{CommitOffsetRequest, OffsetCommit, RecordBatch, SubscribeRequest};
use orders::shop::Order;
use prost::Message;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// Your work goes here. Answers how far it has come.
fn process(batch: RecordBatch) -> OffsetCommit {
    for (record, offset) in batch.records.iter().zip(batch.base_offset..) {
        let key = String::from_utf8_lossy(record.key());
        let order = match record.value.as_deref().map(Order::decode) {
            None => "cancelled".into(), // A tombstone.
            Some(Ok(order)) => format!("{} x {} for {} cents", order.quantity, order.item, order.price_cents),
            Some(Err(error)) => format!("no order: {error}"),
        };
        let bytes: String = record.encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{} {offset} {bytes} {key}: {order}", batch.partition);
    }
    OffsetCommit {
        topic: batch.topic,
        partition: batch.partition,
        next_offset: batch.base_offset + batch.records.len() as i64,
        position_epoch: Some(batch.position_epoch),
        ..Default::default()
    }
}

/// Reads one stream. Answers how the program ends, or None to subscribe again.
async fn read(
    hub: &mut EventHubServiceClient<Channel>,
    request: &mut SubscribeRequest,
    stop: &mut Signal,
) -> Result<Option<ExitCode>, Status> {
    let mut commit = CommitOffsetRequest { group: request.group.clone(), ..Default::default() };
    let mut frames = hub.subscribe(request.clone()).await?.into_inner(); // The open stream is the membership.
    loop {
        let frame = tokio::select! {
            frame = frames.message() => frame?,
            _ = stop.recv() => {
                if request.instance_id.is_empty() && !commit.member_id.is_empty() { // An instance comes back.
                    hub.commit_offset(CommitOffsetRequest { offsets: vec![], leave: true, ..commit }).await.ok();
                }
                return Ok(Some(ExitCode::SUCCESS));
            }
        };
        match frame.map(|frame| frame.frame) {
            Some(Some(Frame::SessionStarted(me))) => {
                request.resume_member_id = me.member_id.clone(); // For when the stream breaks.
                (commit.member_id, commit.member_epoch) = (me.member_id, me.member_epoch);
            }
            Some(Some(Frame::Batches(delivered))) => {
                commit.offsets = delivered.batches.into_iter().map(process).collect();
                hub.commit_offset(commit.clone()).await?;
            }
            Some(Some(Frame::Ending(ending))) if !ending.retry => {
                eprintln!("{}", ending.message);
                return Ok(Some(ExitCode::FAILURE));
            }
            Some(_) => {} // When `revoking` comes all is committed: the hub hands over at once.
            None => return Ok(None),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let target = format!("http://{}", arguments.next().ok_or("HOST:PORT is missing")?);
    let silence = Duration::from_secs(20); // After so much a connection is probed.
    let channel = Endpoint::new(target)?.http2_keep_alive_interval(silence).connect_lazy();
    let mut hub = EventHubServiceClient::new(channel);
    let mut request = SubscribeRequest {
        topics: vec![arguments.next().ok_or("TOPIC is missing")?],
        group: arguments.next().ok_or("GROUP is missing")?,
        instance_id: arguments.next().unwrap_or_default(),
        ..Default::default()
    };
    let mut stop = signal(SignalKind::terminate())?;
    loop {
        match read(&mut hub, &mut request, &mut stop).await {
            Ok(Some(code)) => return Ok(code),
            Ok(None) => {}
            Err(status) => eprintln!("{}", status.message()), // The hub restarts, say: take the old place.
        }
        tokio::select! {
            _ = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = stop.recv() => return Ok(ExitCode::SUCCESS),
        }
    }
}

//! Every fault the proxy can make, in front of the real server.

use std::thread;

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use walwarden_tests::fault_proxy::{Action, Matcher, Rule};
use walwarden_tests::harness::TestContext;
use walwarden_tests::runtime::{block_on, spawn};

use super::SOON;

pub(super) fn proxy_holds(context: &TestContext) -> Result<()> {
    let bucket = context.bucket(true)?;
    let proxy = context.s3_proxy()?;
    let client = context.s3().client_at(&proxy.endpoint());
    let gate = proxy.add(Rule::new(Matcher::upload_part(Some(2)), Action::Hold));
    let upload = block_on(client.create_multipart_upload().bucket(bucket.name()).key("big").send())?;
    let id = upload.upload_id().context("an upload has an id")?.to_owned();
    let part = |number: i32, body: Vec<u8>| {
        client
            .upload_part()
            .bucket(bucket.name())
            .key("big")
            .upload_id(&id)
            .part_number(number)
            .body(body.into())
            .send()
    };
    let first = block_on(part(1, vec![1; 5 * 1024 * 1024]))?;
    let second = spawn(part(2, vec![2; 100_000]));
    let held = gate.wait_hit(SOON)?;
    ensure!(held.query_value("partNumber") == Some("2"), "{held:?}");
    let parts = block_on(bucket.client().list_parts().bucket(bucket.name()).key("big").upload_id(&id).send())?;
    ensure!(parts.parts().len() == 1 && !second.is_finished(), "the held part reached the server");
    ensure!(bucket.list_multipart_uploads()?.len() == 1, "the upload is under way");
    gate.release();
    let second = block_on(second)??;
    let completed = |number: i32, tag: Option<&str>| {
        CompletedPart::builder().part_number(number).set_e_tag(tag.map(str::to_owned)).build()
    };
    let parts = CompletedMultipartUpload::builder()
        .parts(completed(1, first.e_tag()))
        .parts(completed(2, second.e_tag()))
        .build();
    block_on(
        client
            .complete_multipart_upload()
            .bucket(bucket.name())
            .key("big")
            .upload_id(&id)
            .multipart_upload(parts)
            .send(),
    )?;
    ensure!(bucket.list_objects("")?[0].size == 5 * 1024 * 1024 + 100_000, "the object is not whole");
    ensure!(bucket.list_multipart_uploads()?.is_empty(), "the upload is over");
    ensure!(
        proxy.count(&Matcher::upload_part(None)) == 2 && proxy.count(&Matcher::complete_multipart()) == 1,
        "{:?}",
        proxy.requests()
    );
    Ok(())
}

pub(super) fn proxy_loses_acknowledgement(context: &TestContext) -> Result<()> {
    let bucket = context.bucket(false)?;
    let proxy = context.s3_proxy()?;
    let client = context.s3().client_at(&proxy.endpoint());
    let lost = proxy.add(Rule::new(Matcher::put_object("once"), Action::DropAfterForward).nth(1));
    let before = proxy.add(Rule::new(Matcher::put_object("never"), Action::DropBeforeForward));
    let within = proxy.add(Rule::new(Matcher::put_object("half"), Action::DropInBody(1000)));
    block_on(client.put_object().bucket(bucket.name()).key("once").body(b"content".to_vec().into()).send())?;
    ensure!(lost.hits() == 1 && proxy.count(&Matcher::put_object("once")) == 2, "the client did not have to try again");
    let never = block_on(client.put_object().bucket(bucket.name()).key("never").body(vec![1; 10].into()).send());
    let half = block_on(client.put_object().bucket(bucket.name()).key("half").body(vec![1; 100_000].into()).send());
    ensure!(never.is_err() && half.is_err() && before.hits() > 0 && within.hits() > 0, "dropped requests succeeded");
    let keys: Vec<_> = bucket.list_objects("")?.into_iter().map(|object| object.key).collect();
    ensure!(keys == ["once"], "{keys:?}");
    Ok(())
}

pub(super) fn proxy_errors(context: &TestContext) -> Result<()> {
    let bucket = context.bucket(false)?;
    bucket.put("object", vec![7_u8; 300_000])?;
    let proxy = context.s3_proxy()?;
    let client = context.s3().client_at(&proxy.endpoint());
    let get = || {
        block_on(async {
            let answer = client.get_object().bucket(bucket.name()).key("object").send().await?;
            anyhow::Ok(answer.body.collect().await?.to_vec())
        })
    };
    let slow = proxy.add(
        Rule::new(Matcher::get_object("object"), Action::Respond { status: 503, code: "SlowDown".into() }).times(1),
    );
    ensure!(get()? == vec![7; 300_000] && slow.hits() == 1, "the retry after SlowDown must succeed");
    proxy.clear();
    proxy.add(Rule::new(Matcher::get_object("object"), Action::Respond { status: 403, code: "AccessDenied".into() }));
    ensure!(format!("{:?}", get()).contains("AccessDenied"), "the injected code does not arrive");
    proxy.clear();
    proxy.add(Rule::new(Matcher::get_object("object"), Action::CorruptResponse(200_000)));
    let spoilt = get()?;
    ensure!(
        spoilt.len() == 300_000 && spoilt[200_000] == 6 && spoilt.iter().filter(|byte| **byte != 7).count() == 1,
        "one bit"
    );
    proxy.clear();
    proxy.add(Rule::new(Matcher::get_object("object"), Action::TruncateResponse(1000)));
    ensure!(get().is_err(), "a truncated answer was taken for a whole one");
    proxy.clear();
    let typed = || anyhow::Ok(block_on(client.head_object().bucket(bucket.name()).key("object").send())?.content_type);
    ensure!(typed()?.is_some(), "there is nothing to take away");
    proxy.add(Rule::new(Matcher::method("HEAD"), Action::WithoutHeader("content-type")));
    ensure!(typed()?.is_none(), "the header passed");
    proxy.clear();
    let held = proxy.add(Rule::new(Matcher::get_object("object"), Action::HoldResponse));
    thread::scope(|scope| {
        let answer = scope.spawn(get);
        held.wait_hit(SOON)?;
        ensure!(!answer.is_finished(), "the answer was not held");
        held.release();
        ensure!(
            answer.join().is_ok_and(|answer| answer.is_ok_and(|bytes| bytes.len() == 300_000)),
            "the released answer is wrong"
        );
        Ok(())
    })
}

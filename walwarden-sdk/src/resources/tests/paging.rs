//! Lists as streams.

use futures::{StreamExt, TryStreamExt};

use super::*;

fn page(names: &[&str], next: Option<&str>) -> ResponseTemplate {
    let database = |name: &&str| {
        json!({
            "id": DatabaseId::from_uuid(ID), "name": name, "databaseName": "d", "sourceRedactedDsn": "postgresql://h/d",
            "destinationId": walwarden_contract::DestinationId::from_uuid(ID), "schedule": null, "nextRunAt": null,
            "codec": "auto", "lastBackupJobId": null, "lastBackupStartedAt": null, "rpoMinutes": null, "freshness": "no_backup",
            "createdAt": "2026-01-31T02:00:00.000Z",
        })
    };
    let databases: Vec<Value> = names.iter().map(database).collect();
    ResponseTemplate::new(200).set_body_json(json!({"databases": databases, "nextCursor": next}))
}

#[tokio::test]
async fn every_page_is_read_in_order_and_only_when_it_is_needed() {
    let server = server(vec![page(&["a", "b"], Some("2")), page(&[], Some("3")), page(&["c"], None)]).await;
    let client = client(&server);
    let mut stream = std::pin::pin!(client.databases());
    assert_eq!(stream.next().await.expect("an item").expect("a database").name, "a");
    assert_eq!(requests(&server).await.len(), 1);
    let rest: Vec<String> = stream.map_ok(|database| database.name).try_collect().await.expect("all");
    assert_eq!(rest, ["b", "c"]);
    let asked: Vec<_> = requests(&server).await.iter().map(|request| request.url.query().map(str::to_owned)).collect();
    let asked: Vec<&str> = asked.iter().flatten().map(String::as_str).collect();
    assert_eq!(asked, ["limit=200", "cursor=2&limit=200", "cursor=3&limit=200"]);
}

#[tokio::test]
async fn a_stream_ends_with_its_first_error() {
    let server = server(vec![page(&["a"], Some("2")), problem(ErrorCode::Forbidden)]).await;
    let items: Vec<_> = client(&server).databases().collect().await;
    assert_eq!(items.len(), 2);
    assert_eq!(items[1].as_ref().expect_err("forbidden").code(), ErrorCode::Forbidden);
}

#[tokio::test]
async fn pages_that_lead_back_to_themselves_are_not_followed() {
    let server = server(vec![page(&["a"], Some("2"))]).await;
    let error = client(&server).databases().try_collect::<Vec<_>>().await.expect_err("endless");
    assert_eq!((error.code(), requests(&server).await.len()), (ErrorCode::UnexpectedResponse.into(), 2));
}

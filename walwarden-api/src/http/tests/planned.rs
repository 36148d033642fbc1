//! What is planned can be called, and refuses.

use axum::body::Body;
use axum::http::{Method as HttpMethod, Request, StatusCode};
use walwarden_contract::Scope;
use walwarden_contract::capabilities::{CAPABILITIES, Capability, PlannedRoute};
use walwarden_contract::operations::BASE_PATH;

use super::fixture::{Answer, Fixture, agent_key, api_key};
use super::routes::fill;

fn planned() -> impl Iterator<Item = (&'static Capability, PlannedRoute)> {
    CAPABILITIES.iter().filter_map(|capability| Some((capability, capability.route?)))
}

async fn call(fixture: &Fixture, method: &str, path: &str, key: Option<&str>) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("{BASE_PATH}{}", fill(path)));
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    fixture.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn what_is_planned_is_refused_by_name_and_status() {
    let fixture = Fixture::new().await;
    let (_, agent) = agent_key(&fixture.state, fixture.org_id).await;
    assert!(planned().count() > 5);
    for (capability, route) in planned() {
        for key in [&fixture.key, &agent] {
            let answer = call(&fixture, route.method.as_str(), route.path, Some(key)).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (501, "capability_not_available"));
            let message = answer.json()["message"].as_str().expect("a message").to_owned();
            assert!(message.contains(capability.id) && message.contains(capability.status.as_str()), "{message}");
            assert_eq!(answer.json()["requestId"].as_str(), answer.header("x-request-id"));
        }
    }
}

#[tokio::test]
async fn who_may_not_call_it_learns_that_first() {
    let fixture = Fixture::new().await;
    for (capability, route) in planned() {
        let (method, path) = (route.method.as_str(), route.path);
        assert_eq!(call(&fixture, method, path, None).await.code(), "unauthorized", "{}", capability.id);
        assert_eq!(call(&fixture, method, path, Some("wal_x")).await.code(), "unauthorized", "{}", capability.id);
        for held in Scope::ALL {
            let (_, key) = api_key(&fixture.state, fixture.org_id, &[*held], None).await;
            let answer = call(&fixture, method, path, Some(&key)).await;
            if route.scope.is_none_or(|scope| scope == *held) {
                assert_eq!(answer.code(), "capability_not_available", "{} with {held}", capability.id);
            } else {
                assert_eq!(answer.code(), "forbidden", "{} with {held}", capability.id);
                assert_eq!(answer.json()["requiredScope"], route.scope.expect("named").as_str());
            }
        }
    }
}

#[tokio::test]
async fn other_methods_of_a_planned_path_are_405() {
    let fixture = Fixture::new().await;
    for (_, route) in planned() {
        for method in [HttpMethod::GET, HttpMethod::POST, HttpMethod::PUT, HttpMethod::PATCH, HttpMethod::DELETE] {
            if planned().any(|(_, other)| other.path == route.path && other.method.as_str() == method.as_str()) {
                continue;
            }
            let answer = call(&fixture, method.as_str(), route.path, Some(&fixture.key)).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {}", route.path);
            assert_eq!(answer.code(), "method_not_allowed");
            assert!(answer.header("allow").is_some_and(|allow| allow.contains(route.method.as_str())));
        }
    }
}

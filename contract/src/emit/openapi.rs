//! The `OpenAPI` 3.1 document. What the server serves beside the API (health, metrics, public keys) is not in it.

mod headers;
mod operation;
mod responses;
mod schemas;

use serde_json::Value;
use utoipa::openapi::path::{HttpMethod, PathItem, Paths};
use utoipa::openapi::security::{Http, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::server::{Server, ServerBuilder, ServerVariableBuilder};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, ContactBuilder, InfoBuilder, LicenseBuilder, OpenApiBuilder};

pub(super) use self::operation::{notes, who_may_call};
pub(super) use self::responses::by_status;
use self::responses::errors;
pub(super) use self::schemas::{Schemas, name};
use super::json::pretty;
use crate::operations::{Auth, BASE_PATH, Method, OPERATIONS, TAGS};

const DESCRIPTION: &str = "Backups of Postgres databases into buckets that their owners keep, and restores that are \
    verified before they touch anything.\n\n\
    Every request carries an API key or a restore token as bearer token. Every POST carries an `Idempotency-Key`. Every \
    answer that is not a success is `application/problem+json` with a `code` from a closed list.\n\n\
    Beside the operations, the server answers without a key: `/healthz` and `/readyz` (is it alive, does it take requests), `/metrics`, \
    `/.well-known/walwarden-pubkey.pem` (the key that signs manifests), \
    `/.well-known/walwarden-pubkey-YYYY-MM-DD.pem` (an earlier key, by the day on which another took over; `-2`, `-3` and so on behind \
    the day for more of one day), `/llms.txt`, `/llms-full.txt`, \
    `/openapi/walwarden.v1.json`, `/skills/walwarden/SKILL.md` and `/skills/walwarden/surface.json`.";

/// The name of the security scheme that an operation asks for.
const fn scheme(auth: Auth) -> &'static str {
    match auth {
        Auth::ApiKey(_) => "apiKey",
        Auth::RestoreToken => "restoreToken",
    }
}

pub(super) fn document() -> String {
    pretty(&value())
}

fn value() -> Value {
    let mut schemas = Schemas::default();
    let mut components = Components::builder()
        .security_scheme(scheme(Auth::ApiKey(None)), bearer("wal_<64 hex digits>", "An API key."))
        .security_scheme(
            scheme(Auth::RestoreToken),
            bearer("wrt1.<payload>.<mac>", "The restore token of the job in the path."),
        );
    for (name, header) in headers::headers() {
        components = components.header(name, header);
    }
    for (name, parameter) in headers::parameters() {
        components = components.parameter(name, parameter);
    }
    let mut paths = Paths::new();
    for operation in OPERATIONS {
        let method = match operation.method {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Patch => HttpMethod::Patch,
            Method::Delete => HttpMethod::Delete,
        };
        let item = PathItem::new(method, operation::document(operation, &mut schemas));
        paths.paths.entry(operation.path.to_owned()).or_default().merge_operations(item);
        components = errors(operation)
            .into_iter()
            .fold(components, |components, error| components.response(error.name(), error.response(&mut schemas)));
    }
    let document = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Walwarden API")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .contact(Some(ContactBuilder::new().name(Some("Walwarden maintainers")).build()))
                .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
                .build(),
        )
        .servers(Some(servers()))
        .security(Some([SecurityRequirement::new(scheme(Auth::ApiKey(None)), [] as [&str; 0])]))
        .tags(Some(TAGS.iter().map(|tag| TagBuilder::new().name(tag.name).description(Some(tag.about)).build())))
        .paths(paths)
        .components(Some(components.build()))
        .build();
    let mut value = serde_json::to_value(document).expect("the document's maps have string keys");
    // utoipa's schema type knows fewer keywords than JSON Schema has, so schemars' documents go in as they are.
    value["components"]["schemas"] = schemas.into_definitions();
    // Nor does its header type know this one.
    for name in headers::ALWAYS_SENT {
        value["components"]["headers"][name]["required"] = true.into();
    }
    value
}

/// Walwarden is self-hosted: the server that serves this document, or wherever the operator put it.
fn servers() -> [Server; 2] {
    let base = ServerVariableBuilder::new()
        .default_value("https://walwarden.internal")
        .description(Some("Where your `walwarden-api` answers."));
    let elsewhere = ServerBuilder::new()
        .url(format!("{{baseUrl}}{BASE_PATH}"))
        .description(Some("Your installation."))
        .parameter("baseUrl", base);
    let here = ServerBuilder::new().url(BASE_PATH).description(Some("The server that serves this document."));
    [here.build(), elsewhere.build()]
}

fn bearer(format: &str, about: &str) -> SecurityScheme {
    let http: Http =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format).description(Some(about)).build();
    SecurityScheme::Http(http)
}

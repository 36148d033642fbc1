//! What the standard variables of OpenTelemetry ask for. Those that are not read here are the SDK's: `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_EXPORTER_OTLP_HEADERS` and its like for traces.

use std::ops::RangeInclusive;
use std::time::Duration;

use opentelemetry_sdk::trace::Sampler;
use reqwest::Url;

use super::{SERVICE, TracesError};
use crate::config::Environment;

/// What is to be done.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Where spans are sent.
    pub(super) endpoint: Url,
    /// Which variable says so.
    pub(super) variable: &'static str,
    /// How long one request may take.
    pub(super) time_limit: Duration,
    /// Which traces are exported.
    pub(super) sampler: Sampler,
    /// How many spans may wait.
    pub(super) queue: usize,
    /// How many spans one request may hold.
    pub(super) batch: usize,
    /// How long a span waits for others.
    pub(super) delay: Duration,
    /// What the program is called, unless `OTEL_RESOURCE_ATTRIBUTES` says it.
    pub(super) service_name: Option<String>,
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

fn given(env: &Environment<'_>, name: &str) -> Option<String> {
    env(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The first of some variables that is set.
fn first(env: &Environment<'_>, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| Some((*name, given(env, name)?)))
}

fn refused<T>(variable: &'static str, problem: impl Into<String>) -> Result<T, TracesError> {
    Err(TracesError { variable, problem: problem.into() })
}

/// `None` when nothing is to be traced.
pub(super) fn read(env: &Environment<'_>) -> Result<Option<Wanted>, TracesError> {
    let Some((variable, text)) = first(env, &[TRACES_ENDPOINT, ENDPOINT]) else { return Ok(None) };
    if given(env, "OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    match given(env, "OTEL_TRACES_EXPORTER").as_deref() {
        Some("none") => return Ok(None),
        None | Some("otlp") => {}
        Some(_) => {
            return refused("OTEL_TRACES_EXPORTER", "names an exporter that is not built: there are otlp and none");
        }
    }
    one_of(env, &["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"], &["http/protobuf"])?;
    one_of(env, &["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"], &["gzip", "none"])?;
    let time_limits = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    let time_limit = number(env, &time_limits, 10_000, 1..=600_000)?;
    let export_limit = number(env, &["OTEL_BSP_EXPORT_TIMEOUT"], 30_000, 1..=600_000)?;
    let queue = number(env, &["OTEL_BSP_MAX_QUEUE_SIZE"], 2048, 1..=1_000_000)?;
    let batch = number(env, &["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], 512.min(queue), 1..=queue)?;
    Ok(Some(Wanted {
        endpoint: endpoint(variable, &text)?,
        variable,
        time_limit: Duration::from_millis(time_limit.min(export_limit)),
        sampler: sampler(env)?,
        queue: usize::try_from(queue).unwrap_or(usize::MAX),
        batch: usize::try_from(batch).unwrap_or(usize::MAX),
        delay: Duration::from_millis(number(env, &["OTEL_BSP_SCHEDULE_DELAY"], 5000, 10..=3_600_000)?),
        service_name: service_name(env),
    }))
}

fn one_of(env: &Environment<'_>, names: &[&'static str], built: &[&str]) -> Result<(), TracesError> {
    match first(env, names) {
        Some((name, text)) if !built.contains(&text.as_str()) => {
            refused(name, format!("asks for something that is not built: there is {}", built.join(" and ")))
        }
        _ => Ok(()),
    }
}

fn number(
    env: &Environment<'_>,
    names: &[&'static str],
    otherwise: u64,
    range: RangeInclusive<u64>,
) -> Result<u64, TracesError> {
    let Some((name, text)) = first(env, names) else { return Ok(otherwise) };
    match text.parse().ok().filter(|number| range.contains(number)) {
        Some(number) => Ok(number),
        None => refused(name, format!("is not a number from {} to {}", range.start(), range.end())),
    }
}

/// The variable for all signals names the collector, the one for traces the very place.
fn endpoint(variable: &'static str, text: &str) -> Result<Url, TracesError> {
    let mut url = match Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) && url.has_host() => url,
        _ => return refused(variable, "is no URL of http or https, for example http://127.0.0.1:4318"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused(variable, "holds a user or a password, which belong into OTEL_EXPORTER_OTLP_HEADERS");
    }
    if variable == ENDPOINT {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    Ok(url)
}

fn sampler(env: &Environment<'_>) -> Result<Sampler, TracesError> {
    let ratio = match given(env, SAMPLER_ARGUMENT).map(|text| text.parse::<f64>()) {
        None => 1.0,
        Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
        Some(_) => return refused(SAMPLER_ARGUMENT, "is not a number from 0 to 1"),
    };
    let name = given(env, SAMPLER).unwrap_or_else(|| "parentbased_always_on".to_owned());
    let root = match name.strip_prefix("parentbased_").unwrap_or(&name) {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        "traceidratio" => Sampler::TraceIdRatioBased(ratio),
        _ => {
            let built = "always_on, always_off and traceidratio, each also with parentbased_ before it";
            return refused(SAMPLER, format!("names a sampler that is not built: there are {built}"));
        }
    };
    Ok(if name.starts_with("parentbased_") { Sampler::ParentBased(Box::new(root)) } else { root })
}

fn service_name(env: &Environment<'_>) -> Option<String> {
    let attributes = given(env, "OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let named =
        attributes.split(',').any(|pair| pair.split('=').next().is_some_and(|key| key.trim() == "service.name"));
    given(env, "OTEL_SERVICE_NAME").or_else(|| (!named).then(|| SERVICE.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(given: &[(&str, &str)]) -> Result<Option<Wanted>, TracesError> {
        let find = |name: &str| given.iter().find(|(key, _)| *key == name).map(|(_, text)| (*text).to_owned());
        read(&find)
    }

    const BASE: (&str, &str) = (ENDPOINT, "http://127.0.0.1:4318");

    #[test]
    fn without_an_endpoint_or_with_a_word_against_it_nothing_is_traced() {
        for given in [
            vec![],
            vec![(ENDPOINT, " ")],
            vec![("OTEL_SERVICE_NAME", "x")],
            vec![BASE, ("OTEL_SDK_DISABLED", "True")],
            vec![BASE, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert!(read_of(&given).expect("is fine").is_none(), "{given:?}");
        }
    }

    #[test]
    fn what_is_not_built_or_no_value_is_refused_by_name_and_not_shown() {
        for (name, text) in [
            (ENDPOINT, "collector:4318"),
            (ENDPOINT, "grpc://collector"),
            (TRACES_ENDPOINT, "http://me:s3cret@collector/"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ("OTEL_TRACES_EXPORTER", "console"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "ten"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "-7"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5500"),
            ("OTEL_BSP_SCHEDULE_DELAY", "0.5"),
            (SAMPLER, "xray"),
            (SAMPLER_ARGUMENT, "1.5"),
        ] {
            let error = read_of(&[(name, text), BASE]).expect_err(name);
            assert_eq!(error.variable, name);
            assert!(!error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn the_endpoint_of_traces_is_taken_as_it_is_and_that_of_all_signals_gets_their_path() {
        let endpoint = |name, text| read_of(&[(name, text)]).expect("is fine").expect("traces").endpoint.to_string();
        assert_eq!(endpoint(ENDPOINT, "https://collector:4318"), "https://collector:4318/v1/traces");
        assert_eq!(endpoint(ENDPOINT, "https://collector/otlp/"), "https://collector/otlp/v1/traces");
        assert_eq!(endpoint(TRACES_ENDPOINT, "https://collector/mine"), "https://collector/mine");
        let both = read_of(&[BASE, (TRACES_ENDPOINT, "https://collector/mine")]).expect("is fine").expect("traces");
        assert_eq!(both.endpoint.path(), "/mine");
    }

    #[test]
    fn values_that_are_given_win_over_the_usual_ones() {
        let usual = read_of(&[BASE]).expect("is fine").expect("traces");
        assert_eq!((usual.queue, usual.batch, usual.delay.as_secs(), usual.time_limit.as_secs()), (2048, 512, 5, 10));
        assert_eq!(usual.service_name.as_deref(), Some(SERVICE));
        assert_eq!(format!("{:?}", usual.sampler), "ParentBased(AlwaysOn)");
        let given = [
            BASE,
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "20000"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2000"),
            (SAMPLER, "traceidratio"),
            (SAMPLER_ARGUMENT, "0.25"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=b, service.name=shop"),
        ];
        let given = read_of(&given).expect("is fine").expect("traces");
        assert_eq!((given.queue, given.batch, given.time_limit.as_secs()), (100, 100, 2));
        assert_eq!(given.service_name, None, "the attributes say it");
        assert_eq!(format!("{:?}", given.sampler), "TraceIdRatioBased(0.25)");
    }
}

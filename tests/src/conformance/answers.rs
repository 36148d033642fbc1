//! The API description, and whether an answer is one that it describes.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::sync::{Arc, LazyLock, Mutex};

use anyhow::{Context, Result, ensure};
use jsonschema::Validator;
use serde_json::{Map, Value};
use walwarden_contract::operations::BASE_PATH;

use super::framing::Message;
use super::schema::{check, close, compile};
use crate::paths::repository;
use crate::runtime::lock;

const PROBLEM: &str = "application/problem+json";
const PROBLEM_SCHEMA: &str = "#/components/schemas/Problem";

/// The checked-in description. Without it no trial can run.
pub(super) static API: LazyLock<Api> = LazyLock::new(|| Api::load().expect("the API description can be read"));

/// The API description.
#[derive(Debug)]
pub(super) struct Api {
    routes: Vec<Route>,
    components: Value,
    /// By reference, compiled when first needed: most tests see a few answers only.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

#[derive(Debug)]
struct Route {
    method: String,
    path: Vec<String>,
    answers: BTreeMap<u16, Described>,
}

/// An answer as it is described.
#[derive(Debug)]
struct Described {
    /// The reference to its schema, by media type; none where the body is no JSON.
    content: BTreeMap<String, Option<String>>,
    codes: Vec<String>,
    headers: Vec<String>,
}

impl Api {
    fn load() -> Result<Self> {
        let path = repository().join("openapi/walwarden.v1.json");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(serde_json::from_str(&text)?)
    }

    fn parse(mut document: Value) -> Result<Self> {
        let paths = object(&document["paths"])?;
        let mut routes = Vec::new();
        for (path, item) in paths {
            for (method, operation) in object(item)?.iter().filter(|(_, it)| it.get("operationId").is_some()) {
                let answers = object(&operation["responses"])?.iter().map(|(status, answer)| {
                    let answer = resolved(&document, answer)?;
                    Ok((status.parse()?, Described::parse(answer).with_context(|| format!("{method} {path}"))?))
                });
                let answers = answers.collect::<Result<_>>()?;
                routes.push(Route { method: method.to_uppercase(), path: segments(path), answers });
            }
        }
        let mut components = document["components"].take();
        close(&mut components["schemas"]);
        Ok(Self { routes, components, validators: Mutex::default() })
    }

    /// Says what is wrong with an answer, if anything is.
    pub(super) fn check(&self, method: &str, target: &str, answer: &Message) -> Result<(), String> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        let kind = answer.media_type();
        let inside = path.strip_prefix(BASE_PATH).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let Some(inside) = inside else {
            // Pages and probes are not described; their errors are those of the API.
            return if kind == Some(PROBLEM) { self.check_problem(answer, None) } else { Ok(()) };
        };
        let parts = segments(inside);
        let route =
            self.routes.iter().filter(|route| route.matches(method, &parts)).min_by_key(|route| route.wildcards());
        let Some(route) = route else {
            if kind != Some(PROBLEM) && method != "HEAD" {
                return Err("no operation answers this, and the answer is no problem".to_owned());
            }
            return self.check_problem(answer, None);
        };
        let described = route.answers.get(&answer.status()).ok_or("the operation does not describe this status")?;
        for header in &described.headers {
            answer.header(header).ok_or_else(|| format!("the described header {header} is missing"))?;
        }
        let Some(kind) = kind else {
            let empty = described.content.is_empty() && answer.body.is_empty();
            return if empty { Ok(()) } else { Err("it has no Content-Type".to_owned()) };
        };
        let reference = described.content.get(kind).ok_or_else(|| format!("{kind} is not described"))?;
        // Only who asks for it gets this, and then compares the bytes.
        let compressed = answer.header("content-encoding").is_some();
        match reference {
            _ if compressed => Ok(()),
            _ if kind == PROBLEM => self.check_problem(answer, Some(&described.codes)),
            Some(reference) => self.check_body(answer, reference).map(drop),
            None => Ok(()),
        }
    }

    fn check_problem(&self, answer: &Message, codes: Option<&[String]>) -> Result<(), String> {
        if answer.body.is_empty() {
            // The answer to a HEAD request.
            return Ok(());
        }
        let problem = self.check_body(answer, PROBLEM_SCHEMA)?;
        if problem["status"] != answer.status() {
            return Err(format!("the problem says {}", problem["status"]));
        }
        let code = problem["code"].as_str().unwrap_or_default();
        match codes {
            Some(codes) if !codes.iter().any(|described| described == code) => {
                Err(format!("the operation does not describe the code {code} for this status"))
            }
            _ => Ok(()),
        }
    }

    fn check_body(&self, answer: &Message, reference: &str) -> Result<Value, String> {
        let document: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
        let validator = self.validator(reference).map_err(|error| format!("{error:#}"))?;
        check(&validator, &document).map_err(|violations| format!("{reference}: {violations}"))?;
        Ok(document)
    }

    fn validator(&self, reference: &str) -> Result<Arc<Validator>> {
        let mut validators = lock(&self.validators);
        if let Some(validator) = validators.get(reference) {
            return Ok(Arc::clone(validator));
        }
        let schema = serde_json::json!({"$ref": reference, "components": self.components});
        let validator = Arc::new(compile(&schema)?);
        validators.insert(reference.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }
}

impl Route {
    fn matches(&self, method: &str, parts: &[String]) -> bool {
        let is_parameter = |part: &str| part.starts_with('{');
        let same = |(described, part): (&String, &String)| is_parameter(described) || described == part;
        self.method == method && self.path.len() == parts.len() && self.path.iter().zip(parts).all(same)
    }

    fn wildcards(&self) -> usize {
        self.path.iter().filter(|part| part.starts_with('{')).count()
    }
}

impl Described {
    fn parse(answer: &Value) -> Result<Self> {
        let mut content = BTreeMap::new();
        for (kind, described) in answer["content"].as_object().into_iter().flatten() {
            let reference = described["schema"]["$ref"].as_str().map(str::to_owned);
            ensure!(reference.is_some() || !kind.ends_with("json"), "{kind} without a named schema");
            content.insert(kind.clone(), reference);
        }
        let strings = |value: &Value| {
            value.as_array().into_iter().flatten().filter_map(|it| Some(it.as_str()?.to_owned())).collect()
        };
        // Those that only some of these answers carry.
        let sometimes = ["idempotency-replayed", "retry-after", "ratelimit", "ratelimit-policy"];
        let headers = answer["headers"].as_object().into_iter().flatten().map(|(name, _)| name.to_ascii_lowercase());
        let headers = headers.filter(|name| !sometimes.contains(&name.as_str())).collect();
        Ok(Self { content, codes: strings(&answer["x-error-codes"]), headers })
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    value.as_object().context("the API description has an object here")
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value> {
    let Some(reference) = value["$ref"].as_str() else { return Ok(value) };
    document.pointer(reference.trim_start_matches('#')).with_context(|| format!("nothing at {reference}"))
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(str::to_owned).collect()
}

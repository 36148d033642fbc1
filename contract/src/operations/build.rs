//! Small steps that make the table of operations readable.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{Answer, Auth, Method, Operation, SchemaOf, Tag};
use crate::error::ErrorCode;
use crate::page::PageQuery;
use crate::scope::Scope;

pub(super) fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const fn operation(method: Method, id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Operation {
    Operation {
        id,
        method,
        path,
        tag,
        summary,
        note: "",
        auth: Auth::ApiKey(None),
        success: 200,
        query: None,
        request: None,
        answer: Answer::Empty,
        errors: &[],
    }
}

pub(super) const fn get(id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Operation {
    operation(Method::Get, id, path, tag, summary)
}

pub(super) const fn post(id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Operation {
    operation(Method::Post, id, path, tag, summary)
}

pub(super) const fn patch(id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Operation {
    operation(Method::Patch, id, path, tag, summary)
}

pub(super) const fn delete(id: &'static str, path: &'static str, tag: Tag, summary: &'static str) -> Operation {
    Operation { success: 204, ..operation(Method::Delete, id, path, tag, summary) }
}

impl Operation {
    pub(super) const fn scope_of(self, scope: Scope) -> Self {
        Self { auth: Auth::ApiKey(Some(scope)), ..self }
    }

    pub(super) const fn restore_token(self) -> Self {
        Self { auth: Auth::RestoreToken, ..self }
    }

    pub(super) const fn paged(self) -> Self {
        Self { query: Some(schema_of::<PageQuery>), ..self }
    }

    pub(super) const fn asks(self, query: SchemaOf) -> Self {
        Self { query: Some(query), ..self }
    }

    pub(super) const fn takes(self, request: SchemaOf) -> Self {
        Self { request: Some(request), ..self }
    }

    pub(super) const fn answers(self, success: u16, response: SchemaOf) -> Self {
        Self { success, answer: Answer::Json(response), ..self }
    }

    pub(super) const fn archive(self) -> Self {
        Self { answer: Answer::Archive, ..self }
    }

    pub(super) const fn fails(self, errors: &'static [ErrorCode]) -> Self {
        Self { errors, ..self }
    }

    pub(super) const fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }
}

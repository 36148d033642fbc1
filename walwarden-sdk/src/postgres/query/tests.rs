//! Tests of reading psql's output and of quoting; those with a server are among the integration tests.

use proptest::prelude::*;

use super::*;

#[test]
fn csv_fields_may_hold_separators_quotes_and_line_breaks() {
    assert_eq!(parse_csv("a,\"b,\"\"c\"\"\nd\",\n1,2,3\n"), [["a", "b,\"c\"\nd", ""], ["1", "2", "3"]]);
    assert!(parse_csv("").is_empty());
}

#[test]
fn names_and_texts_cannot_leave_their_quotes() {
    assert_eq!(quote_identifier("a\"b"), "\"a\"\"b\"");
    assert_eq!(quote_literal("o'neil"), "'o''neil'");
    assert_eq!(quote_literal(r"\'; DROP"), r" E'\\''; DROP'");
}

#[test]
fn messages_leave_out_source_locations() {
    let stderr = "ERROR:  42P04: database \"a\" already exists\nLOCATION:  createdb, dbcommands.c:686\n";
    let error = QueryError::from_stderr(stderr);
    assert!(matches!(error, QueryError::DatabaseExists { .. }) && !error.is_retryable());
    assert_eq!(error.to_string(), "the database exists already: ERROR:  42P04: database \"a\" already exists");
}

proptest! {
    #[test]
    fn csv_comes_back_as_it_was(rows in prop::collection::vec(prop::collection::vec("[a,\"\n ]{0,6}", 2), 0..5)) {
        let written: String = rows
            .iter()
            .map(|row| row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect::<Vec<_>>().join(",") + "\n")
            .collect();
        prop_assert_eq!(parse_csv(&written), rows);
    }
}

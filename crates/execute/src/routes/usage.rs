//! `/usage`: figures of submissions, for teachers of their questions, for admins of all; as JSON, or as CSV for spreadsheets.

use axum::{
    extract::State as AxumState,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
    token::Principal,
};
use time::{Date, format_description::BorrowedFormatItem, macros::format_description};
use utoipa::{IntoParams, ToSchema};

use crate::{
    state::State,
    store::usage::{self, By, Figures, Span},
};

/// How days are written.
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// Which figures.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageQuery {
    /// The first day of acceptance that counts, in UTC; from the beginning if absent.
    #[param(value_type = Option<String>, format = Date, example = "2026-03-01")]
    from: Option<String>,
    /// The last day that counts, itself included; up to now if absent.
    #[param(value_type = Option<String>, format = Date, example = "2026-03-31")]
    to: Option<String>,
    /// What figures are grouped by, `day` if absent.
    #[param(inline)]
    by: Option<By>,
}

impl UsageQuery {
    fn span(&self) -> Result<Span, Problem> {
        let (from, to) = (
            day("/from", self.from.as_deref())?,
            day("/to", self.to.as_deref())?,
        );
        if matches!((from, to), (Some(from), Some(to)) if to < from) {
            let message = "the last day comes before the first: exchange from and to";
            return Err(Problem::invalid(message).with_error("/to", "out-of-order", message));
        }
        Ok(Span { from, to })
    }
}

/// Only years of four digits: whatever else parses is no day that anybody means.
fn day(pointer: &str, text: Option<&str>) -> Result<Option<Date>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let parsed = Date::parse(text, DAY).ok();
    if let Some(day) = parsed.filter(|day| text.len() == 10 && day.year() > 0) {
        return Ok(Some(day));
    }
    let message = "a day is written like 2026-03-01";
    Err(Problem::invalid(message).with_error(pointer, "invalid-value", message))
}

/// Figures, group by group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsageView {
    #[schema(inline)]
    by: By,
    /// In the order of their keys; groups without submissions are absent.
    items: Vec<FiguresView>,
}

/// The figures of one group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UsageFigures)]
pub(crate) struct FiguresView {
    /// The day, the question's id, the language's id, the verdict (`failed`: ended without one, `open`: none yet), or the account's id.
    key: String,
    /// The question's slug or the account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// How many were accepted by the service; runs are not counted.
    submissions: i64,
    /// Of how many accounts.
    accounts: i64,
    /// How many have a verdict.
    judged: i64,
    /// How many of these have the verdict `AC`.
    accepted: i64,
    /// How many ended without a verdict.
    failed: i64,
    /// Processor time that their tests took, in milliseconds; each judgement of a submission adds to it.
    machine_ms: i64,
    /// Tokens that their reviews took.
    tokens: i64,
}

impl From<Figures> for FiguresView {
    fn from(figures: Figures) -> Self {
        Self {
            key: figures.key,
            name: figures.name,
            submissions: figures.submissions,
            accounts: figures.accounts,
            judged: figures.judged,
            accepted: figures.accepted,
            failed: figures.failed,
            machine_ms: figures.machine_ms,
            tokens: figures.tokens,
        }
    }
}

/// Figures of submissions
///
/// Teachers get those of the questions that they teach, admins all. Each submission counts once, with the judgement that counts.
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "usage", params(UsageQuery),
    responses(
        (status = 200, description = "Figures; with `Accept: text/csv` as a table with a line of names", content(
            (UsageView = "application/json"), (String = "text/csv"),
        )),
        (status = 400, description = "A parameter that is not known, or a word that is not one of `by`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not a teacher", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A day that is none, or days out of order", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn count(
    AxumState(state): AxumState<State>,
    principal: Principal,
    headers: HeaderMap,
    Query(query): Query<UsageQuery>,
) -> Result<Response, Problem> {
    principal.require_teacher()?;
    let span = query.span()?;
    let by = query.by.unwrap_or_default();
    let found = usage::count(&state.pool, &principal, by, span).await?;
    let items: Vec<FiguresView> = found.into_iter().map(FiguresView::from).collect();
    let vary = (header::VARY, HeaderValue::from_static("accept"));
    if !wants_csv(&headers) {
        return Ok(([vary], Json(UsageView { by, items })).into_response());
    }
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8; header=present"),
    );
    Ok(([vary, kind], table(&items)).into_response())
}

/// Whether CSV is named and JSON is not preferred to it.
fn wants_csv(headers: &HeaderMap) -> bool {
    let quality = |wanted: &str| {
        headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                if !parts.next()?.eq_ignore_ascii_case(wanted) {
                    return None;
                }
                let quality = parts.find_map(|part| part.strip_prefix("q="));
                quality.map_or(Some(1.0), |quality| quality.parse::<f32>().ok())
            })
            .fold(0.0, f32::max)
    };
    let csv = quality("text/csv");
    csv > 0.0 && csv >= quality("application/json")
}

/// RFC 4180, with a line of names.
fn table(items: &[FiguresView]) -> String {
    let mut table =
        String::from("key,name,submissions,accounts,judged,accepted,failed,machine_ms,tokens\r\n");
    for item in items {
        let texts = [item.key.as_str(), item.name.as_deref().unwrap_or_default()].map(cell);
        let figures = [
            item.submissions,
            item.accounts,
            item.judged,
            item.accepted,
            item.failed,
            item.machine_ms,
            item.tokens,
        ]
        .map(|figure| figure.to_string());
        table.push_str(&[texts.as_slice(), figures.as_slice()].concat().join(","));
        table.push_str("\r\n");
    }
    table
}

/// A text as a cell. Names are whatever people call themselves: none may become a formula in somebody's spreadsheet.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_given_to_those_who_ask_for_it() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("application/json", false),
            ("text/csv", true),
            ("Text/CSV; header=present", true),
            ("text/csv;q=0", false),
            ("text/csv;q=0.5, application/json", false),
            ("application/json;q=0.5, text/csv", true),
            ("text/csv;q=much", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(wants_csv(&headers), expected, "{accept}");
        }
        assert!(!wants_csv(&HeaderMap::new()));
    }

    #[test]
    fn names_stay_in_their_cells_and_are_no_formulas() {
        for (text, expected) in [
            ("김", "김"),
            ("Kim, \"Min\"", "\"Kim, \"\"Min\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=1+1", "\"'=1+1\""),
            ("@sum", "\"'@sum\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn days_are_plain() {
        assert!(day("/from", Some("2026-03-01")).is_ok());
        for text in [
            "",
            "2026-3-1",
            "2026-02-30",
            "+2026-03-01",
            "-202-03-01",
            "0000-01-01",
            "2026-03-01T00:00:00Z",
        ] {
            let problem = day("/from", Some(text));
            assert!(problem.is_err(), "{text}");
        }
    }
}

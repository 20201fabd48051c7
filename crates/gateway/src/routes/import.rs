//! Many accounts at once, from a list such as a school has: all of them or none.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request, State},
};
use contract::{AccountId, Locale, Role};
use http::header;
use serde::{Deserialize, Serialize};
use service::Problem;
use time::Duration;
use utoipa::ToSchema;

use crate::{
    email::Email,
    fields::Violations,
    secret::OneTimeCode,
    signed_in::SignedIn,
    state::App,
    store::{
        self,
        account::NewAccount,
        audit::{Action, Entry},
    },
    visitor::Visitor,
};

/// How long the codes are good: until everybody has been to class.
const CODE_LIFETIME: Duration = Duration::days(14);
const MOST_ROWS: usize = 5_000;
/// More violations than that help nobody.
const MOST_VIOLATIONS: usize = 100;

/// One line of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    email: String,
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    locale: String,
}

/// A line that can be done.
struct Row {
    email: Email,
    name: String,
    role: Role,
    locale: Locale,
}

/// What became of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// Accounts made now, in the order of the list.
    created: Vec<ImportedAccount>,
    /// Addresses that had an account: it is left as it was.
    existing: Vec<String>,
}

/// An account made from a line.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImportedAccount {
    id: AccountId,
    email: String,
    /// For `POST /api/v1/auth/reset`, good for 14 days; it is not shown again.
    code: String,
}

/// Make many accounts: CSV with the columns `email,name` and, if wanted, `role,locale`. Each gets a one-time code to
/// choose a password with. All lines are done, or none.
#[utoipa::path(
    post, path = "/api/v1/accounts/import", tag = "accounts", operation_id = "import_accounts", request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, body = Imported),
        Problem,
    ),
)]
pub(crate) async fn import(
    State(app): State<App>,
    signed_in: SignedIn,
    Visitor(address): Visitor,
    request: Request,
) -> Result<axum::Json<Imported>, Problem> {
    signed_in.require(Role::Admin)?;
    let is_csv = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(';')
                .next()
                .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/csv"))
        });
    if !is_csv {
        return Err(Problem::unsupported_media_type("send the list as text/csv"));
    }
    let body = Bytes::from_request(request, &app)
        .await
        .map_err(|_| Problem::payload_too_large("the list is too large: send it in parts"))?;
    let rows = read(&body)?;
    let mut imported = Imported {
        created: Vec::with_capacity(rows.len()),
        existing: Vec::new(),
    };
    let mut transaction = app.db.begin().await?;
    for row in rows {
        let new = NewAccount {
            email: &row.email,
            name: &row.name,
            role: row.role,
            locale: row.locale,
            password_hash: None,
        };
        let Some(account) = store::account::insert(&mut *transaction, &new).await? else {
            imported.existing.push(row.email.to_string());
            continue;
        };
        let code = OneTimeCode::generate();
        store::code::insert(
            &mut *transaction,
            &code,
            account.id,
            Some(signed_in.id()),
            CODE_LIFETIME,
        )
        .await?;
        imported.created.push(ImportedAccount {
            id: account.id,
            email: account.email,
            code: code.reveal(),
        });
    }
    let detail = serde_json::json!({ "created": imported.created.len(), "existing": imported.existing.len() });
    let entry = Entry {
        actor: Some(signed_in.id()),
        address: Some(address),
        detail: Some(detail),
        ..Entry::default()
    };
    store::audit::add(&mut *transaction, Action::AccountsImported, &entry).await?;
    transaction.commit().await?;
    Ok(axum::Json(imported))
}

/// All lines, or all that is wrong with them.
fn read(text: &[u8]) -> Result<Vec<Row>, Problem> {
    // Spreadsheets put a byte order mark before UTF-8.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut violations = Violations::default();
    let mut wrong = 0;
    let mut rows = Vec::new();
    let mut list = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text);
    let names = list.headers().cloned().unwrap_or_default();
    if !["email", "name"]
        .iter()
        .all(|column| names.iter().any(|name| name == *column))
    {
        let message = "the first line names the columns: email and name, role and locale if wanted";
        return Err(Problem::invalid(message));
    }
    for (index, line) in list.into_deserialize::<Line>().enumerate() {
        if index >= MOST_ROWS {
            return Err(Problem::payload_too_large(format!(
                "a list has at most {MOST_ROWS} lines: send it in parts"
            )));
        }
        let row = match line {
            Ok(line) => check(&mut violations, index, &line),
            Err(error) => violations.check(&format!("/{index}"), "line", Err(describe(&error))),
        };
        match row {
            Some(row) => rows.push(row),
            None => wrong += 1,
        }
        if wrong >= MOST_VIOLATIONS {
            break;
        }
    }
    violations.none(Some(rows))
}

fn check(violations: &mut Violations, index: usize, line: &Line) -> Option<Row> {
    let email = violations.email(&format!("/{index}/email"), &line.email);
    let name = violations.name(&format!("/{index}/name"), &line.name);
    let role = match line.role.as_str() {
        "" => Some(Role::Learner),
        word => violations.check(
            &format!("/{index}/role"),
            "role",
            Role::from_word(word).ok_or("the roles are learner, teacher and admin"),
        ),
    };
    let locale = match line.locale.as_str() {
        "" => Some(Locale::default()),
        tag => violations.locale(&format!("/{index}/locale"), tag),
    };
    Some(Row {
        email: email?,
        name: name?,
        role: role?,
        locale: locale?,
    })
}

/// In our words: the library's tell of its own types.
fn describe(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "this is not UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!("this line has {len} fields, the first line has {expected_len}")
        }
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        _ => "this is not CSV with the columns email,name[,role][,locale]".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_list() {
        let text =
            "\u{feff}email,name,role\nKim@School.kr , 김 \nLee@school.kr,\"Lee, J\",teacher\n"
                .replace("김 \n", "김,\n");
        let rows = read(text.as_bytes()).expect("a good list");
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.email.as_str(), row.name.as_str(), row.role))
            .collect();
        assert_eq!(
            rows,
            [
                ("kim@school.kr", "김", Role::Learner),
                ("lee@school.kr", "Lee, J", Role::Teacher)
            ]
        );
    }

    #[test]
    fn says_all_that_is_wrong() {
        let problem = read(b"email,name,role\nx,,king\na@b,ok,learner\na@b\n\xff@b,c,\n")
            .err()
            .expect("a bad list");
        let places: Vec<_> = problem
            .errors()
            .iter()
            .map(|error| error.pointer.as_str())
            .collect();
        assert_eq!(places, ["/0/email", "/0/name", "/0/role", "/2", "/3"]);
        for bad in ["name\nx\n", "email,name,password\na@b,c,secret123\n"] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}

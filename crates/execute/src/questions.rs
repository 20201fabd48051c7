//! Asking the question service how a question is judged now.

use contract::{Account, Language, manifest::Manifest};
use service::{Client, Problem};

/// The manifest of the question's current version, for whom and in which language it is to be judged. What question refuses
/// is the answer to the learner, word for word.
pub(crate) async fn manifest(
    question: &Client,
    account: &Account,
    key: &str,
    language: Language,
) -> Result<Manifest, Problem> {
    let path = format!("/internal/questions/{key}/manifest");
    let query = [
        ("language", language.id()),
        ("locale", account.locale.as_str()),
    ];
    Ok(question
        .get(&path)
        .account(account)
        .query(&query)
        .json()
        .await?)
}

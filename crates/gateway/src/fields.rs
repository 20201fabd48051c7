//! What people send about accounts, checked once: all that is wrong is said at once, each with its place.

use contract::Locale;
use service::Problem;

use crate::{email::Email, password::Password};

/// Greatest length of a name, in characters.
pub(crate) const MAX_NAME_CHARS: usize = 100;

/// Collects what is wrong in a body.
#[derive(Debug, Default)]
pub(crate) struct Violations(Option<Problem>);

impl Violations {
    /// The value, or `None` with the place and the reason noted.
    pub(crate) fn check<T>(
        &mut self,
        pointer: &str,
        code: &str,
        value: Result<T, impl ToString>,
    ) -> Option<T> {
        value
            .map_err(|error| {
                let problem = self.0.take();
                let problem = problem
                    .unwrap_or_else(|| Problem::invalid("some fields are not right: see errors"));
                self.0 = Some(problem.with_error(pointer, code, error.to_string()));
            })
            .ok()
    }

    /// A normalised address.
    pub(crate) fn email(&mut self, pointer: &str, text: &str) -> Option<Email> {
        self.check(pointer, "email", Email::parse(text))
    }

    /// A password of a fit length.
    pub(crate) fn password(&mut self, pointer: &str, text: String) -> Option<Password> {
        self.check(pointer, "password", Password::parse(text))
    }

    /// A trimmed name.
    pub(crate) fn name(&mut self, pointer: &str, text: &str) -> Option<String> {
        let name = text.trim();
        let fits = (1..=MAX_NAME_CHARS).contains(&name.chars().count())
            && !name.chars().any(char::is_control);
        let name = fits.then(|| name.to_owned());
        let rule = format!("a name has 1 to {MAX_NAME_CHARS} characters on one line");
        self.check(pointer, "name", name.ok_or(rule))
    }

    /// A language that people read.
    pub(crate) fn locale(&mut self, pointer: &str, text: &str) -> Option<Locale> {
        self.check(
            pointer,
            "locale",
            Locale::from_tag(text).ok_or("the locales are ko and en"),
        )
    }

    /// The parts, when nothing was wrong.
    pub(crate) fn none<T>(self, parts: Option<T>) -> Result<T, Problem> {
        match (self.0, parts) {
            (None, Some(parts)) => Ok(parts),
            (problem, _) => Err(problem.unwrap_or_else(|| Problem::invalid("a field is missing"))),
        }
    }
}

//! A setting that is missing or wrong, in a sentence that an operator who sets variables can act on: which, what it wants, an
//! example. Knows no setting: all of it comes from the command line's own description.

use clap::{
    Arg, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// What is wrong with which variable; `None` where it is no variable that is wrong.
pub(crate) fn explain(error: &clap::Error, root: &Command, subcommand: &str) -> Option<String> {
    let command = root.find_subcommand(subcommand)?;
    let named = |text: &str| {
        let flag = text
            .split([' ', '='])
            .next()?
            .strip_prefix("--")?
            .to_owned();
        let has_flag = |arg: &&Arg| arg.get_long() == Some(flag.as_str());
        command
            .get_arguments()
            .find(has_flag)
            .filter(|arg| arg.get_env().is_some())
    };
    let sentences: Vec<String> = match (error.kind(), error.get(ContextKind::InvalidArg)?) {
        (ErrorKind::MissingRequiredArgument, ContextValue::Strings(missing)) => missing
            .iter()
            .map(|text| {
                named(text).map(|arg| format!("{} is not set: {}", variable(arg), wanted(arg)))
            })
            .collect::<Option<_>>()?,
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, ContextValue::String(text)) => {
            let arg = named(text)?;
            vec![format!(
                "{} is {}: {}",
                variable(arg),
                refused(error, arg),
                wanted(arg)
            )]
        }
        _ => return None,
    };
    Some(format!(
        "{subcommand} cannot start: {}\n(`codementor {subcommand} --help` tells all settings)",
        sentences.join("\n  ")
    ))
}

fn variable(arg: &Arg) -> String {
    arg.get_env().map_or_else(
        || arg.to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The value, unless it is a secret, and what is wrong with it.
fn refused(error: &clap::Error, arg: &Arg) -> String {
    use std::error::Error;

    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) if value.is_empty() => "empty".to_owned(),
        Some(ContextValue::String(value)) if !arg.is_hide_env_values_set() => format!("{value:?}"),
        _ => "not shown here".to_owned(),
    };
    match error.source() {
        Some(cause) => format!("{value}, which is not right ({cause})"),
        None => format!("{value}, which is not right"),
    }
}

fn wanted(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let choices: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let choices = match choices.as_slice() {
        [] => String::new(),
        some => format!(" (one of {})", some.join(", ")),
    };
    format!(
        "it wants \"{help}\"{choices}, for example {}={}",
        variable(arg),
        example(arg)
    )
}

/// A value that would be taken.
fn example(arg: &Arg) -> String {
    if let [first, ..] = arg.get_default_values() {
        return first.to_string_lossy().into_owned();
    }
    if let [first, ..] = arg.get_possible_values().as_slice() {
        return first.get_name().to_owned();
    }
    let kind = arg
        .get_value_names()
        .and_then(<[_]>::first)
        .map_or("", |name| name.as_str());
    match (arg.get_id().as_str(), kind) {
        ("database_url", _) => "postgres://codementor:password@127.0.0.1:5432/codementor",
        ("public_url" | "review_url", _) => "https://codementor.example.org/v1",
        (_, "FILE") => "/etc/codementor/key.pem",
        (_, "DIR" | "FOLDER") => "/var/lib/codementor",
        ("slots" | "jobs", _) => "4",
        _ => "a-name",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::Cli;

    const SERVICES: [&str; 5] = ["gateway", "execute", "question", "evaluation", "runner"];

    /// What a service cannot be started without.
    fn required(command: &Command) -> Vec<(String, String)> {
        let required = command.get_arguments().filter(|arg| arg.is_required_set());
        required
            .map(|arg| (arg.get_long().expect("a flag").to_owned(), example(arg)))
            .collect()
    }

    fn start(service: &str, settings: &[(String, String)]) -> Result<Cli, clap::Error> {
        let flags = settings
            .iter()
            .map(|(flag, value)| format!("--{flag}={value}"));
        let words = ["codementor".to_owned(), service.to_owned()];
        Cli::try_parse_from(words.into_iter().chain(flags))
    }

    #[test]
    fn every_variable_that_is_not_set_is_named_with_an_example() {
        let root = Cli::command();
        for service in SERVICES {
            let all = required(root.find_subcommand(service).expect("a service"));
            assert!(!all.is_empty() && start(service, &all).is_ok(), "{service}");
            for (flag, example) in &all {
                let rest: Vec<_> = all.iter().filter(|one| one.0 != *flag).cloned().collect();
                let error = start(service, &rest).expect_err("one is missing");
                let said = explain(&error, &root, service).expect("it is a variable");
                let variable = flag.to_uppercase().replace('-', "_");
                assert!(said.contains(&format!("{variable} is not set")), "{said}");
                assert!(said.contains(&format!("{variable}={example}")), "{said}");
            }
        }
    }

    #[test]
    fn every_variable_takes_its_example_and_a_wrong_one_is_named() {
        let root = Cli::command();
        let mut refused = 0;
        for service in SERVICES {
            let command = root.find_subcommand(service).expect("a service");
            for arg in command
                .get_arguments()
                .filter(|arg| arg.get_env().is_some())
            {
                if !arg.get_action().takes_values() {
                    continue;
                }
                assert!(arg.get_help().is_some(), "{arg} is not explained");
                let flag = arg.get_long().expect("a flag").to_owned();
                let with = |value: String| {
                    let mut all = required(command);
                    all.retain(|one| one.0 != flag);
                    all.push((flag.clone(), value));
                    start(service, &all)
                };
                with(example(arg)).unwrap_or_else(|error| panic!("{service} {arg}: {error}"));
                let Err(error) = with("\u{1}not this".to_owned()) else {
                    continue;
                };
                refused += 1;
                let said = explain(&error, &root, service).expect("it is a variable");
                assert!(
                    said.contains(&variable(arg)) && said.contains("for example"),
                    "{said}"
                );
            }
        }
        assert!(
            refused > 60,
            "{refused}: numbers, addresses and choices are checked"
        );
    }

    #[test]
    fn a_secret_is_not_shown() {
        let error = start(
            "question",
            &[
                ("database-url".to_owned(), "mysql://u:secret@h/d".to_owned()),
                ("trusted-keys".to_owned(), "a".to_owned()),
            ],
        );
        let said = explain(
            &error.expect_err("not Postgres"),
            &Cli::command(),
            "question",
        );
        let said = said.expect("it is a variable");
        assert!(
            said.contains("DATABASE_URL") && !said.contains("secret"),
            "{said}"
        );
    }

    #[test]
    fn what_is_no_variable_is_left_to_the_command_line() {
        let error = Cli::try_parse_from(["codementor", "gateway", "--nonsense"]);
        assert_eq!(
            explain(&error.expect_err("unknown"), &Cli::command(), "gateway"),
            None
        );
    }
}

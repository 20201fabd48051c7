//! The default validator's arguments, as one of our checkers.

use contract::manifest::Checker;

/// The checker that compares as the default validator does with these arguments, or why there is none.
pub fn default_validator(arguments: &[String]) -> Result<Checker, String> {
    let (mut case_sensitive, mut spaces) = (false, false);
    let (mut abs, mut rel) = (None, None);
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        let mut number = || -> Result<f64, String> {
            let number = rest.next().and_then(|word| word.parse().ok());
            let number = number.filter(|number: &f64| number.is_finite() && *number >= 0.0);
            number.ok_or_else(|| format!("{word} is followed by no number"))
        };
        match word.as_str() {
            "case_sensitive" => case_sensitive = true,
            "space_change_sensitive" => spaces = true,
            "float_tolerance" => {
                let both = number()?;
                (abs, rel) = (Some(both), Some(both));
            }
            "float_absolute_tolerance" => abs = Some(number()?),
            "float_relative_tolerance" => rel = Some(number()?),
            other => return Err(format!("the default validator knows no argument {other:?}")),
        }
    }
    match (abs.or(rel), spaces) {
        (None, false) => Ok(Checker::Tokens { case_sensitive }),
        (None, true) if case_sensitive => Ok(Checker::Exact {}),
        (Some(_), false) if !case_sensitive => Ok(Checker::Float {
            // A tolerance that is not given is none: equal numbers are within zero.
            abs: abs.unwrap_or(0.0),
            rel: rel.unwrap_or(0.0),
        }),
        _ => Err(format!(
            "{} together are not supported",
            arguments.join(" ")
        )),
    }
}

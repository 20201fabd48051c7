//! YAML, read with bounds: aliases that explode, deep nesting and doubled keys are errors, never a stall.
//!
//! [`Fields`] is a map whose keys are taken one by one: whatever is left at the end is named in a warning.

use serde_json::{Map, Value};

use crate::{Files, PackageError, Warnings};

/// The document in a file; `Null` for an empty one.
pub fn read(files: &Files, name: &str) -> Result<Value, PackageError> {
    parse(name, &files.text(name)?)
}

/// The document in a text.
pub fn parse(name: &str, text: &str) -> Result<Value, PackageError> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(blank) {
        return Ok(Value::Null);
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let message = error.to_string();
        let first: String = message
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(300)
            .collect();
        PackageError::wrong(
            name,
            "format",
            format!("it is not YAML that can be read: {first}"),
        )
    })
}

/// A map whose keys are taken one by one.
#[derive(Debug)]
pub struct Fields {
    /// The file, and the way in it.
    place: String,
    map: Map<String, Value>,
}

impl Fields {
    /// A document or a part of one; nothing is an empty map.
    pub fn new(place: impl Into<String>, value: Value) -> Result<Self, PackageError> {
        let place = place.into();
        match value {
            Value::Null => Ok(Self {
                place,
                map: Map::new(),
            }),
            Value::Object(map) => Ok(Self { place, map }),
            _ => Err(PackageError::wrong(place, "type", "a map is expected")),
        }
    }

    /// Where a field stands.
    pub fn place(&self, key: &str) -> String {
        if self.place.contains(": ") {
            format!("{}.{key}", self.place)
        } else {
            format!("{}: {key}", self.place)
        }
    }

    /// Takes a field; `null` is none.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key).filter(|value| !value.is_null())
    }

    /// Takes a text; numbers and truth values are texts, too.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, PackageError> {
        let place = self.place(key);
        self.take(key)
            .map(|value| {
                as_text(&value)
                    .ok_or_else(|| PackageError::wrong(place, "type", "a text is expected"))
            })
            .transpose()
    }

    /// Takes a number that is at least zero.
    pub fn number(&mut self, key: &str) -> Result<Option<f64>, PackageError> {
        let place = self.place(key);
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|number| number.is_finite() && *number >= 0.0) {
            Some(number) => Ok(Some(number)),
            None => Err(PackageError::wrong(
                place,
                "type",
                "a number that is at least 0 is expected",
            )),
        }
    }

    /// Takes a list of texts; one text is split at its spaces.
    pub fn words(&mut self, key: &str) -> Result<Option<Vec<String>>, PackageError> {
        let place = self.place(key);
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        words(&value)
            .map(Some)
            .ok_or_else(|| PackageError::wrong(place, "type", "a list of texts is expected"))
    }

    /// Takes a map.
    pub fn fields(&mut self, key: &str) -> Result<Self, PackageError> {
        let place = self.place(key);
        Self::new(place, self.take(key).unwrap_or_default())
    }

    /// The keys that are left.
    pub fn keys(&self) -> Vec<String> {
        self.map.keys().cloned().collect()
    }

    /// Warns of fields that mean nothing here, with the reason.
    pub fn ignore(&mut self, keys: &[&str], why: &str, warnings: &mut Warnings) {
        for key in keys {
            if self.take(key).is_some() {
                warnings.add(self.place(key), why);
            }
        }
    }

    /// Warns of all that is left.
    pub fn finish(self, warnings: &mut Warnings) {
        for key in self.map.keys() {
            warnings.add(self.place(key), "this field is not known, and not used");
        }
    }
}

/// A scalar as text.
pub fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// A list of scalars, or one text split at its spaces.
pub fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(items) => items.iter().map(as_text).collect(),
        other => Some(
            as_text(other)?
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        ),
    }
}

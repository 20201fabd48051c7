//! Values of a signature's types: from the JSON of a test to the input of a driver, from a driver's result to JSON again,
//! and whether two are equal.
//!
//! The drivers' form is tokens that end in a line feed, so that no driver needs a JSON library and every byte passes: numbers
//! in decimal, `0` or `1`, a character as its code; a string as its length in bytes, then the bytes; an array as its
//! length, then its items; `#` where there is nothing. Linear in time; what a driver wrote is believed in nothing.

mod wire;

use std::{cmp::Ordering, fmt::Write as _};

use serde_json::Value as Json;

use super::{Compare, Signature, SignatureKind, Type};
use wire::Wire;

/// Largest number of calls of a class in one test.
const MAX_CALLS: usize = 1_000_000;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// `int`, `long`, and what a node holds.
    Whole(i64),
    /// `double`.
    Double(f64),
    /// `bool`.
    Bool(bool),
    /// `char`.
    Char(u8),
    /// `string`.
    Text(String),
    /// An array; a list; a tree by level.
    List(Vec<Value>),
}

/// Where a test does not fit its signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("value {number}{pointer}: {message}")]
pub struct ValueError {
    /// Which of the text's JSON values, from 1.
    pub number: usize,
    /// Where in it, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

impl ValueError {
    fn new(number: usize, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            number,
            pointer: pointer.into(),
            message: message.into(),
        }
    }
}

/// What one test calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which method, from 1; 0 is the function, or the constructor.
    pub method: usize,
    /// Its arguments.
    pub arguments: Vec<Value>,
}

impl Signature {
    /// Reads a test's input: a JSON value a line, a parameter each; of a class the names and the arguments.
    pub fn parse_input(&self, text: &str) -> Result<Vec<Call>, ValueError> {
        let values = split(text)?;
        if self.kind == SignatureKind::Function {
            let arguments = arguments(&self.params, &values, "parameter", |index| {
                (index + 1, String::new())
            })?;
            return Ok(vec![Call {
                method: 0,
                arguments,
            }]);
        }
        let [Json::Array(names), Json::Array(lists)] = values.as_slice() else {
            let message =
                "two lines: an array of names, and an array with an array of arguments for each";
            return Err(ValueError::new(1, "", message));
        };
        if names.len() != lists.len() || names.is_empty() || names.len() > MAX_CALLS {
            let message = "as many lists of arguments as names, at least one";
            return Err(ValueError::new(2, "", message));
        }
        let mut calls = Vec::with_capacity(names.len());
        for (index, (name, list)) in names.iter().zip(lists).enumerate() {
            let name = name.as_str().unwrap_or_default();
            let (method, params) = if index == 0 {
                let is_class = name == self.name;
                (is_class.then_some(0), self.params.as_slice())
            } else {
                let found = self.methods.iter().position(|method| method.name == name);
                let params = found.map(|at| self.methods[at].params.as_slice());
                (found.map(|at| at + 1), params.unwrap_or_default())
            };
            let Some(method) = method else {
                let message = if index == 0 {
                    "the first name is the class's"
                } else {
                    "there is no method of this name"
                };
                return Err(ValueError::new(1, format!("/{index}"), message));
            };
            let Json::Array(list) = list else {
                return Err(ValueError::new(
                    2,
                    format!("/{index}"),
                    "an array of arguments",
                ));
            };
            let arguments =
                arguments(params, list, "argument", |at| (2, format!("/{index}/{at}")))?;
            calls.push(Call { method, arguments });
        }
        Ok(calls)
    }

    /// The drivers' form of a test's input.
    pub fn driver_input(&self, calls: &[Call]) -> Vec<u8> {
        let mut wire = Vec::new();
        if self.kind == SignatureKind::Class {
            push(&mut wire, calls.len());
        }
        for call in calls {
            if self.kind == SignatureKind::Class {
                push(&mut wire, call.method);
            }
            for argument in &call.arguments {
                argument.encode(&mut wire);
            }
        }
        wire
    }

    /// The types of what is judged: one of a function, one a call of a class.
    fn judged_types(&self, calls: &[Call]) -> Vec<Type> {
        if self.kind == SignatureKind::Function {
            return vec![self.judged()];
        }
        let kinds = calls.iter().map(|call| match call.method.checked_sub(1) {
            Some(at) => self
                .methods
                .get(at)
                .map_or(Type::Void, |method| method.returns.clone()),
            None => Type::Void,
        });
        kinds.collect()
    }

    /// Reads an expected output: one JSON value, or with [`Compare::OneOf`] one or more.
    pub fn parse_output(&self, text: &str, calls: &[Call]) -> Result<Vec<Value>, ValueError> {
        let values = split(text)?;
        let many = self.compare == Compare::OneOf;
        if values.is_empty() || (values.len() > 1 && !many) {
            return Err(ValueError::new(1, "", "one JSON value, the result"));
        }
        let kinds = self.judged_types(calls);
        let read = |(at, value): (usize, &Json)| self.read_output(at + 1, value, &kinds);
        values.iter().enumerate().map(read).collect()
    }

    fn read_output(
        &self,
        number: usize,
        value: &Json,
        kinds: &[Type],
    ) -> Result<Value, ValueError> {
        if self.kind == SignatureKind::Function {
            return Value::read(&kinds[0], value, number, "");
        }
        let Json::Array(items) = value else {
            return Err(ValueError::new(
                number,
                "",
                "an array with the result of each call",
            ));
        };
        if items.len() != kinds.len() {
            let message = format!("{} results, one for each call", kinds.len());
            return Err(ValueError::new(number, "", message));
        }
        let read = |(at, (kind, item)): (usize, (&Type, &Json))| {
            Value::read(kind, item, number, &format!("/{at}"))
        };
        let list: Result<_, _> = kinds.iter().zip(items).enumerate().map(read).collect();
        Ok(Value::List(list?))
    }

    /// Reads what a driver wrote; `None` where it is not what a driver writes.
    pub fn driver_result(&self, bytes: &[u8], calls: &[Call]) -> Option<Value> {
        let mut wire = Wire { bytes };
        let kinds = self.judged_types(calls);
        let value = if self.kind == SignatureKind::Function {
            wire.value(kinds.first()?)?
        } else {
            let results: Option<_> = kinds.iter().map(|kind| wire.value(kind)).collect();
            Value::List(results?)
        };
        wire.bytes.is_empty().then_some(value)
    }

    /// Whether an answer is right.
    pub fn accepts(&self, expected: &[Value], answer: &Value) -> bool {
        let same = |one: &Value| match self.compare {
            Compare::Exact | Compare::OneOf | Compare::Program => one.same(answer, (0.0, 0.0)),
            Compare::Float { abs, rel } => one.same(answer, (abs, rel)),
            Compare::Unordered => one.sorted(1).same(&answer.sorted(1), (0.0, 0.0)),
            Compare::UnorderedDeep => one
                .sorted(usize::MAX)
                .same(&answer.sorted(usize::MAX), (0.0, 0.0)),
        };
        expected.iter().any(same)
    }
}

fn split(text: &str) -> Result<Vec<Json>, ValueError> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
        values.push(value.map_err(|error| {
            ValueError::new(values.len() + 1, "", format!("not JSON: {error}"))
        })?);
    }
    Ok(values)
}

fn arguments(
    params: &[super::Param],
    values: &[Json],
    word: &str,
    place: impl Fn(usize) -> (usize, String),
) -> Result<Vec<Value>, ValueError> {
    if values.len() != params.len() {
        let (number, pointer) = place(values.len().min(params.len()));
        let message = format!(
            "{} JSON values, a {word} each; there are {}",
            params.len(),
            values.len()
        );
        return Err(ValueError::new(number, pointer, message));
    }
    let read = |(at, (param, value)): (usize, (&super::Param, &Json))| {
        let (number, pointer) = place(at);
        Value::read(&param.of, value, number, &pointer)
    };
    params.iter().zip(values).enumerate().map(read).collect()
}

fn push(wire: &mut Vec<u8>, number: impl std::fmt::Display) {
    wire.extend_from_slice(format!("{number}\n").as_bytes());
}

impl Value {
    fn read(kind: &Type, value: &Json, number: usize, pointer: &str) -> Result<Self, ValueError> {
        let wrong = |wanted: &str| {
            Err(ValueError::new(
                number,
                pointer,
                format!("{wanted}, for it is of type {kind}"),
            ))
        };
        let whole = |low: i64, high: i64, value: &Json| {
            value
                .as_i64()
                .filter(|number| (low..=high).contains(number))
        };
        match (kind, value) {
            (Type::Void | Type::Nullable(_), Json::Null) => Ok(Self::Null),
            (Type::Void, _) => wrong("null"),
            (Type::Nullable(inner), value) => Self::read(inner, value, number, pointer),
            (Type::Int, value) => match whole(i32::MIN.into(), i32::MAX.into(), value) {
                Some(number) => Ok(Self::Whole(number)),
                None => wrong("a whole number of 32 bits"),
            },
            (Type::Long, value) => match value.as_i64() {
                Some(number) => Ok(Self::Whole(number)),
                None => wrong("a whole number of 64 bits"),
            },
            (Type::Double, Json::Number(number)) => {
                Ok(Self::Double(number.as_f64().unwrap_or(f64::NAN)))
            }
            (Type::Double, Json::String(word)) => match word.as_str() {
                "NaN" => Ok(Self::Double(f64::NAN)),
                "Infinity" => Ok(Self::Double(f64::INFINITY)),
                "-Infinity" => Ok(Self::Double(f64::NEG_INFINITY)),
                _ => wrong("a number, or one of \"NaN\", \"Infinity\" and \"-Infinity\""),
            },
            (Type::Double, _) => wrong("a number"),
            (Type::Bool, Json::Bool(value)) => Ok(Self::Bool(*value)),
            (Type::Bool, _) => wrong("true or false"),
            (Type::Char, Json::String(text)) if text.len() == 1 && text.as_bytes()[0] != 0 => {
                Ok(Self::Char(text.as_bytes()[0]))
            }
            (Type::Char, _) => wrong("a string of one ASCII character"),
            (Type::String, Json::String(text)) if !text.contains('\0') => {
                Ok(Self::Text(text.clone()))
            }
            (Type::String, _) => wrong("a string without U+0000"),
            (Type::ListNode | Type::TreeNode, Json::Null) => Ok(Self::List(Vec::new())),
            (Type::ListNode, Json::Array(items)) => {
                Self::read_items(&Type::Int, items, number, pointer)
            }
            (Type::TreeNode, Json::Array(items)) => {
                let nodes = Type::Nullable(Box::new(Type::Int));
                let Self::List(mut nodes) = Self::read_items(&nodes, items, number, pointer)?
                else {
                    return wrong("an array");
                };
                trim(&mut nodes);
                if is_tree(&nodes) {
                    Ok(Self::List(nodes))
                } else {
                    wrong("nodes by level, where a missing node has no children")
                }
            }
            (Type::Array(item), Json::Array(items)) => {
                Self::read_items(item, items, number, pointer)
            }
            (Type::ListNode | Type::TreeNode | Type::Array(_), _) => wrong("an array"),
        }
    }

    fn read_items(
        kind: &Type,
        items: &[Json],
        number: usize,
        pointer: &str,
    ) -> Result<Self, ValueError> {
        let read =
            |(at, item): (usize, &Json)| Self::read(kind, item, number, &format!("{pointer}/{at}"));
        let items: Result<_, _> = items.iter().enumerate().map(read).collect();
        Ok(Self::List(items?))
    }

    fn encode(&self, wire: &mut Vec<u8>) {
        match self {
            Self::Null => wire.extend_from_slice(b"#\n"),
            Self::Whole(number) => push(wire, number),
            // Shortest form that reads back as the same number; `nan`, `inf` and `-inf` as C writes them.
            Self::Double(number) if number.is_nan() => wire.extend_from_slice(b"nan\n"),
            Self::Double(number) if number.is_infinite() => {
                wire.extend_from_slice(if *number > 0.0 { b"inf\n" } else { b"-inf\n" });
            }
            Self::Double(number) => push(wire, format_args!("{number:e}")),
            Self::Bool(value) => push(wire, u8::from(*value)),
            Self::Char(code) => push(wire, code),
            Self::Text(text) => {
                push(wire, text.len());
                wire.extend_from_slice(text.as_bytes());
                wire.push(b'\n');
            }
            Self::List(items) => {
                push(wire, items.len());
                for item in items {
                    item.encode(wire);
                }
            }
        }
    }

    /// As one line of JSON.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text);
        text.push('\n');
        text
    }

    fn write_json(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Whole(number) => drop(write!(text, "{number}")),
            Self::Double(number) if number.is_nan() => text.push_str("\"NaN\""),
            Self::Double(number) if number.is_infinite() => {
                text.push_str(if *number > 0.0 {
                    "\"Infinity\""
                } else {
                    "\"-Infinity\""
                });
            }
            Self::Double(number) => drop(write!(text, "{number:?}")),
            Self::Bool(value) => drop(write!(text, "{value}")),
            Self::Char(code) => {
                text.push_str(&Json::from(char::from(*code).to_string()).to_string());
            }
            Self::Text(string) => text.push_str(&Json::from(string.as_str()).to_string()),
            Self::List(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    item.write_json(text);
                }
                text.push(']');
            }
        }
    }

    fn same(&self, other: &Self, (abs, rel): (f64, f64)) -> bool {
        match (self, other) {
            (Self::Double(one), Self::Double(two)) => {
                let off = (one - two).abs();
                one.partial_cmp(two) == Some(Ordering::Equal)
                    || (one.is_nan() && two.is_nan())
                    || (one.is_finite() && (off <= abs || off <= rel * one.abs()))
            }
            (Self::List(one), Self::List(two)) => {
                one.len() == two.len()
                    && one
                        .iter()
                        .zip(two)
                        .all(|(one, two)| one.same(two, (abs, rel)))
            }
            _ => self == other,
        }
    }

    fn sorted(&self, depth: usize) -> Self {
        match self {
            Self::List(items) if depth > 0 => {
                let mut items: Vec<_> = items.iter().map(|item| item.sorted(depth - 1)).collect();
                items.sort_by(Self::order);
                Self::List(items)
            }
            other => other.clone(),
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        fn rank(value: &Value) -> u8 {
            match value {
                Value::Null => 0,
                Value::Whole(_) => 1,
                Value::Double(_) => 2,
                Value::Bool(_) => 3,
                Value::Char(_) => 4,
                Value::Text(_) => 5,
                Value::List(_) => 6,
            }
        }
        match (self, other) {
            (Self::Whole(one), Self::Whole(two)) => one.cmp(two),
            // Zeros are equal, whatever their sign.
            (Self::Double(one), Self::Double(two)) => (one + 0.0).total_cmp(&(two + 0.0)),
            (Self::Bool(one), Self::Bool(two)) => one.cmp(two),
            (Self::Char(one), Self::Char(two)) => one.cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::List(one), Self::List(two)) => {
                let pairs = one.iter().zip(two).map(|(one, two)| one.order(two));
                let differs = pairs.into_iter().find(|order| order.is_ne());
                differs.unwrap_or_else(|| one.len().cmp(&two.len()))
            }
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

fn trim(nodes: &mut Vec<Value>) {
    while nodes.last() == Some(&Value::Null) {
        nodes.pop();
    }
}

/// Whether each entry after the root is the child of a node that is there.
fn is_tree(nodes: &[Value]) -> bool {
    let mut places = 1_usize;
    for node in nodes {
        if places == 0 {
            return false;
        }
        places -= 1;
        if *node != Value::Null {
            places += 2;
        }
    }
    nodes.first() != Some(&Value::Null)
}

#[cfg(test)]
mod tests;

//! Reads the drivers' form. What a driver wrote is believed in nothing.

use super::{super::Type, Value, trim};

/// What is left of a driver's result.
pub(super) struct Wire<'a> {
    pub(super) bytes: &'a [u8],
}

impl<'a> Wire<'a> {
    pub(super) fn line(&mut self) -> Option<&'a str> {
        // No number is longer; a file without line feeds is not searched to its end for each token.
        let end = self
            .bytes
            .iter()
            .take(400)
            .position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(&self.bytes[..end]).ok()?;
        self.bytes = &self.bytes[end + 1..];
        Some(line)
    }

    pub(super) fn count(&mut self) -> Option<usize> {
        // Each item needs two bytes at least: a larger number is no count, and no memory is given for it.
        self.line()?
            .parse()
            .ok()
            .filter(|count| *count <= self.bytes.len())
    }

    pub(super) fn value(&mut self, kind: &Type) -> Option<Value> {
        Some(match kind {
            Type::Void => {
                (self.line()? == "#").then_some(())?;
                Value::Null
            }
            Type::Nullable(inner) => {
                if let Some(rest) = self.bytes.strip_prefix(b"#\n") {
                    self.bytes = rest;
                    Value::Null
                } else {
                    self.value(inner)?
                }
            }
            Type::Int => Value::Whole(self.line()?.parse::<i32>().ok()?.into()),
            Type::Long => Value::Whole(self.line()?.parse().ok()?),
            Type::Double => Value::Double(self.line()?.parse().ok()?),
            Type::Bool => match self.line()? {
                "0" => Value::Bool(false),
                "1" => Value::Bool(true),
                _ => return None,
            },
            Type::Char => Value::Char(self.line()?.parse().ok()?),
            Type::String => {
                let length = self.count()?;
                let text = self.bytes.get(..length)?;
                let rest = self.bytes[length..].strip_prefix(b"\n")?;
                self.bytes = rest;
                Value::Text(String::from_utf8_lossy(text).into_owned())
            }
            Type::ListNode => self.items(&Type::Int)?,
            Type::TreeNode => {
                let Value::List(mut nodes) = self.items(&Type::Nullable(Box::new(Type::Int)))?
                else {
                    return None;
                };
                trim(&mut nodes);
                Value::List(nodes)
            }
            Type::Array(item) => self.items(item)?,
        })
    }

    pub(super) fn items(&mut self, kind: &Type) -> Option<Value> {
        let count = self.count()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.value(kind)?);
        }
        Some(Value::List(items))
    }
}

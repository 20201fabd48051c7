//! Types of a signature and how they are written: `int`, `string[][]`, `int?[]`, `TreeNode`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, schema::Schema},
};

/// Deepest array.
const MAX_DEPTH: usize = 3;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Type {
    /// Nothing; only returned.
    Void,
    /// 32 bits, signed.
    Int,
    /// 64 bits, signed.
    Long,
    /// 64 bits of IEEE 754.
    Double,
    /// True or false.
    Bool,
    /// One ASCII character.
    Char,
    /// Unicode text.
    String,
    /// A singly linked list of `int`; in JSON an array, the empty one for none.
    ListNode,
    /// A binary tree of `int`; in JSON its nodes by level, `null` where a child is missing.
    TreeNode,
    /// Any number of values of one type.
    Array(Box<Type>),
    /// A value or none.
    Nullable(Box<Type>),
}

/// Why a text is no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTypeError {
    /// The word is unknown.
    #[error(
        "there is no type {0:?}; known are int, long, double, bool, char, string, ListNode, TreeNode and void, each but void with [] up to three times and ? behind it"
    )]
    Unknown(String),
    /// Too many `[]`.
    #[error("arrays are at most three deep")]
    TooDeep,
    /// `??`, or `?` behind a type that has a null already.
    #[error("it can be null already: one ? too many")]
    NullableTwice,
}

impl Type {
    /// What an array holds.
    pub fn item(&self) -> Option<&Self> {
        match self {
            Self::Array(item) => Some(item),
            _ => None,
        }
    }

    /// It without its `?`.
    pub fn present(&self) -> &Self {
        match self {
            Self::Nullable(inner) => inner,
            other => other,
        }
    }

    /// Whether it has a `?`.
    pub fn is_nullable(&self) -> bool {
        matches!(self, Self::Nullable(_))
    }

    /// How deep its arrays are, whatever may be null.
    pub fn depth(&self) -> usize {
        match self {
            Self::Array(item) => 1 + item.depth(),
            Self::Nullable(inner) => inner.depth(),
            _ => 0,
        }
    }

    pub(super) fn collect(&self, found: &mut Vec<Self>) {
        if let Self::Array(inner) | Self::Nullable(inner) = self {
            inner.collect(found);
        }
        if !found.contains(self) {
            found.push(self.clone());
        }
    }
}

impl FromStr for Type {
    type Err = ParseTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let end = text.find(['[', '?']).unwrap_or(text.len());
        let unknown = || ParseTypeError::Unknown(text.chars().take(40).collect());
        let mut kind = match &text[..end] {
            "void" if end == text.len() => Self::Void,
            "int" => Self::Int,
            "long" => Self::Long,
            "double" => Self::Double,
            "bool" => Self::Bool,
            "char" => Self::Char,
            "string" => Self::String,
            "ListNode" => Self::ListNode,
            "TreeNode" => Self::TreeNode,
            _ => return Err(unknown()),
        };
        let mut rest = &text[end..];
        let mut depth = 0;
        while !rest.is_empty() {
            if let Some(behind) = rest.strip_prefix("[]") {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(ParseTypeError::TooDeep);
                }
                (kind, rest) = (Self::Array(Box::new(kind)), behind);
            } else if let Some(behind) = rest.strip_prefix('?') {
                if matches!(kind, Self::Nullable(_) | Self::ListNode | Self::TreeNode) {
                    return Err(ParseTypeError::NullableTwice);
                }
                (kind, rest) = (Self::Nullable(Box::new(kind)), behind);
            } else {
                return Err(unknown());
            }
        }
        Ok(kind)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Void => f.write_str("void"),
            Self::Int => f.write_str("int"),
            Self::Long => f.write_str("long"),
            Self::Double => f.write_str("double"),
            Self::Bool => f.write_str("bool"),
            Self::Char => f.write_str("char"),
            Self::String => f.write_str("string"),
            Self::ListNode => f.write_str("ListNode"),
            Self::TreeNode => f.write_str("TreeNode"),
            Self::Array(item) => write!(f, "{item}[]"),
            Self::Nullable(inner) => write!(f, "{inner}?"),
        }
    }
}

impl TryFrom<String> for Type {
    type Error = ParseTypeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Type> for String {
    fn from(kind: Type) -> Self {
        kind.to_string()
    }
}

impl PartialSchema for Type {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(
                "`int`, `long`, `double`, `bool`, `char`, `string`, `ListNode` or `TreeNode`, with `[]` behind it up to three times and `?` where it may be null; `void` where nothing is returned",
            ))
            .pattern(Some(
                r"^(void|((int|long|double|bool|char|string)\??|ListNode|TreeNode)(\[\]\??){0,3})$",
            ))
            .examples(["int[]"])
            .into()
    }
}

impl ToSchema for Type {
    fn name() -> std::borrow::Cow<'static, str> {
        "SignatureType".into()
    }
}

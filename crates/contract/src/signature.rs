//! The typed signature of a function question: what is called, with what, and how its answer is compared.
//!
//! One signature gives the starter and the driver of every language (question does that), and tells the runner how a test's
//! JSON becomes the driver's input and the driver's result becomes JSON again ([`value`]). Pure; never knows a language's code.

mod check;
mod types;
pub mod value;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use check::SignatureFault;
pub use types::{ParseTypeError, Type};

/// What a learner's function or class looks like, in no language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Always 1.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 1)]
    pub version: u8,
    /// A function, or a class with methods.
    #[serde(default)]
    pub kind: SignatureKind,
    /// The function's name in `lowerCamel`, the class's in `UpperCamel`; each language gets its own case of it.
    #[schema(example = "pairSum")]
    pub name: String,
    /// The function's parameters, 1 to 20; the constructor's, 0 to 20.
    #[serde(default)]
    pub params: Vec<Param>,
    /// What the function returns: a type, or `void` where a parameter is changed in place. Not for classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "int[]")]
    pub returns: Option<Type>,
    /// The parameter that is judged after the call, of a function that returns `void`.
    #[serde(default, alias = "inPlace", skip_serializing_if = "Option::is_none")]
    pub in_place: Option<String>,
    /// The class's methods, 1 to 40.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<Method>,
    /// How an answer is compared with the expected one.
    #[serde(default)]
    pub compare: Compare,
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignatureKind {
    /// One function, once a test.
    #[default]
    Function,
    /// A constructor, and then any number of its methods. A test's input is two lines, the names and the arguments:
    /// `["Counter","add","total"]` and `[[10],[5],[]]`; its output one: `[null,null,15]`.
    Class,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// In `lowerCamel`.
    #[schema(example = "nums")]
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub of: Type,
}

/// A method of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// In `lowerCamel`.
    pub name: String,
    /// Its parameters, 0 to 20.
    #[serde(default)]
    pub params: Vec<Param>,
    /// A type, or `void`.
    #[serde(default = "void")]
    pub returns: Type,
}

/// How an answer is compared with the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Compare {
    /// Equal values.
    #[default]
    Exact,
    /// The outermost array in any order.
    Unordered,
    /// Every array in any order.
    UnorderedDeep,
    /// Equal, but numbers of type `double` may be off by either tolerance.
    Float {
        /// Largest absolute difference.
        #[serde(default = "tolerance")]
        abs: f64,
        /// Largest difference as a share of the expected value.
        #[serde(default = "tolerance")]
        rel: f64,
    },
    /// Equal to one of the values that the expected output lists, one JSON value a line.
    OneOf,
    /// The question's `checker` looks at the JSON text, also when it is a program.
    #[serde(alias = "checker")]
    Program,
}

impl Signature {
    /// The type of what is judged of a function.
    pub fn judged(&self) -> Type {
        let changed = self.in_place.as_deref();
        changed
            .and_then(|name| self.params.iter().find(|param| param.name == name))
            .map(|param| param.of.clone())
            .or_else(|| self.returns.clone())
            .unwrap_or(Type::Void)
    }

    /// All types that occur in it, each once, inner ones before those that they are part of.
    pub fn types(&self) -> Vec<Type> {
        let mut found = Vec::new();
        let own = self.params.iter().map(|param| &param.of);
        let methods = self.methods.iter();
        let of_methods = methods.flat_map(|method| {
            let params = method.params.iter().map(|param| &param.of);
            params.chain([&method.returns])
        });
        for kind in own.chain(self.returns.iter()).chain(of_methods) {
            kind.collect(&mut found);
        }
        found
    }

    /// Whether any of its types is, or is made of, this one.
    pub fn uses(&self, kind: &Type) -> bool {
        self.types().contains(kind)
    }
}

fn one() -> u8 {
    1
}

fn void() -> Type {
    Type::Void
}

fn tolerance() -> f64 {
    1e-6
}

//! What a signature must be like, so that every language can say it.

use std::collections::HashSet;

use super::{Compare, Param, Signature, SignatureKind, Type};

const MAX_PARAMS: usize = 20;
const MAX_METHODS: usize = 40;
const MAX_NAME: usize = 64;

/// Words that some language keeps for itself, in lower case, and names that our drivers or its usual library use.
const RESERVED: &str = " abstract and any arguments array as asm assert async auto await become begin bool boolean box break byte case catch chan char class cm codementor complex concept const constexpr constructor continue crate debugger declare def default defer del delete do double dyn elif else end enum errno eval except explicit export extends extern fallthrough false final finally fixed float fn for friend from fun func function get global go goto if impl implements import in init inline inner instanceof int interface is it lambda len let list listnode long loop main map match mod module move mut mutable namespace native new nil none nonlocal noexcept not null nullptr number object of operator optional or out override package pass panic print private process protected public pub raise range rec ref register reinterpret_cast require restrict result return self set short signed sizeof solution static std str strictfp string struct super switch synchronized template this throw throws trait transient treenode true try tuple type typealias typedef typeid typename typeof undefined union unsafe unsigned unsized use using val var vec virtual void volatile when where while with xor yield exports global globalthis nan infinity min max abs exit abort read write time random rand free malloc puts printf stdin stdout stderr append copy make new error index y0 y1 yn j0 j1 jn gamma signal remove rename link div remainder hash id iter next prev data size count distance swap sort find pow exp log log2 log10 sqrt sin cos tan floor ceil round trunc hypot accept bind connect listen select send recv open close kill fork wait pipe pause sleep usleep truncate access ";

/// Of these, usual names of parameters: they hide nothing that a driver needs.
const FINE_FOR_PARAMS: &str = " index min max count size data next prev id time hash distance y0 y1 j0 j1 yn jn gamma signal link remainder list log exp accept random rand len map print sort find swap ";

/// One thing that is wrong with a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFault {
    /// Where, as a JSON pointer into the signature.
    pub pointer: String,
    /// A stable word for programs.
    pub code: &'static str,
    /// What to do, for people.
    pub message: String,
}

impl Signature {
    /// All that is wrong with it.
    pub fn faults(&self) -> Vec<SignatureFault> {
        let mut faults = Vec::new();
        let mut fault = |pointer: String, code: &'static str, message: String| {
            faults.push(SignatureFault {
                pointer,
                code,
                message,
            });
        };
        if self.version != 1 {
            fault("/version".into(), "range", "allowed: 1".into());
        }
        let is_class = self.kind == SignatureKind::Class;
        if let Some(why) = wrong_name(&self.name, is_class) {
            fault("/name".into(), "name", why);
        }
        check_params("", &self.params, !is_class, &mut fault);
        if is_class {
            self.check_class(&mut fault);
        } else {
            self.check_function(&mut fault);
        }
        if let Compare::Float { abs, rel } = self.compare
            && !(abs >= 0.0 && abs.is_finite() && rel >= 0.0 && rel.is_finite())
        {
            fault(
                "/compare".into(),
                "range",
                "tolerances are 0 or more".into(),
            );
        }
        faults
    }

    fn check_function(&self, fault: &mut impl FnMut(String, &'static str, String)) {
        if !self.methods.is_empty() {
            fault(
                "/methods".into(),
                "not-allowed",
                "only a class has methods".into(),
            );
        }
        match (&self.returns, &self.in_place) {
            (None, _) => fault(
                "/returns".into(),
                "missing-field",
                "a type, or void where a parameter is changed in place".into(),
            ),
            (Some(Type::Void), None) => fault(
                "/in_place".into(),
                "missing-field",
                "a function that returns nothing names the parameter that it changes".into(),
            ),
            (Some(Type::Void), Some(name)) => {
                let changed = self.params.iter().find(|param| param.name == *name);
                match changed.map(|param| &param.of) {
                    None => fault(
                        "/in_place".into(),
                        "unknown",
                        "there is no such parameter".into(),
                    ),
                    Some(Type::Array(_) | Type::ListNode | Type::TreeNode) => {}
                    Some(_) => fault(
                        "/in_place".into(),
                        "type",
                        "only an array, a list or a tree can be changed in place".into(),
                    ),
                }
            }
            (Some(_), Some(_)) => fault(
                "/in_place".into(),
                "not-allowed",
                "what returns a value is judged by it; return void instead".into(),
            ),
            (Some(_), None) => {}
        }
    }

    fn check_class(&self, fault: &mut impl FnMut(String, &'static str, String)) {
        if self.returns.is_some() {
            fault(
                "/returns".into(),
                "not-allowed",
                "a class returns nothing; its methods do".into(),
            );
        }
        if self.in_place.is_some() {
            fault(
                "/in_place".into(),
                "not-allowed",
                "only a function changes a parameter in place".into(),
            );
        }
        if self.methods.is_empty() || self.methods.len() > MAX_METHODS {
            fault(
                "/methods".into(),
                "count",
                "a class has 1 to 40 methods".into(),
            );
        }
        let mut names = HashSet::new();
        for (index, method) in self.methods.iter().enumerate() {
            let place = format!("/methods/{index}");
            if let Some(why) = wrong_name(&method.name, false) {
                fault(format!("{place}/name"), "name", why);
            } else if !names.insert(method.name.to_ascii_lowercase()) {
                fault(
                    format!("{place}/name"),
                    "duplicate",
                    "this name is there already".into(),
                );
            }
            check_params(&place, &method.params, false, fault);
        }
    }
}

fn check_params(
    place: &str,
    params: &[Param],
    needs_one: bool,
    fault: &mut impl FnMut(String, &'static str, String),
) {
    if params.len() > MAX_PARAMS || (needs_one && params.is_empty()) {
        let allowed = if needs_one { "1 to 20" } else { "0 to 20" };
        fault(
            format!("{place}/params"),
            "count",
            format!("allowed: {allowed} parameters"),
        );
    }
    let mut names = HashSet::new();
    for (index, param) in params.iter().enumerate() {
        let pointer = format!("{place}/params/{index}");
        let fine = FINE_FOR_PARAMS.contains(&format!(" {} ", param.name));
        if let Some(why) = wrong_name(&param.name, false).filter(|_| !fine) {
            fault(format!("{pointer}/name"), "name", why);
        } else if !names.insert(param.name.to_ascii_lowercase()) {
            fault(
                format!("{pointer}/name"),
                "duplicate",
                "this name is there already".into(),
            );
        }
        if param.of == Type::Void {
            fault(
                format!("{pointer}/type"),
                "type",
                "void is no type of a parameter".into(),
            );
        }
    }
}

fn wrong_name(name: &str, upper: bool) -> Option<String> {
    let first = name.bytes().next();
    let starts = first.is_some_and(|byte| {
        if upper {
            byte.is_ascii_uppercase()
        } else {
            byte.is_ascii_lowercase()
        }
    });
    if !starts || name.len() > MAX_NAME || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let case = if upper { "upper" } else { "lower" };
        return Some(format!(
            "1 to 64 of A-Z a-z 0-9, the first a letter in {case} case, so that every language can have it"
        ));
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED.contains(&format!(" {lower} ")) || lower.starts_with("codementor") {
        return Some(format!(
            "{name} is a word of its own in some language or its library; take another"
        ));
    }
    None
}

//! There and back, and what is refused.

use super::*;

fn signature(params: &str, returns: &str) -> Signature {
    let params: Vec<_> = params
        .split(' ')
        .enumerate()
        .map(|(at, kind)| serde_json::json!({"name": format!("a{at}"), "type": kind}))
        .collect();
    let value = serde_json::json!({"name": "f", "params": params, "returns": returns});
    serde_json::from_value(value).expect("a signature")
}

#[test]
fn a_test_becomes_tokens_and_a_result_becomes_json() {
    let f = signature("int string[] TreeNode double?", "string[]?");
    let calls = f
        .parse_input("-5\n[\"가\", \"a\\nb\"]\n[1,null,2,null]\nnull\n")
        .expect("it fits");
    let wire = f.driver_input(&calls);
    assert_eq!(
        String::from_utf8(wire).expect("text"),
        "-5\n2\n3\n가\n3\na\nb\n3\n1\n#\n2\n#\n"
    );
    let value = f.driver_result("2\n1\n\"\n3\n가\n".as_bytes(), &calls);
    assert_eq!(value.expect("a result").to_json(), "[\"\\\"\",\"가\"]\n");
    for broken in [
        "",
        "2\n1\na\n",
        "1\n9999999999\na\n",
        "1\n1\na\nx",
        "-1\n",
        "#",
    ] {
        assert_eq!(
            f.driver_result(broken.as_bytes(), &calls),
            None,
            "{broken:?}"
        );
    }
}

#[test]
fn what_does_not_fit_is_named_by_its_place() {
    let f = signature("int int[][]", "int");
    let why = |text: &str| {
        f.parse_input(text)
            .expect_err("it does not fit")
            .to_string()
    };
    assert!(why("1\n").starts_with("value 2: 2 JSON values"));
    assert!(why("1\n[[1],[2147483648]]").starts_with("value 2/1/0: a whole number"));
    assert!(why("1.5\n[]").starts_with("value 1: a whole number"));
    assert!(why("1\n[").contains("not JSON"));
    let tree = signature("TreeNode", "int");
    assert!(tree.parse_input("[null,1]").is_err());
    assert!(tree.parse_input("[1,null,null,2]").is_err());
}

#[test]
fn a_class_is_called_method_by_method() {
    let value = serde_json::json!({"kind": "class", "name": "Counter", "params": [{"name": "start", "type": "int"}],
        "methods": [{"name": "add", "params": [{"name": "by", "type": "int"}]}, {"name": "total", "returns": "long"}]});
    let class: Signature = serde_json::from_value(value).expect("a signature");
    assert_eq!(class.faults(), []);
    let calls = class
        .parse_input("[\"Counter\",\"add\",\"total\"]\n[[10],[5],[]]\n")
        .expect("it fits");
    assert_eq!(class.driver_input(&calls), b"3\n0\n10\n1\n5\n2\n");
    let result = class
        .driver_result(b"#\n#\n15\n", &calls)
        .expect("a result");
    assert_eq!(result.to_json(), "[null,null,15]\n");
    let expected = class
        .parse_output("[null, null, 15]", &calls)
        .expect("it fits");
    assert!(class.accepts(&expected, &result));
    assert!(
        class
            .parse_input("[\"Counter\",\"sub\"]\n[[1],[2]]")
            .is_err()
    );
}

#[test]
fn each_way_to_compare_accepts_what_it_says() {
    let mut f = signature("int", "double[][]");
    let calls = f.parse_input("1").expect("it fits");
    let mut accepts = |compare: Compare, expected: &str, answer: &str| {
        f.compare = compare;
        let expected = f.parse_output(expected, &calls).expect("it fits");
        let answer = Signature {
            compare: Compare::Exact,
            ..f.clone()
        }
        .parse_output(answer, &calls)
        .expect("it fits");
        f.accepts(&expected, &answer[0])
    };
    assert!(accepts(Compare::Exact, "[[1.0],[2]]", "[[1],[2.0]]"));
    assert!(!accepts(Compare::Exact, "[[1],[2]]", "[[2],[1]]"));
    assert!(accepts(Compare::Unordered, "[[1,2],[3]]", "[[3],[1,2]]"));
    assert!(!accepts(Compare::Unordered, "[[1,2],[3]]", "[[3],[2,1]]"));
    assert!(accepts(
        Compare::UnorderedDeep,
        "[[1,2],[3]]",
        "[[3],[2,1]]"
    ));
    assert!(!accepts(
        Compare::UnorderedDeep,
        "[[1,2],[3]]",
        "[[3],[2,2]]"
    ));
    let near = Compare::Float { abs: 0.1, rel: 0.0 };
    assert!(accepts(near, "[[1]]", "[[1.05]]"));
    assert!(!accepts(near, "[[1]]", "[[1.2]]"));
    assert!(accepts(Compare::OneOf, "[[1]]\n[[2]]\n", "[[2]]"));
    assert!(!accepts(Compare::OneOf, "[[1]]\n[[2]]\n", "[[3]]"));
}

#[test]
fn names_that_some_language_keeps_and_wrong_counts_are_refused() {
    let codes = |value: Json| -> Vec<String> {
        let signature: Signature = serde_json::from_value(value).expect("its shape is right");
        signature
            .faults()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect()
    };
    let many: Vec<_> = (0..40)
        .map(|at| serde_json::json!({"name": format!("a{at}"), "type": "int"}))
        .collect();
    assert_eq!(
        codes(
            serde_json::json!({"name": "yield", "params": [{"name": "lambda", "type": "int"}], "returns": "int"})
        ),
        ["/name", "/params/0/name"]
    );
    assert_eq!(
        codes(serde_json::json!({"name": "더하기", "params": [], "returns": "int"})),
        ["/name", "/params"]
    );
    assert_eq!(
        codes(serde_json::json!({"name": "f", "params": many, "returns": "int"})),
        ["/params"]
    );
    assert_eq!(
        codes(
            serde_json::json!({"name": "f", "params": [{"name": "a", "type": "int"}], "returns": "void", "in_place": "a"})
        ),
        ["/in_place"]
    );
}

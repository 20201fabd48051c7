//! What is written is always the same, and reads back.

use std::io::Read;

use package::Limits;
use proptest::prelude::*;

use crate::support::{unzip, zip};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_files_read_back_and_are_written_the_same(texts in prop::collection::btree_map("(f[a-z]{0,8}|d[a-z]{0,8}/[a-z]{1,8})", ".{0,200}", 1..12)) {
        let texts: Vec<_> = texts.iter().map(|(name, text)| (format!("in/{name}"), text.as_str())).collect();
        let mut borrowed: Vec<_> = texts.iter().map(|(name, text)| (name.as_str(), *text)).collect();
        borrowed.push(("problem.yaml", "name: x"));
        let bytes = zip(&borrowed);
        borrowed.reverse();
        prop_assert_eq!(&bytes, &zip(&borrowed));
        let files = unzip(&bytes, Limits::default()).expect("is a zip");
        for (name, text) in &borrowed {
            let mut read = String::new();
            files.file(name).expect("is there").read_to_string(&mut read).expect("reads");
            prop_assert_eq!(&read, text);
        }
    }
}

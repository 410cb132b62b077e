//! What imports take is measured once for each version of a distribution, whatever program asks first.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{Home, skip};

/// Seconds and samples of every module on record.
fn costs(home: &Home) -> BTreeMap<String, (f64, u32)> {
    let connection = rusqlite::Connection::open(home.database()).unwrap();
    let mut statement = connection.prepare("SELECT module, seconds, samples FROM module_costs").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_second_function_imports_only_what_the_first_did_not() {
    let home = Home::new();
    if home.any("python3", ["--version"]).output().is_err() {
        return skip("imports::a_second_function_imports_only_what_the_first_did_not", "there is no python3");
    }
    home.write("one/handler.py", "import decimal\n\ndef handler(event, context):\n    return 1\n");
    home.write("two/handler.py", "import decimal\nimport fractions\n\ndef handler(event, context):\n    return 2\n");
    home.write("three/handler.py", "import fractions, decimal\n\ndef handler(event, context):\n    return 3\n");
    let first = home.json(&["emulate", "one/handler.py", "--handler", "handler"]);
    assert!(first.pointer("/python/init/import_seconds/expected").is_some_and(|seconds| seconds.as_f64() > Some(0.0)));
    let one = costs(&home);
    assert!(one.contains_key("decimal") && !one.contains_key("fractions"), "{:?}", one.keys());
    home.json(&["emulate", "two/handler.py", "--handler", "handler"]);
    let two = costs(&home);
    assert!(two.contains_key("fractions"), "{:?}", two.keys());
    assert_eq!(two["decimal"], one["decimal"], "what is known is not measured again, bit by bit");
    let third = home.json(&["emulate", "three/handler.py", "--handler", "handler"]);
    assert_eq!(costs(&home), two, "nothing was left to import");
    let seconds = |document: &serde_json::Value| {
        document.pointer("/python/init/import_seconds/expected").and_then(serde_json::Value::as_f64).unwrap()
    };
    assert!(seconds(&third) > seconds(&first), "and what both take is in the figures of the third");
    // Another version of the interpreter's library is other code.
    let connection = rusqlite::Connection::open(home.database()).unwrap();
    connection.execute("UPDATE module_costs SET distribution = 'other 1.0' WHERE module = 'decimal'", []).unwrap();
    home.json(&["emulate", "three/handler.py", "--handler", "handler"]);
    assert_ne!(costs(&home)["decimal"].0.to_bits(), two["decimal"].0.to_bits());
}

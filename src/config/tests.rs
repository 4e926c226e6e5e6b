//! The configuration from outside.

use std::ffi::OsString;
use std::path::Path;

use super::*;
use crate::world::BallSet;

fn with(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(None, environment(variables))
}

fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let pair = |(name, value): &(&str, &str)| (OsString::from(name), OsString::from(value));
    variables.iter().map(pair).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

/// What is wrong with a file, without its name.
fn complaint(text: &str) -> String {
    let file = file(text);
    let error = Config::load(Some(file.path()), []).unwrap_err().to_string();
    error.replace(&format!("{}, ", file.path().display()), "")
}

#[test]
fn the_reference_configuration_is_what_the_keys_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/ghostball.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text == reference::reference(),
        "out of date: cargo run -- config reference > assets/ghostball.toml\n{}",
        reference::reference()
    );
    // And what it says is the default, of every key.
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table, toml::Table::try_from(Config::default()).unwrap());
    assert_eq!(Config::load(Some(&path), []).unwrap(), Config::default());
}

#[test]
fn every_key_says_what_it_is_for_and_keeps_to_its_own_range() {
    for key in keys() {
        assert!(key.doc.concat().len() > 20, "{}", key.name);
        assert_eq!(
            key.accept(key.default.clone()),
            Ok(key.default.clone()),
            "{}",
            key.name
        );
        let is_number = matches!(key.kind, Kind::Integer | Kind::Number);
        assert!(!is_number || key.range.is_some(), "{} has no range", key.name);
    }
}

#[test]
fn the_stronger_layer_wins_and_each_value_knows_where_it_came_from() {
    let file = file("[api.server]\nport = 1\n[table]\nlength = 2\nwidth = 1.0\n");
    let option = Setting {
        key: "api.server.port".to_owned(),
        value: 3.into(),
        origin: Origin::CommandLine("--listen"),
    };
    let variables = environment(&[
        ("GHOSTBALL_API__SERVER__PORT", "2"),
        ("GHOSTBALL_TABLE__LENGTH", "2.2"),
    ]);
    let all = Effective::load(Some(file.path()), variables, vec![option]).unwrap();
    let of = |key: &str| (all.values()[key].to_string(), all.origins[key].to_string());
    assert_eq!(
        of("api.server.port"),
        ("3".into(), "command line --listen".into())
    );
    assert_eq!(
        of("table.length"),
        (
            "2.2".into(),
            "environment variable GHOSTBALL_TABLE__LENGTH".into()
        )
    );
    assert_eq!(
        of("table.width"),
        ("1.0".into(), format!("{}, line 5", file.path().display()))
    );
    assert_eq!(of("table.ball_set"), ("\"auto\"".into(), "default".into()));
}

#[test]
fn what_is_shown_can_be_read_again() {
    let all = Effective::load(
        None,
        environment(&[("GHOSTBALL_TABLE__BALL_SET", "snooker")]),
        vec![],
    )
    .unwrap();
    let shown = file(&reference::effective(&all));
    let again = Config::load(Some(shown.path()), []).unwrap();
    assert_eq!((again.table.ball_set, again), (BallSet::Snooker, all.config));
}

#[test]
fn a_mistake_is_told_with_its_place_what_was_expected_and_the_nearest_key() {
    for (text, told) in [
        (
            "[table]\nlength = 2.54\nwidht = 1.27\n",
            "line 3: there is no configuration key table.widht; the nearest is table.width",
        ),
        (
            "[api]\n[api.sever]\nport = 1\n",
            "line 2: there is no configuration key api.sever; the nearest is api.server",
        ),
        (
            "port = 1\n",
            "line 1: there is no configuration key port; the nearest is api.server.port",
        ),
        (
            "[table]\n\nlength = 25.4",
            "line 3: configuration key table.length: expected 0.3 to 10 metres, found 25.4",
        ),
        (
            "[table]\nball_radius = 0.001",
            "line 2: configuration key table.ball_radius: expected 0 or 0.01 to 0.1 metres, found 0.001",
        ),
        (
            "[table]\nlength = \"long\"",
            "line 2: configuration key table.length: expected 0.3 to 10 metres, found \"long\"",
        ),
        (
            "[table]\nball_set = \"poker\"",
            "line 2: configuration key table.ball_set: expected one of \"auto\", \"american_pool\", \"tv_pool\", \
             \"snooker\", \"carom\", found \"poker\"",
        ),
        (
            "[api.server]\nhost = \"home\"",
            "line 2: configuration key api.server.host: expected an IP address, found \"home\"",
        ),
        (
            "[api.server]\nport = 8000.5",
            "line 2: configuration key api.server.port: expected 0 to 65535, found 8000.5",
        ),
        (
            "table = 7",
            "line 1: configuration key table: expected a section with keys, found 7",
        ),
        (
            "[table]\nlength = 1.0\nwidth = 1.27",
            "line 3: configuration key table.width: expected at most table.length, 1 metres, found 1.27",
        ),
    ] {
        assert_eq!(complaint(text), told);
    }
    assert!(complaint("[table]\nlength = \n").starts_with("line 2: expected TOML: "));
    assert!(complaint("[table]\nlength = 1.0\nlength = 1.0").contains("duplicate key"));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let told = complaint("a = 1\nb = 2\n");
    assert!(told.contains("line 1: ") && told.contains("; line 2: "), "{told}");
}

#[test]
fn variables_are_checked_like_the_file() {
    let config = with(&[
        ("GHOSTBALL_API__SERVER__PORT", "9000"),
        ("GHOSTBALL_API__SERVER__HOST", "::1"),
        ("GHOSTBALL_TABLE__BALL_SET", "snooker"),
    ])
    .unwrap();
    assert_eq!(
        (config.api.server.port, config.table.ball_set),
        (9000, BallSet::Snooker)
    );
    for (name, value, told) in [
        (
            "GHOSTBALL_API__SERVER__PROT",
            "9000",
            "environment variable GHOSTBALL_API__SERVER__PROT: there is no configuration key api.server.prot; the nearest \
             is api.server.port",
        ),
        (
            "GHOSTBALL_TABLE__LENGTH",
            "nan",
            "environment variable GHOSTBALL_TABLE__LENGTH: configuration key table.length: expected 0.3 to 10 metres, found \
             nan",
        ),
        (
            "GHOSTBALL_API__SERVER__PORT",
            "many",
            "environment variable GHOSTBALL_API__SERVER__PORT: configuration key api.server.port: expected 0 to 65535, \
             found \"many\"",
        ),
    ] {
        assert_eq!(with(&[(name, value)]).unwrap_err().to_string(), told);
    }
    assert!(with(&[("GHOSTBALL_NO__SUCH", "1")]).is_err());
}

#[test]
fn the_schema_knows_every_key() {
    let schema = reference::schema();
    for key in keys() {
        let pointer = key
            .name
            .split('.')
            .map(|name| format!("/properties/{name}"))
            .collect::<String>();
        let found = schema.pointer(&pointer).unwrap_or_else(|| panic!("{}", key.name));
        assert_eq!(found["default"], serde_json::to_value(&key.default).unwrap());
    }
}

//! TOML text and `key=value` overrides → a checked [`Config`].
//! In: a config file, and what the command line lays over it. Out: a config, or the key that was refused.

use std::path::Path;

use toml::{Table, Value};

use super::Config;
use crate::error::TrainError;

impl Config {
    /// Reads a config file and lays `key=value` overrides over it.
    ///
    /// # Errors
    /// [`TrainError::Config`] naming the file, the key, what was expected and what was found;
    /// [`TrainError::Unreadable`].
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, TrainError> {
        let refuse = |reason: String| TrainError::Config { path: path.to_owned(), reason };
        let unread = |source| TrainError::Unreadable { path: path.to_owned(), source };
        let text = fer_base::regular::read_to_string(path).map_err(unread)?;
        Self::parse(&text, overrides).map_err(refuse)
    }

    /// Parses a config text and lays `key=value` overrides over it; the error is a sentence.
    ///
    /// # Errors
    /// A sentence naming the key, what was expected and what was found.
    pub fn parse(text: &str, overrides: &[String]) -> Result<Self, String> {
        let mut table: Table = toml::from_str(text).map_err(|cause| cause.to_string())?;
        for line in overrides {
            set(&mut table, line)?;
        }
        from_table(table).map_err(|reason| with_origin(reason, overrides))
    }
}

fn from_table(table: Table) -> Result<Config, String> {
    let known = Table::try_from(Config::default()).expect("the default config is a table");
    check_keys(&table, &known, "")?;
    let config: Config = serde_path_to_error::deserialize(Value::Table(table)).map_err(|cause| {
        let reason = cause.inner().message().replace("unknown variant", "unknown choice");
        format!("{}: {reason}", cause.path())
    })?;
    config.validate()?;
    Ok(config)
}

/// Says so where the refused key was given on the command line: the file then is not to blame.
fn with_origin(reason: String, overrides: &[String]) -> String {
    let is_about = |line: &String| {
        let key = line.split('=').next().unwrap_or_default().trim();
        let rest = reason.strip_prefix("unknown key ").unwrap_or(&reason).strip_prefix(key);
        rest.is_some_and(|rest| rest.starts_with([':', ' ']))
    };
    if overrides.iter().any(is_about) { reason + " (given on the command line)" } else { reason }
}

/// Lays one `table.key=value` over a config; the value is TOML, or a bare word as a string.
fn set(table: &mut Table, line: &str) -> Result<(), String> {
    let expected = || format!("--set {line}: expected table.key=value");
    let (key, value) = line.split_once('=').ok_or_else(expected)?;
    let (section, name) = key.trim().split_once('.').ok_or_else(expected)?;
    let value = value.trim();
    let parsed: Result<Table, _> = toml::from_str(&format!("v = {value}"));
    let value = parsed
        .ok()
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| Value::String(value.to_owned()));
    let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(section) = section else {
        return Err(format!("--set {line}: {key} is not in a table"));
    };
    section.insert(name.to_owned(), value);
    Ok(())
}

/// Refuses the first key that the default config does not have, with the nearest one that it has, and
/// the first value of another kind than the default's.
fn check_keys(table: &Table, known: &Table, prefix: &str) -> Result<(), String> {
    for (key, value) in table {
        let Some(expected) = known.get(key) else {
            return Err(unknown_key(key, known, prefix));
        };
        match (value, expected) {
            (Value::Table(inner), Value::Table(known)) => {
                check_keys(inner, known, &format!("{prefix}{key}."))?;
            }
            _ if fits(value, expected) => {}
            _ => return Err(format!("{prefix}{key}: expected {}, found {value}", kind(expected))),
        }
    }
    Ok(())
}

/// Whether a value is of the kind of a default; where that is fractional, a whole number will do.
fn fits(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Integer(n), Value::Integer(_)) => *n >= 0,
        (Value::Integer(_), Value::Float(_)) => true,
        // Lists that are empty by default may have any length; serde refuses items of another kind.
        (Value::Array(_), Value::Array(expected)) if expected.is_empty() => true,
        (Value::Array(values), Value::Array(expected)) => {
            values.len() == expected.len() && values.iter().zip(expected).all(|(v, e)| fits(v, e))
        }
        _ => value.same_type(expected),
    }
}

fn kind(expected: &Value) -> String {
    match expected {
        Value::Integer(_) => "a whole number from 0".to_owned(),
        Value::Float(_) => "a number".to_owned(),
        Value::Boolean(_) => "true or false".to_owned(),
        Value::Array(values) if values.is_empty() => "a list".to_owned(),
        Value::Array(values) => format!("a list of {} numbers", values.len()),
        Value::Table(_) => "a table".to_owned(),
        Value::String(_) | Value::Datetime(_) => "text".to_owned(),
    }
}

fn unknown_key(key: &str, known: &Table, prefix: &str) -> String {
    let nearest = known
        .keys()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((likeness, candidate)) if likeness > 0.7 => {
            format!("unknown key {prefix}{key}: did you mean {prefix}{candidate}?")
        }
        _ => {
            let names: Vec<_> = known.keys().map(String::as_str).collect();
            format!("unknown key {prefix}{key}: expected one of {}", names.join(", "))
        }
    }
}

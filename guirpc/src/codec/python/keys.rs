//! Keys of objects: in JSON all are texts, in a pickle they may be numbers.

use std::collections::HashMap;

use super::value::Value;

/// The entries with every text as key once: where it stood first, with the value that came last, as in Python.
pub(super) fn unique(entries: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    let mut unique: Vec<(Value, Value)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        if let Value::Str(text) = &key {
            if let Some(place) = places.get(text) {
                unique[*place].1 = value;
                continue;
            }
            places.insert(text.clone(), unique.len());
        }
        unique.push((key, value));
    }
    unique
}

/// A key as `json.dumps` writes it.
pub(super) fn written(key: &Value) -> Result<String, String> {
    Ok(match key {
        Value::None => "null".to_owned(),
        Value::Bool(true) => "true".to_owned(),
        Value::Bool(false) => "false".to_owned(),
        Value::Int(_) | Value::Huge(_) | Value::Float(_) | Value::Str(_) => super::text::write(key)?,
        Value::Bytes(_) | Value::List(_) | Value::Dict(_) => {
            return Err(format!("keys must be str, int, float, bool or None, not {}", key.type_name()));
        }
    })
}

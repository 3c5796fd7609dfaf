//! The system queries, as far as the CLI and an operator use them. Answers are in the encoded form.

use serde_json::{Value, json};

use super::Deployment;
use crate::{
    snapshots::records::{Export, Import},
    steering::Fault,
    store::state::State,
    values::integer_of,
};

/// What a query without a name after the colon means.
const DEFAULT: &str = ":default";

/// Answers the system query at `path`.
///
/// # Errors
/// What a failed function says.
pub fn answer(deployment: &Deployment, path: &str, arguments: &Value) -> Result<Value, String> {
    let untold = deployment.steering.has(Fault::TablesUntold);
    deployment.store.read(|state| match path.strip_suffix(DEFAULT).unwrap_or(path) {
        "_system/cli/tables" if !untold => tables(state, arguments),
        "_system/cli/tableSize" => Ok(table_size(state, arguments)),
        "_system/cli/modules:apiSpec" => Ok(json!(state.functions)),
        "_system/frontend/deploymentState:deploymentState" => Ok(deployment_state(state)),
        "_system/cli/exports:getLatest" => {
            Ok(state.exports.last().map_or(Value::Null, Export::document))
        }
        "_system/cli/queryImport" => Ok(import(state, arguments)),
        "_system/cli/queryImport:list" if deployment.steering.has(Fault::ImportsUntold) => {
            Err("Function execution timed out (maximum duration: 1s)".to_owned())
        }
        "_system/cli/queryImport:list" => {
            Ok(state.imports.iter().rev().map(Import::document).collect())
        }
        "_system/cli/queryEnvironmentVariables" => {
            Ok(state.variables.iter().map(|(name, value)| variable(state, name, value)).collect())
        }
        "_system/cli/queryEnvironmentVariables:get" => {
            let name = arguments["name"].as_str().unwrap_or_default();
            let found = state.variables.get(name);
            Ok(found.map_or(Value::Null, |value| variable(state, name, value)))
        }
        _ => Err(format!("Could not find function for '{path}'.")),
    })
}

/// Tables of users, a page at a time; the cursor is the name of the last one.
fn tables(state: &State, arguments: &Value) -> Result<Value, String> {
    let options = &arguments["paginationOpts"];
    let count = number(&options["numItems"]).ok_or("ArgumentValidationError: no paginationOpts")?;
    let after = options["cursor"].as_str().unwrap_or_default();
    let user = |name: &&String| !name.starts_with('_') && name.as_str() > after;
    let left: Vec<&String> = state.tables.keys().filter(user).collect();
    let page = &left[..left.len().min(count)];
    Ok(json!({
        "page": page.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
        "isDone": page.len() == left.len(),
        "continueCursor": page.last().map_or(after, |name| name.as_str()),
    }))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a page is small")]
fn number(value: &Value) -> Option<usize> {
    let whole = integer_of(value).and_then(|number| usize::try_from(number).ok());
    whole.or_else(|| value.as_f64().filter(|it| *it >= 1.0).map(|it| it as usize))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of functions are floats")]
fn table_size(state: &State, arguments: &Value) -> Value {
    let table = arguments["tableName"].as_str().and_then(|name| state.tables.get(name));
    json!(table.map_or(0, |table| table.documents) as f64)
}

fn deployment_state(state: &State) -> Value {
    let word = if state.paused { "paused" } else { "running" };
    json!({ "_id": state.store, "_creationTime": 0.0, "state": word })
}

fn import(state: &State, arguments: &Value) -> Value {
    let id = arguments["importId"].as_str().unwrap_or_default();
    let found = state.imports.iter().find(|import| import.id == id);
    found.map_or(Value::Null, Import::document)
}

fn variable(state: &State, name: &str, value: &str) -> Value {
    let id = format!("{}{name}", state.store);
    json!({ "_id": id, "_creationTime": 0.0, "name": name, "value": value })
}

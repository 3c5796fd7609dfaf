//! What a deployment holds besides its users' sessions: tables, variables, functions.

use std::collections::BTreeMap;

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Deployment, Error, refusal, unclear};
use crate::convex::client::exchange::{JSON, Question};

/// How many tables are asked for at once.
const PAGE: u32 = 500;

impl Deployment {
    /// The environment variables of the deployment's functions: no part of an export.
    ///
    /// Backends before 2025-08-28 have no route for them, and answer a query of Convex's own CLI.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn variables(&self) -> Result<BTreeMap<String, String>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Listed {
            environment_variables: BTreeMap<String, String>,
        }
        let question = Question::get("/api/v1/list_environment_variables", Some(&self.key));
        let answer = self.ask(question).await?;
        if answer.status == 404 {
            return self.queried_variables().await;
        }
        let listed: Result<Listed, _> = serde_json::from_slice(&answer.body);
        match listed {
            Ok(listed) if answer.status == 200 => Ok(listed.environment_variables),
            _ => Err(refusal("environment variables", &answer)),
        }
    }

    async fn queried_variables(&self) -> Result<BTreeMap<String, String>, Error> {
        #[derive(Deserialize)]
        struct Variable {
            name: String,
            value: String,
        }
        let listed = self.query("_system/cli/queryEnvironmentVariables", json!({})).await?;
        let listed: Vec<Variable> =
            serde_json::from_value(listed).map_err(|_| unclear("its environment variables"))?;
        Ok(listed.into_iter().map(|it| (it.name, it.value)).collect())
    }

    /// Sets environment variables, and leaves all others as they are. In a deployment that is paused, too.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn set_variables(&self, wanted: &BTreeMap<String, String>) -> Result<(), Error> {
        let changes: Vec<_> =
            wanted.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        let body = json!({ "changes": changes }).to_string().into_bytes();
        let answer = self
            .ask(Question {
                method: Method::POST,
                path: "/api/update_environment_variables",
                key: Some(&self.key),
                body: Some((JSON, body)),
            })
            .await?;
        if answer.status == 200 { Ok(()) } else { Err(refusal("environment variables", &answer)) }
    }

    /// The documents of every table of the app; those of components are not told.
    ///
    /// # Errors
    /// See [`Error`]; what is not understood is one, and never "none".
    pub async fn documents(&self) -> Result<BTreeMap<String, u64>, Error> {
        let mut documents = BTreeMap::new();
        for table in self.tables().await? {
            let size = self.query("_system/cli/tableSize:default", json!({"tableName": table}));
            let size = count(&size.await?).ok_or_else(|| unclear("the size of a table"))?;
            documents.insert(table, size);
        }
        Ok(documents)
    }

    async fn tables(&self) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page {
            #[serde(rename = "page")]
            tables: Vec<Named>,
            is_done: bool,
            continue_cursor: Option<String>,
        }
        #[derive(Deserialize)]
        struct Named {
            name: String,
        }
        let mut tables = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let options = json!({"paginationOpts": {"numItems": PAGE, "cursor": cursor}});
            let page = self.query("_system/cli/tables", options).await?;
            let page: Page = serde_json::from_value(page).map_err(|_| unclear("its tables"))?;
            tables.extend(page.tables.into_iter().map(|it| it.name));
            let goes_on = page.continue_cursor.is_some() && page.continue_cursor != cursor;
            if page.is_done {
                return Ok(tables);
            }
            if !goes_on {
                return Err(unclear("its tables"));
            }
            cursor = page.continue_cursor;
        }
    }

    /// How many functions and HTTP routes are deployed: none is what a fresh store looks like.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn functions(&self) -> Result<usize, Error> {
        let value = self.query("_system/cli/modules:apiSpec", json!({})).await?;
        value.as_array().map(Vec::len).ok_or_else(|| unclear("its functions"))
    }
}

/// Numbers of functions are floats, and int64 are strings of digits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is whole and positive"
)]
fn count(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|it| *it >= 0.0 && it.fract() == 0.0).map(|it| it as u64);
    value.as_u64().or_else(float).or_else(|| value.as_str()?.parse().ok())
}

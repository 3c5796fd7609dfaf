//! What the owner of an app has in it: written before something is done to it, compared afterwards.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::Stage;

const TABLE: &str = "notes";
const FUNCTION: &str = "notes:list";
const VARIABLE: (&str, &str) = ("COLOUR", "cerulean");
const CONTENT: &str = "a file that somebody has kept";
const ADMIN_KEY: &str = "CONVEX_SELF_HOSTED_ADMIN_KEY";

/// Documents, a file, a variable and a function of one instance, as they were written.
#[derive(Clone, Debug)]
pub struct Data {
    documents: Vec<Value>,
    file: String,
}

impl Stage {
    /// Puts some of everything into an instance.
    ///
    /// # Errors
    /// Its backend refuses.
    pub async fn fill(&self, name: &str) -> Result<Data> {
        let door = self.door(name).await?;
        for number in 0..25 {
            let text = format!("note {number} \u{1f4dd}");
            door.write(TABLE, json!({ "text": text, "rank": f64::from(number) / 8.0 })).await?;
        }
        let file = door.keep(CONTENT).await?;
        door.set_variable(&self.admin_key(name).await?, VARIABLE.0, VARIABLE.1).await?;
        door.deploy(&[FUNCTION]).await?;
        Ok(Data { documents: door.documents(TABLE).await?, file })
    }

    /// Compares everything with what there was, functions included.
    ///
    /// # Errors
    /// Something is missing, or is another.
    pub async fn has_all(&self, name: &str, data: &Data) -> Result<()> {
        self.has_data(name, data).await?;
        ensure!(self.door(name).await?.runs(FUNCTION).await?, "the function is not there any more");
        Ok(())
    }

    /// Compares documents, file and variable with what there was.
    ///
    /// # Errors
    /// Something is missing, or is another.
    pub async fn has_data(&self, name: &str, data: &Data) -> Result<()> {
        let door = self.door(name).await?;
        let (before, after) = (by_id(&data.documents), by_id(&door.documents(TABLE).await?));
        ensure!(before == after, "the documents are not the same:\n{before:#?}\n{after:#?}");
        let file = door.file(&data.file).await?;
        ensure!(file == CONTENT, "the file is another: {file}");
        let variable = door.variable(&self.admin_key(name).await?, VARIABLE.0).await?;
        ensure!(variable.as_deref() == Some(VARIABLE.1), "the variable is another: {variable:?}");
        Ok(())
    }

    /// Deploys the function again, as the owner has to after a new store was made.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn deploy(&self, name: &str) -> Result<()> {
        self.door(name).await?.deploy(&[FUNCTION]).await
    }

    /// The key of the administrator, as applications have it.
    ///
    /// # Errors
    /// It is not there.
    pub async fn admin_key(&self, name: &str) -> Result<String> {
        self.secret(&format!("{name}-admin"), ADMIN_KEY).await
    }
}

fn by_id(documents: &[Value]) -> Vec<Value> {
    let mut sorted = documents.to_vec();
    sorted.sort_by_key(|it| it["_id"].as_str().unwrap_or_default().to_owned());
    sorted
}

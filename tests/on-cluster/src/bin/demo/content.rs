//! What the app's users have in it: written before an upgrade, compared after it.

use anyhow::{Result, ensure};
use on_cluster::reach::Door;
use serde_json::{Value, json};

/// The table that users write to and read from.
pub const TABLE: &str = "messages";
const DOCUMENTS: u32 = 50;
const FUNCTION: &str = "messages:list";

/// Documents and a file, as they were read back at once.
pub struct Content {
    documents: Vec<Value>,
    file: (String, String),
}

impl Content {
    /// Writes them, and deploys the app's code.
    ///
    /// # Errors
    /// The backend refuses.
    pub async fn written(door: &Door) -> Result<Self> {
        for number in 0..DOCUMENTS {
            let rank = f64::from(number) / 8.0;
            door.write(
                TABLE,
                json!({ "body": format!("message {number} \u{1f4dd}"), "rank": rank }),
            )
            .await?;
        }
        let text = "one line of a file that a user has uploaded\n".repeat(1_500);
        let file = (door.keep(&text).await?, text);
        door.deploy(&[FUNCTION]).await?;
        Ok(Self { documents: sorted(door.documents(TABLE).await?), file })
    }

    /// What there is, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let (documents, bytes) = (self.documents.len(), self.file.1.len());
        format!("{documents} documents and a file of {bytes} bytes")
    }

    /// Whether every document and every byte is as it was, ids and times included, in words.
    ///
    /// # Errors
    /// They are not; the message holds the first difference.
    pub async fn compared(&self, door: &Door) -> Result<String> {
        let now = sorted(door.documents(TABLE).await?);
        let differs = self.documents.iter().zip(&now).find(|(before, after)| before != after);
        ensure!(differs.is_none(), "a document is not what it was: {differs:?}");
        let (before, after) = (self.documents.len(), now.len());
        ensure!(before == after, "there were {before} documents, and there are {after}");
        ensure!(door.file(&self.file.0).await? == self.file.1, "the file is not what it was");
        let writers = door.marker().await?.second_writers;
        ensure!(writers == 0, "a second writer was seen");
        Ok(format!("{}: every one the same, ids and times included", self.words()))
    }

    /// Whether the app's code is still there, in words.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn code(door: &Door) -> Result<&'static str> {
        Ok(if door.runs(FUNCTION).await? { "the app's code runs" } else { "no code is deployed" })
    }

    /// Deploys the app's code again, as its owner.
    ///
    /// # Errors
    /// The backend does not answer.
    pub async fn deploy(door: &Door) -> Result<()> {
        door.deploy(&[FUNCTION]).await
    }
}

fn sorted(mut documents: Vec<Value>) -> Vec<Value> {
    documents.sort_by_key(|it| it["_id"].as_str().unwrap_or_default().to_owned());
    documents
}

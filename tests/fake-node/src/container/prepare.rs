//! Everything before a container's process: image, user, environment, mounts, command.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt, path::PathBuf};

use super::{
    command::{Action, action, image_directory},
    run::Container,
    user,
};
use crate::{
    env::{self, ConfigError, Variables, expand},
    images::{PullError, Pulled},
    logs,
    objects::Objects,
    process::Launch,
    volumes,
};

/// Lies where programs were copied to, with the tag of the image that they are from.
const COPIED: &str = ".copied-from";

/// What keeps a container waiting.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The image cannot be had.
    #[error(transparent)]
    Image(#[from] PullError),
    /// The environment or the user cannot be had.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The API server refused to say.
    #[error(transparent)]
    Api(#[from] kube::Error),
    /// A folder or a link could not be made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What is to happen once everything is there.
pub enum Ready {
    /// A process is to be started.
    Launch(Launch),
    /// Nothing: it is done.
    Done,
    /// It will not start.
    Refused(String),
}

impl Container {
    /// The image's program.
    pub(super) fn pull(&self) -> Result<Pulled, PullError> {
        self.node.images.pull(self.spec.image.as_deref().unwrap_or_default())
    }

    /// Prepares run number `restart` of the container.
    pub(super) async fn prepare(&self, image: &Pulled, restart: i32) -> Result<Ready, NotReady> {
        user::check(&self.pod, &self.spec, image.role)?;
        let mut env = self.environment().await?;
        let asked = self.spec.working_dir.as_deref();
        let directory = asked.unwrap_or_else(|| image_directory(image.role));
        let chosen = action(
            image,
            &self.words(self.spec.command.as_deref(), &env),
            &self.words(self.spec.args.as_deref(), &env),
            directory,
            user::user(&self.pod, &self.spec),
        );
        let (program, words) = match chosen {
            Action::Copied => {
                self.mount()?;
                self.note_copies(image)?;
                return Ok(Ready::Done);
            }
            Action::Refused(why) => return Ok(Ready::Refused(why)),
            Action::Run(program, words) => (program, words),
        };
        let directory = self.inside(directory);
        self.mount()?;
        fs::create_dir_all(&directory)?;
        let tag = fs::read(directory.join(COPIED)).unwrap_or_else(|_| image.tag.clone().into());
        env.push(("STANDIN_IMAGE".to_owned(), tag));
        self.make_room_for_last_words()?;
        let log = logs::file(&self.folders.logs, &self.spec.name, restart);
        fs::create_dir_all(self.folders.logs.join(&self.spec.name))?;
        let words = words.into_iter().map(OsString::from).collect();
        Ok(Ready::Launch(Launch { program, words, env, directory, log }))
    }

    fn mount(&self) -> std::io::Result<()> {
        let mounts = self.spec.volume_mounts.as_deref().unwrap_or_default();
        volumes::mount(&self.root(), mounts, &self.volumes)
    }

    /// All images share one program here: only this note tells from which of them a copy was made.
    fn note_copies(&self, image: &Pulled) -> std::io::Result<()> {
        let mut mounts = self.spec.volume_mounts.iter().flatten();
        mounts.try_for_each(|it| fs::write(self.inside(&it.mount_path).join(COPIED), &image.tag))
    }

    /// As a kubelet mounts an empty file for every run.
    fn make_room_for_last_words(&self) -> std::io::Result<()> {
        let path = self.inside(self.last_words_path());
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, "")
    }

    /// Where a container leaves its last words.
    pub(super) fn last_words_path(&self) -> &str {
        self.spec.termination_message_path.as_deref().unwrap_or("/dev/termination-log")
    }

    async fn environment(&self) -> Result<Variables, NotReady> {
        let namespace = self.pod.metadata.namespace.as_deref().unwrap_or_default();
        self.node.link.up().await;
        let objects = Objects::read(&self.node.client, namespace, env::needs(&self.spec)).await?;
        let mut env = vec![
            (
                "PATH".to_owned(),
                b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_vec(),
            ),
            (
                "HOSTNAME".to_owned(),
                self.pod.metadata.name.clone().unwrap_or_default().into_bytes(),
            ),
            ("HOME".to_owned(), b"/".to_vec()),
        ];
        env.extend(env::resolve(&self.spec, &self.pod, &self.facts, &objects)?);
        env.push(("STANDIN_ROOT".to_owned(), self.root().into_os_string().into_vec()));
        env.push(("STANDIN_BIND".to_owned(), self.facts.pod_ip.clone().into_bytes()));
        Ok(env)
    }

    /// `$(NAME)` in commands and arguments stands for the container's own environment.
    #[expect(clippy::unused_self, reason = "reads as the container's words")]
    fn words(&self, words: Option<&[String]>, env: &Variables) -> Vec<String> {
        let value_of = |name: &str| {
            env.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_slice())
        };
        words
            .unwrap_or_default()
            .iter()
            .map(|word| String::from_utf8_lossy(&expand(word, value_of)).into_owned())
            .collect()
    }

    /// The container's file tree.
    pub(super) fn root(&self) -> PathBuf {
        self.folders.containers.join(&self.spec.name)
    }

    /// Where a path of the container lies on this machine.
    pub(super) fn inside(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }
}

//! From an image and a container's command to what runs on this machine.

use std::path::PathBuf;

use crate::images::{Pulled, Role};

/// What a container turns out to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A program, with its words.
    Run(PathBuf, Vec<String>),
    /// Copying files of the image: done, since they lie in the table.
    Copied,
    /// It cannot be started; the words are a container runtime's.
    Refused(String),
}

/// Programs that the backend's image has besides Convex's own.
const HOST_PROGRAMS: [&str; 3] = ["sh", "mkdir", "kill"];

/// Programs that the stand-in plays.
const BACKEND_PROGRAMS: [&str; 5] = [
    "run_backend.sh",
    "convex-local-backend",
    "generate_key",
    "generate_admin_key.sh",
    "read_credentials.sh",
];

/// The working directory that the image of `role` asks for.
#[must_use]
pub const fn image_directory(role: Role) -> &'static str {
    match role {
        Role::Backend => "/convex",
        Role::Dashboard => "/app",
        Role::Program => "/",
    }
}

/// Decides what `command` and `arguments` (both expanded) run. `user` is the one that the pod asks for, if any.
#[must_use]
pub fn action(
    image: &Pulled,
    command: &[String],
    arguments: &[String],
    directory: &str,
    user: Option<i64>,
) -> Action {
    let program = image.program.display().to_string();
    let entrypoint: &[String] = match image.role {
        Role::Backend => &["./run_backend.sh".to_owned()],
        Role::Dashboard => &[program.clone(), "dashboard".to_owned()],
        Role::Program => &[program],
    };
    // A command without arguments drops the image's own arguments; none of these images has any.
    let words = [if command.is_empty() { entrypoint } else { command }, arguments].concat();
    let called = words[0].rsplit('/').next().unwrap_or_default();
    match image.role {
        Role::Program => Action::Run(image.program.clone(), words),
        Role::Dashboard if command.is_empty() => Action::Run(image.program.clone(), words),
        Role::Backend if BACKEND_PROGRAMS.contains(&called) => {
            if user.is_some_and(|user| user != 0) && lies_in_image(&words[0], directory) {
                return Action::Refused(refusal(&words[0], "permission denied"));
            }
            Action::Run(image.program.clone(), words)
        }
        Role::Backend | Role::Dashboard if copies(called, &words) => Action::Copied,
        Role::Backend | Role::Dashboard if HOST_PROGRAMS.contains(&called) => {
            Action::Run(PathBuf::from(format!("/bin/{called}")), words)
        }
        Role::Backend | Role::Dashboard => {
            Action::Refused(refusal(&words[0], "executable file not found in $PATH"))
        }
    }
}

/// The files in the image are executable for root only; a copy belongs to who made it.
fn lies_in_image(word: &str, directory: &str) -> bool {
    let folder = match word.rsplit_once('/') {
        Some((folder, _)) if word.starts_with('/') => folder,
        _ => directory,
    };
    folder.trim_end_matches('/') == "/convex"
}

/// `cp …`, or a shell's script that calls `cp`.
fn copies(called: &str, words: &[String]) -> bool {
    let script =
        || words.iter().any(|word| word.split([' ', ';', '&', '\n']).any(|part| part == "cp"));
    called == "cp" || (called == "sh" && script())
}

fn refusal(word: &str, why: &str) -> String {
    format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
         unable to start container process: exec: \"{word}\": {why}: unknown"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn backend(command: &str, directory: &str, user: Option<i64>) -> Action {
        let image = Pulled {
            program: "/bin/standin".into(),
            role: Role::Backend,
            tag: String::new(),
            image_id: String::new(),
        };
        action(&image, &words(command), &[], directory, user)
    }

    #[test]
    fn the_stock_entrypoint_runs_as_root_only() {
        let run = Action::Run("/bin/standin".into(), words("./run_backend.sh"));
        assert_eq!(backend("", "/convex", None), run);
        assert_eq!(backend("", "/convex", Some(0)), run);
        let Action::Refused(why) = backend("", "/convex", Some(1001)) else { panic!("refused") };
        assert!(why.contains("exec: \"./run_backend.sh\": permission denied"), "{why}");
    }

    #[test]
    fn a_copy_of_it_runs_as_anybody() {
        let run = Action::Run("/bin/standin".into(), words("./run_backend.sh"));
        assert_eq!(backend("./run_backend.sh", "/run/convex", Some(1001)), run);
    }

    #[test]
    fn copying_the_images_files_is_done_at_once() {
        for command in ["cp -r /convex/. /run/convex", "/bin/sh -c cp /convex/* /run/convex/"] {
            assert_eq!(backend(command, "/convex", Some(1001)), Action::Copied, "{command}");
        }
    }

    #[test]
    fn other_programs_are_the_hosts_or_missing() {
        assert_eq!(
            backend("sh -c true", "/", None),
            Action::Run("/bin/sh".into(), words("sh -c true"))
        );
        let Action::Refused(why) = backend("python3 x.py", "/", None) else { panic!("refused") };
        assert!(why.contains("executable file not found in $PATH"), "{why}");
    }

    #[test]
    fn any_other_image_is_its_program_under_the_name_that_was_called() {
        let image = Pulled {
            program: "/x/worker".into(),
            role: Role::Program,
            tag: String::new(),
            image_id: String::new(),
        };
        assert_eq!(
            action(&image, &[], &words("export --all"), "/", None),
            Action::Run("/x/worker".into(), words("/x/worker export --all"))
        );
        assert_eq!(
            action(&image, &words("/worker"), &words("gate"), "/", Some(5)),
            Action::Run("/x/worker".into(), words("/worker gate"))
        );
    }
}

//! `convex-standin`: the programs of Convex's images, played for tests. See the library's documentation.

use std::process::ExitCode;

use standin::{environment::Environment, programs::Program};

const USAGE: &str = "A stand-in for Convex's self-hosted images, for tests. It is not Convex.

usage: convex-standin backend [ARGUMENTS OF THE BACKEND]
       convex-standin dashboard
       convex-standin generate-key NAME SECRET [--member-id N | --system-key]

Called as run_backend.sh, convex-local-backend, generate_key, generate_admin_key.sh or
read_credentials.sh it plays the program of that name.";

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let Some((program, used)) = Program::named(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match program.run(&Environment::of_process(), &words[used..]).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("Error: {failure}");
            ExitCode::FAILURE
        }
    }
}

//! Arguments and wiring.

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use convex_operator::{
    api, operator, rbac,
    telemetry::{self, Format},
    worker,
};

#[derive(Parser)]
#[command(name = "convex-operator", version, about = "Kubernetes operator for self-hosted Convex")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the operator until SIGTERM or SIGINT.
    Run(Box<operator::Options>),
    /// Copy a volume onto an empty one, read it back, and report; what the operator's Jobs run.
    Copy(worker::copy::Options),
    /// Say that a copy was permitted to its end, and repeat what it reported.
    Permitted(worker::permitted::Options),
    /// Let the backend of this pod through where the record of its instance asks for it.
    Gate(worker::gate::Options),
    /// Export a deployment, judge the export by its content, and report; what the operator's Jobs run.
    Export(worker::export::Options),
    /// Import a snapshot, count it in the backend, and report; what the operator's Jobs run.
    Import(worker::import::Options),
    /// Say whether a bucket takes exports, before an upgrade relies on it; what the operator's Jobs run.
    Reachable(worker::reachable::Options),
    /// Print a manifest that is generated from the code.
    Print {
        /// Which one.
        what: Manifest,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Manifest {
    /// The custom resource definition.
    Crd,
    /// The cluster role, each rule with its reason.
    Role,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    match Arguments::parse().command {
        Command::Run(options) => operator::run(*options),
        Command::Copy(options) => work(|| worker::copy::run(&options)),
        Command::Permitted(options) => work(|| worker::permitted::run(&options)),
        Command::Gate(options) => Ok(worker::gate::run(&options)?),
        Command::Export(options) => work(|| worker::job::run(&options)),
        Command::Import(options) => work(|| worker::job::run(&options)),
        Command::Reachable(options) => work(|| worker::reachable::run(&options)),
        Command::Print { what: Manifest::Crd } => {
            print!("{}", api::crd_yaml()?);
            Ok(())
        }
        Command::Print { what: Manifest::Role } => {
            print!("{}", rbac::cluster_role());
            Ok(())
        }
    }
}

/// Does what a Job is for; its log is for machines.
fn work<E: std::error::Error + 'static>(
    work: impl FnOnce() -> Result<(), E>,
) -> Result<(), Box<dyn std::error::Error>> {
    telemetry::start(Format::Json);
    Ok(work()?)
}

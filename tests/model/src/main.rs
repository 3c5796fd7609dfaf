//! Searches on demand: `cargo run -p model --release -- [large] [strategy number]`.

use std::process::ExitCode;

use model::{
    configuration::{large, small},
    mutant::Mutant,
    search::search,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let budget = if arguments.iter().any(|it| it == "large") { large } else { small };
    let only: Option<u8> = arguments.iter().find_map(|it| it.parse().ok());
    let strategies = 0..6;
    let mut well = true;
    for strategy in strategies.filter(|it| only.is_none_or(|only| only == *it)) {
        for configuration in budget(strategy) {
            let found = search(configuration, Mutant::None, 2);
            println!("{found}");
            well &= found.is_well();
        }
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

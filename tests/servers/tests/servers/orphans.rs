//! A server whose test is killed, which has no time to end anything.

use std::{
    env,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use servers::{Encryption, Place, Postgres};
use tokio::runtime::Builder;

const FOLDER: &str = "SERVERS_TEST_FOLDER";
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_server_ends_with_the_process_that_started_it_even_where_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut owner = Command::new(env::current_exe().unwrap())
        .args(["--exact", "orphans::owner", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let address = |line: String| line.strip_prefix("listens at ").map(str::to_owned);
    let address: SocketAddr =
        lines.map_while(Result::ok).find_map(address).unwrap().parse().unwrap();
    assert!(TcpStream::connect(address).is_ok());
    owner.kill().unwrap();
    owner.wait().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "the server has outlived its owner");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "is the process that the other test kills"]
fn owner() {
    let folder = PathBuf::from(env::var_os(FOLDER).unwrap());
    // By a thread that ends: the server must not take that for the end of its owner.
    let started = thread::spawn(move || {
        let place = Place::loopback(&folder).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(Postgres::start(&place, Encryption::None)).unwrap()
    });
    let server = started.join().unwrap();
    server.sql("postgres", "SELECT 1").unwrap();
    println!("\nlistens at {}", server.address());
    thread::park();
}

# `./justw RECIPE` installs what runs this file; everything else that a recipe needs, the recipe installs.

set positional-arguments

[private]
default:
    @'{{ just_executable() }}' --list --justfile '{{ justfile() }}'

# Build the Go programs of the local cluster (etcd, Kubernetes, Helm) where they are missing.
tools:
    cargo run --quiet --bin cluster -- tools

# Start a local cluster: [--node real|fake] [--operator] [--gateway]; the last line is the path of its kubeconfig.
cluster-up *arguments:
    @cargo run --quiet --bin cluster -- up "$@"

# Talk to the local cluster as its administrator; --node first where two are up.
kubectl *arguments:
    @cargo run --quiet --bin cluster -- kubectl "$@"

# Stop local clusters and remove everything that they made: [--node real|fake].
cluster-down *arguments:
    @cargo run --quiet --bin cluster -- down "$@"

# Run every tier: without a cluster, with the real Convex CLI, with real servers, on a node that is played, on a real one, as root, and the campaign.
test: test-fast test-cli test-servers test-fake test-real test-campaign
    @echo 'every tier passed'

# Run what needs no cluster: laws, the model, facts, goldens, wire, chart, and the stand-in itself.
test-fast:
    cargo test --locked --no-fail-fast --workspace

# Run the tiers that need a control plane and a node that is played: [a filter of test names].
test-fake *filter:
    tests/run-on fake "$@"

# Run the tiers that need a real node, as root: [a filter of test names].
test-real *filter:
    tests/run-on real "$@"

# Kill the operator during every write of upgrades and rollbacks, let two act at once, stop leaders: [a filter of test names].
test-campaign *filter:
    CAMPAIGN=part tests/run-on campaign "$@"

# The same before, during and after every write, with a leader stopped at every one of them: half an hour.
campaign *filter:
    tests/run-on campaign "$@"

# Run the real Convex CLI, installed with a Node.js of its own from npm's registry, against the stand-in.
test-cli:
    CONVEX_CLI="$(cargo run --quiet --locked --bin cluster -- convex-cli)" cargo test --locked --no-fail-fast --workspace --all-features --test cli

# Run what needs real servers (PostgreSQL, MariaDB, S3), which are installed and built where they are missing; the first time as root.
test-servers:
    cargo test --locked --no-fail-fast --workspace --all-features --test servers --test on_servers

# Carry a snapshot of 1 GiB out of a backend and into another one: throughput and memory beside curl and sha256sum.
measure-snapshot:
    cargo bench --quiet --locked --workspace --bench snapshot

# Show an instance's life on a local cluster, or on your own: [--context NAME] [--sample dev|prod [--amiss]] [--upgrade inPlace|exportImport|freshStore|failing].
demo *arguments:
    @cargo run --quiet --all-features --bin demo -- "$@"

# Write everything that is generated from code anew: CRD, role, chart files, pictures, goldens.
generate:
    cargo run --quiet --bin convex-operator -- print crd > crds/convexinstances.yaml
    UPDATE_GENERATED=1 UPDATE_GOLDENS=1 cargo test --quiet --package convex-operator --package statemachine

# Check form and lints as CI does.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features --locked -- --deny warnings

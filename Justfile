# `./justw RECIPE` installs what runs this file; everything else that a recipe needs, the recipe installs.

set positional-arguments

[private]
default:
    @'{{ just_executable() }}' --list --justfile '{{ justfile() }}'

# Build the Go programs of the local cluster (etcd, Kubernetes, Helm) where they are missing.
tools:
    cargo run --quiet --package cluster -- tools

# Start a local cluster: [--node real|fake] [--operator]; the last line is the path of its kubeconfig.
cluster-up *arguments:
    @cargo run --quiet --package cluster -- up "$@"

# Talk to the local cluster as its administrator; --node first where two are up.
kubectl *arguments:
    @cargo run --quiet --package cluster -- kubectl "$@"

# Stop local clusters and remove everything that they made: [--node real|fake].
cluster-down *arguments:
    @cargo run --quiet --package cluster -- down "$@"

#!/usr/bin/env bash
# Builds everything the benchmark needs from package registries. Idempotent; re-run after editing a worker.
#   B=/some/build/dir PY=python3 ./setup.sh [go] [python] [ts] [java] [rust] [cpp-floor] [server]     (default: all)
# Needs: go >= 1.26, python3 with venv, node 20 + npm, JDK 17 + mvn, cargo >= 1.92 for their parts; cpp-floor what the
# repository itself needs, and its protocol library, built.
set -euo pipefail
H=$(cd "$(dirname "$0")" && pwd)
B=${B:-$H/../build/bench}
TEMPORAL_VERSION=v1.5.1   # newer CLI versions carry replace directives, which `go install` refuses
TEMPORALIO=1.35.0         # Python
mkdir -p "$B/bin" "$B/logs"
parts=${*:-server go python ts java rust cpp-floor}
for p in $parts; do echo "== $p"; case $p in
server)
  if [ -n "${TEMPORAL_BIN:-}" ]; then ln -sf "$TEMPORAL_BIN" "$B/bin/temporal"; fi
  [ -x "$B/bin/temporal" ] || GOBIN="$B/bin" go install github.com/temporalio/cli/cmd/temporal@$TEMPORAL_VERSION
  "$B/bin/temporal" --version ;;
go)
  (cd "$H/go" && for c in driver worker floor; do
    case $c in driver) o=driver;; *) o=$c-go;; esac
    go build -o "$B/bin/$o" "./cmd/$c"; done) ;;
python)
  [ -x "$B/pyv/bin/python" ] || "${PY:-python3}" -m venv "$B/pyv"
  "$B/pyv/bin/pip" install -q "temporalio==$TEMPORALIO" ;;
ts)
  mkdir -p "$B/ts"; cp "$H"/workers/ts/{package.json,worker.js,workflows.js} "$B/ts/"
  (cd "$B/ts" && npm install --no-audit --no-fund --silent && node worker.js --bundle "$B/ts/bundle.js" >/dev/null 2>&1 && ls -l bundle.js) ;;
java)
  mkdir -p "$B/java"; cp -r "$H"/workers/java/{pom.xml,src} "$B/java/"
  (cd "$B/java" && mvn -q -B compile dependency:copy-dependencies -DoutputDirectory=target/lib) ;;
rust)
  command -v protoc >/dev/null || apt-get install -y -q protobuf-compiler
  CARGO_TARGET_DIR="$B/rust-target" cargo build -q --release --manifest-path "$H/workers/rust/Cargo.toml"
  cp "$B/rust-target/release/bench-worker-rust" "$B/bin/worker-rust" ;;
cpp-floor)
  W="$B/cpp-floor"; P="$H/../build/proto"; mkdir -p "$W"
  [ -e "$P/libchimera_proto.a" ] || { echo "run ./run-demo or ./run-tests first: they build the protocol library"; exit 1; }
  # Messages come from the protocol library, whose C++ namespaces differ in one name.
  protoc -I "$P/protos/api" --grpc_out="$W" --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" \
    temporal/api/workflowservice/v1/service.proto
  sed -i 's/::namespace::v1/::namespace_::v1/g' "$W/temporal/api/workflowservice/v1/service.grpc.pb.cc"
  g++ -std=c++17 -O2 -g1 -w -I"$W" -I"$P/include" "$H/workers/cpp-floor/floor.cc" \
    "$W/temporal/api/workflowservice/v1/service.grpc.pb.cc" "$P/libchimera_proto.a" -o "$B/bin/floor-cpp" \
    $(pkg-config --libs grpc++ protobuf) ;;
*) echo "unknown part $p"; exit 1 ;;
esac; done

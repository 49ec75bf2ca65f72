#!/usr/bin/env bash
# Builds everything the benchmark needs from package registries. Idempotent; re-run after editing a worker.
#   B=/some/build/dir PY=python3 ./setup.sh [go] [python] [ts] [java] [rust] [cpp-floor] [server]     (default: all)
# Needs: go >= 1.26, python3 with venv, node 20 + npm, JDK 17 + mvn, cargo >= 1.92, and for cpp-floor the Debian
# packages g++ make libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc (installed if missing).
set -euo pipefail
H=$(cd "$(dirname "$0")" && pwd)
B=${B:-$H/../build/bench}
TEMPORAL_VERSION=v1.5.1   # newer CLI versions carry replace directives, which `go install` refuses
TEMPORALIO=1.35.0         # Python
PROTOS=0.10               # crate temporalio-protos, the source of the .proto files for cpp-floor
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
  command -v grpc_cpp_plugin >/dev/null && [ -e /usr/include/grpcpp/grpcpp.h ] || apt-get install -y -q g++ make \
    libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc pkg-config
  W="$B/cpp-floor"; mkdir -p "$W/gen"
  if [ ! -e "$W/libproto.a" ]; then
    protos() { ls -d ~/.cargo/registry/src/*/temporalio-protos-$PROTOS.* 2>/dev/null | sort -V | tail -1; }
    P=$(protos || true)
    [ -n "$P" ] || { (cd "$H/workers/rust" && cargo fetch -q); P=$(protos); }
    P="$P/protos/api_upstream"
    python3 - "$P" > "$W/closure.txt" <<'PY'
import os, re, sys
root, todo, seen = sys.argv[1], ['temporal/api/workflowservice/v1/service.proto'], []
while todo:
    f = todo.pop()
    if f in seen: continue
    seen.append(f)
    todo += [m for m in re.findall(r'^import\s+"([^"]+)"', open(os.path.join(root, f)).read(), re.M) if not m.startswith('google/protobuf/')]
print('\n'.join(sorted(seen)))
PY
    # C++ has no namespace called "namespace": rename that package (names do not travel on the wire)
    for f in $(cat "$W/closure.txt"); do
      mkdir -p "$W/proto/$(dirname "$f")"; sed 's/temporal\.api\.namespace\.v1/temporal.api.namespace_.v1/g' "$P/$f" > "$W/proto/$f"
    done
    protoc -I "$W/proto" --cpp_out="$W/gen" --grpc_out="$W/gen" --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" $(cat "$W/closure.txt")
    find "$W/gen" -name '*.grpc.pb.cc' ! -name 'service.grpc.pb.cc' -delete
    cat > "$W/Makefile" <<'MK'
SRC := $(shell find gen -name '*.cc')
OBJ := $(SRC:gen/%.cc=obj/%.o)
libproto.a: $(OBJ)
	ar rcs $@ $(OBJ)
obj/%.o: gen/%.cc
	@mkdir -p $(dir $@)
	g++ -std=c++17 -O2 -g1 -Igen -w -c $< -o $@
MK
    make -s -C "$W" -j"$(nproc)"
  fi
  g++ -std=c++17 -O2 -g1 -w -I"$W/gen" "$H/workers/cpp-floor/floor.cc" "$W/libproto.a" -o "$B/bin/floor-cpp" \
    $(pkg-config --libs grpc++ protobuf) ;;
*) echo "unknown part $p"; exit 1 ;;
esac; done

"""Which room may include or import which: the one statement of the architecture's arrows.

A room is named by its folder. `ALLOWED[room]` lists the rooms that its files may include beside their own; a room that
is not listed is free (tests, bench, samples). ARCHITECTURE.md says why.
"""

CORE = ["core/base", "core/converter", "core/history", "core/language", "core/machines", "core/workflow", "core/rpc",
        "core/activity", "core/nexus", "core/worker", "core/telemetry"]

BELOW_MATCHING = ["server/base", "server/timers", "server/store", "server/loop"]
BELOW_THE_ENGINE = [*BELOW_MATCHING, "server/matching"]

BELOW_SERVICE = [*BELOW_THE_ENGINE, "server/visibility", "server/archival", "server/schedule", "server/engine/rules",
                 "server/engine"]

ALLOWED = {
    "core/base": [],
    "core/telemetry": ["core/base"],
    "core/converter": ["core/base"],
    "core/history": ["core/base"],
    "core/language": ["core/base"],
    "core/machines": ["core/base", "core/converter", "core/history", "core/language"],
    "core/workflow": ["core/base", "core/converter", "core/history", "core/language", "core/machines"],
    "core/rpc": ["core/base", "core/converter", "core/telemetry"],
    "core/activity": ["core/base", "core/converter", "core/language", "core/telemetry"],
    "core/nexus": ["core/base", "core/language", "core/telemetry"],
    "core/worker": [*CORE],
    "server/base": ["core/base"],
    "server/timers": ["core/base"],
    "server/store": ["core/base", "core/telemetry", "server/base", "server/visibility"],
    "server/loop": ["core/base", "server/base", "server/timers", "server/store"],
    # It knows tasks by their owners' interface: neither runs nor what else may own one.
    "server/matching": ["core/base", *BELOW_MATCHING],
    "server/visibility": ["core/base", "server/base"],
    "server/archival": ["core/base", "server/base", "server/visibility"],
    "server/schedule": ["core/base", "server/base"],
    # What needs no run: the rest of the engine stands on it.
    "server/engine/rules": ["core/base", "server/base"],
    "server/engine": ["core/base", "core/telemetry", *BELOW_THE_ENGINE, "server/engine/rules", "server/visibility",
                      "server/archival", "server/schedule"],
    "server/service": ["core/base", *BELOW_SERVICE],
    "server": ["core/base", "core/telemetry", *BELOW_SERVICE, "server/service"],
    "sdk-cpp/include": [],
    "sdk-cpp/src/http": ["core/base", "core/telemetry"],
    # What is sent to collectors: neither workflows nor clients.
    "sdk-cpp/src/otlp": ["core/base", "core/telemetry", "sdk-cpp/include", "sdk-cpp/src/http"],
    "sdk-cpp/src": [*CORE, "sdk-cpp/include", "server", "sdk-cpp/src/http", "sdk-cpp/src/otlp"],
    "bindings": [*CORE, "server", "sdk-cpp/include", "sdk-cpp/src", "sdk-cpp/src/otlp", "host"],
    "host": [*CORE, "server", "sdk-cpp/include", "sdk-cpp/src"],
    "cli": [*CORE, "server", "sdk-cpp/include", "sdk-cpp/src", "host"],
}

# Libraries that only some rooms may see. A prefix of the include -> the rooms.
LIBRARIES = {
    "grpcpp/": {"core/rpc", "server/service"},
    "grpc/": {"core/rpc", "server/service"},
    "pybind11/": {"bindings"},
    "Python.h": {"bindings"},
    "sqlite3.h": {"server/store", "server/visibility"},
    "boost/": {"sdk-cpp/src", "sdk-cpp/src/http"},
    "boost/asio/": {"sdk-cpp/src/http"},
    "boost/beast": {"sdk-cpp/src/http"},
    "toml++/": {"sdk-cpp/src"},
    "CLI/": {"cli"},
}

# What an installed, light public header must not show.
FORBIDDEN_IN_PUBLIC_HEADERS = ("google/protobuf", "temporal/", "grpc", "nlohmann", "spdlog", "absl/", "core/", "boost/")

# Python: a package or module directly below `chimera` -> those that it may import beside itself. `api` holds the
# generated messages, `_bridge` is the native module: the only way down to the core. The layers from top to bottom:
# common, converter, exceptions; then workflow and activity; then client; then worker; then testing.
_GROUND = ["types", "_lazy", "_signatures", "_api", "api"]
_VALUES = [*_GROUND, "common", "exceptions", "converter"]
_CONNECTION = ["_native", "_telemetry", "runtime", "service"]

PYTHON = {
    "types": [],
    "_lazy": [],
    "_signatures": [],
    "_threads": [],
    "_border": [],
    "_metrics": [],
    "_health": [],
    "_grpc_stubs": [],
    "_api": ["_lazy", "api"],
    "common": [*_GROUND, "_metrics"],
    "exceptions": [*_GROUND],
    "converter": [*_GROUND, "common", "exceptions", "_bridge"],
    "workflow": [*_VALUES],
    "activity": [*_VALUES],
    "_native": ["_bridge"],
    "_telemetry": ["common"],
    "_log_forwarding": ["_telemetry"],
    "_runtime_metrics": ["common", "_telemetry"],
    "_metric_buffer": ["common", "_telemetry", "_runtime_metrics"],
    "runtime": ["common", "_bridge", "_telemetry", "_log_forwarding", "_runtime_metrics", "_metric_buffer"],
    "bridge": ["api", "_health"],
    "service": ["api", "exceptions", "bridge", "_bridge", "_health", "_native", "runtime"],
    "client": [*_VALUES, *_CONNECTION, "_bridge", "workflow", "activity"],
    "nexus": [*_VALUES, "client"],
    "worker": [*_VALUES, *_CONNECTION, "_bridge", "_border", "_threads", "workflow", "activity", "client", "nexus"],
    "plugin": [*_VALUES, "service", "client", "worker"],
    "envconfig": ["service"],
    "testing": [*_VALUES, *_CONNECTION, "_bridge", "_threads", "activity", "client", "worker"],
    "host": ["exceptions", "runtime", "activity", "workflow", "client", "worker"],
    "contrib": [*_VALUES, "service", "runtime", "activity", "workflow", "client", "worker", "plugin"],
}

# Upward all the same, for type checkers alone: what a public signature names.
PYTHON_TYPES_UPWARD = {
    ("activity", "client"): "activity.client() is the worker's Client",
    ("client", "nexus"): "a Nexus client's operation may be given by its handler",
}

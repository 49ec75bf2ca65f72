"""Which room may include or import which: the one statement of the architecture's arrows.

A room is named by its folder. `ALLOWED[room]` lists the rooms that its files may include beside their own; a room that
is not listed is free (tests, bench, samples). ARCHITECTURE.md says why.
"""

CORE = ["core/base", "core/converter", "core/history", "core/language", "core/machines", "core/workflow", "core/rpc",
        "core/activity", "core/worker", "core/telemetry"]

BELOW_THE_ENGINE = ["server/base", "server/timers", "server/store"]

ALLOWED = {
    "core/base": [],
    "core/telemetry": ["core/base"],
    "core/converter": ["core/base"],
    "core/history": ["core/base"],
    "core/language": ["core/base"],
    "core/machines": ["core/base", "core/converter", "core/history", "core/language"],
    "core/workflow": ["core/base", "core/converter", "core/history", "core/language", "core/machines"],
    "core/rpc": ["core/base", "core/telemetry"],
    "core/activity": ["core/base", "core/converter", "core/language", "core/telemetry"],
    "core/worker": [*CORE],
    "server/base": ["core/base"],
    "server/timers": ["core/base"],
    "server/store": ["core/base"],
    # One room in three folders: a task that meets its poll starts, and a list's row shows a run.
    "server/engine": ["core/base", "core/converter", *BELOW_THE_ENGINE, "server/matching", "server/visibility"],
    "server/matching": ["core/base", *BELOW_THE_ENGINE, "server/engine"],
    "server/visibility": ["core/base", *BELOW_THE_ENGINE, "server/engine"],
    "server/service": ["core/base", "core/converter", "server/base", "server/engine", "server/visibility"],
    "server": ["core/base", *BELOW_THE_ENGINE, "server/engine", "server/visibility", "server/service"],
    "sdk-cpp/include": [],
    "sdk-cpp/src": [*CORE, "sdk-cpp/include", "server"],
    "bindings": [*CORE, "server", "sdk-cpp/include", "sdk-cpp/src", "host"],
    "host": [*CORE, "server", "sdk-cpp/include", "sdk-cpp/src"],
    "cli": [*CORE, "server", "sdk-cpp/include", "sdk-cpp/src", "host"],
}

# Libraries that only some rooms may see. A prefix of the include -> the rooms.
LIBRARIES = {
    "grpcpp/": {"core/rpc", "server/service"},
    "grpc/": {"core/rpc", "server/service"},
    "pybind11/": {"bindings"},
    "Python.h": {"bindings"},
    "sqlite3.h": {"server/store"},
    "boost/": {"sdk-cpp/src"},
    "httplib.h": {"host", "cli"},
    "CLI/": {"host", "cli"},
}

# What an installed, light public header must not show.
FORBIDDEN_IN_PUBLIC_HEADERS = ("google/protobuf", "temporal/", "grpc", "nlohmann", "spdlog", "absl/", "core/", "boost/")

# Python: a package or module directly below `chimera` -> those that it may import beside itself. `api` holds the
# generated messages, `_bridge` is the native module: the only way down to the core. The layers from top to bottom:
# common, converter, exceptions; then workflow and activity; then client; then worker; then testing.
_GROUND = ["types", "_lazy", "_api", "api"]
_VALUES = [*_GROUND, "common", "exceptions", "converter"]
_CONNECTION = ["_native", "_telemetry", "runtime", "service"]

PYTHON = {
    "types": [],
    "_lazy": [],
    "_threads": [],
    "_metrics": [],
    "_health": [],
    "_grpc_stubs": [],
    "_api": ["_lazy", "api"],
    "common": [*_GROUND, "_metrics"],
    "exceptions": [*_GROUND],
    "converter": [*_GROUND, "common", "exceptions", "_bridge"],
    "workflow": [*_VALUES],
    "activity": [*_VALUES],
    "nexus": ["common"],
    "_native": ["_bridge"],
    "_telemetry": ["common"],
    "_log_forwarding": ["_telemetry"],
    "_runtime_metrics": ["common", "_telemetry"],
    "_metric_buffer": ["common", "_telemetry", "_runtime_metrics"],
    "runtime": ["common", "_bridge", "_telemetry", "_log_forwarding", "_runtime_metrics", "_metric_buffer"],
    "bridge": ["api", "_health"],
    "service": ["api", "exceptions", "bridge", "_bridge", "_health", "_native", "runtime"],
    "client": [*_VALUES, *_CONNECTION, "_bridge", "workflow", "activity"],
    "worker": [*_VALUES, *_CONNECTION, "_bridge", "_threads", "workflow", "activity", "client"],
    "plugin": [*_VALUES, "service", "client", "worker"],
    "envconfig": ["service"],
    "testing": [*_VALUES, *_CONNECTION, "_bridge", "_threads", "activity", "client", "worker"],
    "host": ["exceptions", "runtime", "activity", "workflow", "client", "worker"],
    "contrib": [*_VALUES, "service", "activity", "workflow", "client"],
}

# Upward all the same, for type checkers alone: what a public signature names.
PYTHON_TYPES_UPWARD = {
    ("activity", "client"): "activity.client() is the worker's Client",
}

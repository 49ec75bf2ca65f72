"""Which room may include or import which: the one statement of the architecture's arrows.

A room is named by its folder. `ALLOWED[room]` lists the rooms that its files may include beside their own; a room that
is not listed is free (tests, bench, samples). ARCHITECTURE.md says why.
"""

CORE = ["core/base", "core/converter", "core/history", "core/language", "core/machines", "core/workflow", "core/rpc",
        "core/activity", "core/worker", "core/telemetry"]

BELOW_MATCHING = ["server/base", "server/timers", "server/store", "server/loop"]
BELOW_THE_ENGINE = [*BELOW_MATCHING, "server/matching"]

BELOW_SERVICE = [*BELOW_THE_ENGINE, "server/visibility", "server/engine/rules", "server/engine"]

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
    "server/store": ["core/base", "core/telemetry"],
    "server/loop": ["core/base", "server/base", "server/timers", "server/store"],
    # It knows tasks by their owners' interface: neither runs nor what else may own one.
    "server/matching": ["core/base", *BELOW_MATCHING],
    "server/visibility": ["core/base", "server/base"],
    # What needs no run: the rest of the engine stands on it.
    "server/engine/rules": ["core/base", "server/base"],
    "server/engine": ["core/base", "core/telemetry", *BELOW_THE_ENGINE, "server/engine/rules", "server/visibility"],
    "server/service": ["core/base", *BELOW_SERVICE],
    "server": ["core/base", "core/telemetry", *BELOW_SERVICE, "server/service"],
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

# Python: package -> modules of it that it must not import (the bridge is the only way down).
PYTHON_BRIDGE_USERS = {"client", "service", "worker", "testing", "runtime", "host", "converter", "_native"}

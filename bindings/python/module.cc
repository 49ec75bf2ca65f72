// chimera._bridge, the one core as Python sees it. sdk-python/chimera/_bridge.pyi describes every
// name in it.
#include "bindings/python/activity_bridge.h"
#include "bindings/python/border.h"
#include "bindings/python/codec.h"
#include "bindings/python/connection.h"
#include "bindings/python/ending.h"
#include "bindings/python/errors.h"
#include "bindings/python/metrics.h"
#include "bindings/python/nexus_bridge.h"
#include "bindings/python/queue.h"
#include "bindings/python/replayer.h"
#include "bindings/python/server.h"
#include "bindings/python/slots.h"
#include "bindings/python/telemetry.h"
#include "bindings/python/version.h"
#include "bindings/python/worker.h"
#include "bindings/python/workflow_bridge.h"
#include "bindings/python/workflow_slot.h"

PYBIND11_MODULE(_bridge, module) {
  module.attr("VERSION") = chimera::bindings::kVersion;
  chimera::bindings::define_ending(module);
  chimera::bindings::define_errors(module);
  chimera::bindings::define_queue(module);
  chimera::bindings::define_telemetry(module);
  chimera::bindings::define_server(module);
  chimera::bindings::define_metrics(module);
  chimera::bindings::define_connection(module);
  chimera::bindings::define_border(module);
  chimera::bindings::define_workflow_bridge(module);
  chimera::bindings::define_activity_bridge(module);
  chimera::bindings::define_nexus_bridge(module);
  chimera::bindings::define_codec(module);
  chimera::bindings::define_workflow_slot(module);
  chimera::bindings::define_slots(module);
  chimera::bindings::define_worker(module);
  chimera::bindings::define_replayer(module);
}

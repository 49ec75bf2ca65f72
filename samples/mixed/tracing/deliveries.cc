// deliveries [HOST:PORT]   serves the workflow Delivery on the task queue "deliveries" until Ctrl-C
//
// Its spans go where OpenTelemetry's variables say (OTEL_EXPORTER_OTLP_ENDPOINT and its siblings),
// else to a collector on http://localhost:4318.
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

#include "chimera/client.h"
#include "chimera/opentelemetry.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

namespace {

using namespace std::chrono_literals;
namespace workflow = chimera::workflow;

std::string load_truck(const std::string& route) { return "truck 7, " + route; }
inline constexpr auto kLoadTruck = chimera::define_activity<&load_truck>("load_truck");

class Delivery {
 public:
  std::string run(std::string order) {
    // Python's, on a task queue of its own: workers of one queue must all know all its activities.
    const std::string route = workflow::execute_activity<std::string>(
        "plan_route", {.task_queue = "routes", .start_to_close_timeout = 10s}, order);
    return workflow::execute_activity<kLoadTruck>({.start_to_close_timeout = 10s}, route);
  }
};
inline const auto kDelivery = chimera::define_workflow<&Delivery::run>("Delivery");

}  // namespace

int main(int argc, char** argv) {
  try {
    chimera::OtlpTracerOptions options = chimera::otlp_options_from_environment();
    options.service_name = "deliveries";
    options.timeout = 1s;  // Without a collector the program's end waits no longer.
    auto client = chimera::Client::connect(
        {.target_host = argc > 1 ? argv[1] : "localhost:7233",
         .interceptors = {chimera::tracing_interceptor(chimera::otlp_tracer(options))}});
    chimera::Worker worker(client, {.task_queue = "deliveries"});
    worker.add(kDelivery).add(kLoadTruck);
    worker.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "deliveries: %s\n", error.what());
    return 1;
  }
}

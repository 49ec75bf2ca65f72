// The C++ half of nexus_mixed_test.py: a service, and a workflow that calls the Python one.
#include <chrono>
#include <string>

#include "chimera/errors.h"
#include "chimera/library.h"
#include "chimera/workflow.h"

namespace {

namespace nexus = chimera::nexus;
namespace workflow = chimera::workflow;
using namespace std::chrono_literals;

struct Parcel {
  std::string item;
  int count = 0;
};

struct NativeDepot {
  nexus::Operation<Parcel, std::string> pack;
  nexus::Operation<std::string, std::string> send;  // Goes on as a C++ workflow.
};

struct PythonDepot {
  nexus::Operation<Parcel, std::string> pack;
  nexus::Operation<std::string, std::string> send;
};

class NativeDelivery {
 public:
  std::string run(std::string where) {
    if (where == "nowhere")
      throw chimera::ApplicationError("no such place", {.type = "Address", .non_retryable = true});
    if (where == "far") workflow::sleep(24h);
    return "C++ arrived at " + where;
  }
};
const auto kDelivery = chimera::define_workflow<&NativeDelivery::run>("NativeDelivery");

nexus::Service<NativeDepot> depot() {
  nexus::Service<NativeDepot> service;
  service.handle<&NativeDepot::pack>([](const Parcel& parcel) {
    if (parcel.count < 0)
      throw nexus::HandlerError(nexus::HandlerErrorType::kBadRequest, "less than nothing");
    if (parcel.count == 0) throw nexus::OperationError(nexus::OperationState::kFailed, "empty");
    return "C++ packed " + std::to_string(parcel.count) + " " + parcel.item;
  });
  service.handle<&NativeDepot::send>([](const std::string& where) {
    return nexus::start_workflow<kDelivery>({.id = "native-" + nexus::info().request_id}, where);
  });
  return service;
}

// What the error says, and its causes.
std::string told(const chimera::NexusOperationError& error) {
  if (const auto* refused = error.find_cause<nexus::HandlerError>()) {
    return "refused: " + refused->message();
  }
  if (const auto* failed = error.find_cause<chimera::ApplicationError>()) {
    return failed->type() + ": " + failed->message();
  }
  return error.find_cause<chimera::CancelledError>() != nullptr ? "cancelled" : error.what();
}

class NativeCaller {
 public:
  std::string run(std::string endpoint) {
    const chimera::NexusOperationOptions soon{.schedule_to_close_timeout = 30s};
    std::string seen =
        workflow::execute_nexus_operation<&PythonDepot::pack>(endpoint, soon, Parcel{"tea", 2});
    auto sending = workflow::start_nexus_operation<&PythonDepot::send>(endpoint, soon, "home");
    seen += sending.operation_token().empty() ? "; no token" : "; " + sending.get();
    for (const int count : {0, -1}) {
      try {
        workflow::execute_nexus_operation<&PythonDepot::pack>(endpoint, soon, Parcel{"tea", count});
      } catch (const chimera::NexusOperationError& error) {
        seen += "; " + told(error);
      }
    }
    try {
      workflow::execute_nexus_operation<&PythonDepot::send>(endpoint, soon, "nowhere");
    } catch (const chimera::NexusOperationError& error) {
      seen += "; " + told(error);
    }
    auto far = workflow::start_nexus_operation<&PythonDepot::send>(endpoint, soon, "far");
    far.cancel();
    try {
      far.get();
    } catch (const chimera::NexusOperationError& error) {
      seen += "; " + told(error);
    }
    return seen;
  }
};
const auto kCaller = chimera::define_workflow<&NativeCaller::run>("NativeCaller");

}  // namespace

CHIMERA_LIBRARY(library) { library.add(kDelivery).add(kCaller).add(depot()); }

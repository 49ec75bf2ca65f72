// Starts beside their caller, and calls by serialized messages.
#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

#include "chimera/client.h"
#include "chimera/context.h"
#include "core/rpc/method_names.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {
namespace detail {

void start_async(const ClientPtr& client, std::string_view type, const WorkflowOptions& options,
                 Arguments arguments, std::function<void(const Target*, std::exception_ptr)> done) {
  sdk::refuse_in_workflow("chimera::Client::start_workflow_async");
  std::vector<Payload> values = sdk::to_public(sdk::encode_arguments(arguments, nullptr));
  client->threads()->run([client, type = std::string(type), options, values = std::move(values),
                          done = std::move(done), context = Context::current()] {
    const ContextScope scope(context);
    try {
      std::vector<Argument> list;
      for (const Payload& value : values) list.push_back(argument(value));
      const Target target = start(*client, type, options, list);
      done(&target, nullptr);
    } catch (...) {
      done(nullptr, std::current_exception());
    }
  });
}

}  // namespace detail

namespace {

bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_';
  });
}

}  // namespace

std::string Client::call_raw(std::string_view service, std::string_view method,
                             std::string request) const {
  sdk::refuse_in_workflow("chimera::Client::call_raw");
  if (!is_name(service) || !is_name(method)) {
    throw std::invalid_argument(
        absl::StrCat("call_raw() was given the service \"", std::string(service),
                     "\" and the method \"", std::string(method),
                     "\"; their names are as in temporal.api.workflowservice.v1.WorkflowService "
                     "and GetSystemInfo"));
  }
  const std::string path = absl::StrCat("/", std::string(service), "/", std::string(method));
  std::string response;
  absl::Status status;
  absl::Notification ready;
  state_->connection->call(core::interned_method(path), std::move(request), &response,
                           state_->call_options(), [&](absl::Status answer) {
                             status = std::move(answer);
                             ready.Notify();
                           });
  ready.WaitForNotification();
  if (!status.ok()) sdk::throw_rpc(status, absl::StrCat("cannot call ", path.substr(1)));
  return response;
}

}  // namespace chimera

#include "sdk-cpp/src/operations/nexus_operation.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/nexus_operation.h"
#include "sdk-cpp/src/calls.h"
#include "sdk-cpp/src/operations/end.h"

namespace chimera::sdk {
namespace {

using Start = core::ResolveNexusOperationStart;

void check(const StartNexusOperationInput& input) {
  const auto require = [&](std::string_view value, const char* what) {
    if (!value.empty()) return;
    throw std::invalid_argument(absl::StrCat("a Nexus operation needs ", what, ": endpoint '",
                                             std::string(input.endpoint), "', service '",
                                             std::string(input.service), "', operation '",
                                             std::string(input.operation), "'"));
  };
  require(input.endpoint, "the name of an endpoint");
  require(input.service, "the name of a service");
  require(input.operation, "a name");
}

void set_attributes(api::command::v1::ScheduleNexusOperationCommandAttributes& attributes,
                    const StartNexusOperationInput& input, const Codec& codec) {
  const NexusOperationOptions& options = input.options;
  attributes.set_endpoint(std::string(input.endpoint));
  attributes.set_service(std::string(input.service));
  attributes.set_operation(std::string(input.operation));
  if (input.input.empty()) {
    PayloadSink(attributes.mutable_input()).set_null();
    encode_in_place(*attributes.mutable_input(), codec);
  } else {
    *attributes.mutable_input() =
        std::move(*encode_arguments(input.input, codec).mutable_payloads(0));
  }
  set_duration(options.schedule_to_close_timeout,
               "NexusOperationOptions::schedule_to_close_timeout",
               [&] { return attributes.mutable_schedule_to_close_timeout(); });
  set_duration(options.schedule_to_start_timeout,
               "NexusOperationOptions::schedule_to_start_timeout",
               [&] { return attributes.mutable_schedule_to_start_timeout(); });
  set_duration(options.start_to_close_timeout, "NexusOperationOptions::start_to_close_timeout",
               [&] { return attributes.mutable_start_to_close_timeout(); });
  attributes.mutable_nexus_header()->insert(options.headers.begin(), options.headers.end());
}

}  // namespace

OperationPtr NexusOperations::call(StartNexusOperationInput& input) {
  const auto start = std::make_shared<NexusOperationStart>();
  start->operation = std::make_shared<NexusOperation>();
  if (!run_.may_change(input.kCall)) return start;
  check(input);
  NexusOperation& operation = *start->operation;
  operation.values.emplace(run_.codec, input.endpoint, input.service, input.operation);
  start->codec = operation.codec = &operation.values->codec();
  core::ScheduleNexusOperation command{};
  set_attributes(command.attributes, input, *start->codec);
  command.cancellation_type =
      static_cast<core::NexusOperationCancellationType>(input.options.cancellation_type);
  starts_.add(start);
  operations_.add(start->operation);
  command.seq = start->seq;
  run_.add_command(std::move(command), input.options.summary);
  return start;
}

void NexusOperations::apply(const Start& job) {
  const std::shared_ptr<NexusOperationStart> start =
      starts_.take(job.seq, "the start of Nexus operation", run_);
  if (start == nullptr) return;
  if (const auto* failed = std::get_if<core::Failed>(&job.status)) {
    operations_.take(job.seq);
    return scheduler_.resolve(*start, *failed->failure);
  }
  if (const auto* started = std::get_if<Start::OperationToken>(&job.status))
    start->operation->token = started->token;
  scheduler_.resolve(*start, nullptr);
}

void NexusOperations::apply(const core::ResolveNexusOperation& job) {
  const std::shared_ptr<NexusOperation> operation =
      operations_.take(job.seq, "Nexus operation", run_);
  if (operation == nullptr) return;
  const auto resolve = [&](Operation& each) {
    if (end(scheduler_, each, job.result)) return;
    scheduler_.resolve(each, *std::get<core::ResolveNexusOperation::TimedOut>(job.result).failure);
  };
  resolve(*operation);
  // A cancellation that is not waited for comes before the start.
  if (const auto start = starts_.take(job.seq)) resolve(*start);
}

}  // namespace chimera::sdk

namespace chimera::detail {

OperationPtr start_nexus_operation(std::string_view endpoint, std::string_view service,
                                   std::string_view operation, const NexusOperationOptions& options,
                                   Arguments input) {
  const OperationPtr start = sdk::call_and_wait(
      sdk::StartNexusOperationInput{endpoint, service, operation, options, input});
  return static_cast<const sdk::NexusOperationStart&>(*start).operation;
}

const std::string& nexus_operation_token(const OperationPtr& operation) {
  sdk::require(operation, "handle");
  return static_cast<const sdk::NexusOperation&>(*operation).token;
}

}  // namespace chimera::detail

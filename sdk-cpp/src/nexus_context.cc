#include "sdk-cpp/src/nexus_context.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/metric_meter.h"

namespace chimera::sdk {
namespace {

thread_local NexusContext* current_context = nullptr;

using Texts = std::map<std::string, std::string>;

nexus::Info make_info(const core::NexusTask& task, const NexusContext::Worker& worker) {
  const auto& request = task.message->request();
  nexus::Info info{.namespace_ = worker.namespace_,
                   .task_queue = worker.task_queue,
                   .endpoint = request.endpoint(),
                   .headers = Texts(request.header().begin(), request.header().end())};
  if (task.deadline) info.deadline = *task.deadline;
  if (request.has_cancel_operation()) {
    const auto& cancel = request.cancel_operation();
    info.service = cancel.service();
    info.operation = cancel.operation();
    info.operation_token = cancel.operation_token().empty()
                               ? cancel.operation_id()  // Of servers before 1.27.
                               : cancel.operation_token();
    return info;
  }
  const auto& start = request.start_operation();
  info.service = start.service();
  info.operation = start.operation();
  info.request_id = start.request_id();
  info.callback_url = start.callback();
  info.callback_headers = Texts(start.callback_header().begin(), start.callback_header().end());
  for (const auto& link : start.links()) info.links.push_back({link.url(), link.type()});
  return info;
}

}  // namespace

NexusContext::NexusContext(core::NexusTask task, Worker worker)
    : task_(std::move(task)),
      worker_(std::move(worker)),
      info_(make_info(task_, worker_)),
      values_(worker_.codec, info_.endpoint, info_.service, info_.operation),
      owner_(absl::StrCat("Nexus operation ", info_.service, "/", info_.operation,
                          info_.request_id.empty()
                              ? " (its cancellation)"
                              : absl::StrCat(" (request ", info_.request_id, ")"))) {}

NexusContext& NexusContext::current(const char* call) {
  if (current_context != nullptr) return *current_context;
  throw std::logic_error(
      absl::StrCat("chimera::nexus::", call,
                   " was called outside of a Nexus handler; only the thread that runs one may"));
}
NexusContext* NexusContext::current_or_null() { return current_context; }
void NexusContext::enter(NexusContext* context) { current_context = context; }

std::vector<ProtoLink> NexusContext::request_links() const {
  std::vector<ProtoLink> out;
  for (const nexus::Link& link : info_.links)
    if (auto proto = to_proto(link)) out.push_back(*std::move(proto));
  return out;
}

void NexusContext::cancel(core::NexusCancelReason reason) {
  cancel_reason_.store(static_cast<int>(reason));
  cancelled_.request();
}

std::optional<core::NexusCancelReason> NexusContext::cancel_reason() const {
  const int reason = cancel_reason_.load();
  if (reason < 0) return std::nullopt;
  return static_cast<core::NexusCancelReason>(reason);
}

LogFields log_fields(const nexus::Info& info) {
  return {{"service", info.service},
          {"operation", info.operation},
          {"task_queue", info.task_queue},
          {"request_id", info.request_id}};
}

}  // namespace chimera::sdk

namespace chimera::nexus {

using sdk::NexusContext;

const Info& info() { return NexusContext::current("info").info(); }
void add_link(Link link) { NexusContext::current("add_link").add_link(std::move(link)); }
Client client() { return Client(NexusContext::current("client").client()); }

bool is_cancelled() { return NexusContext::current("is_cancelled").cancelled().requested(); }
bool wait_for_cancelled(Duration timeout) {
  return NexusContext::current("wait_for_cancelled").cancelled().wait(timeout);
}
void throw_if_cancelled() {
  if (NexusContext::current("throw_if_cancelled").cancelled().requested())
    throw CancelledError("The Nexus request was cancelled");
}
bool is_worker_shutdown() {
  return NexusContext::current("is_worker_shutdown").worker_shutdown().requested();
}
bool wait_for_worker_shutdown(Duration timeout) {
  return NexusContext::current("wait_for_worker_shutdown").worker_shutdown().wait(timeout);
}
std::stop_token cancellation_token() {
  return NexusContext::current("cancellation_token").cancelled().token();
}
std::stop_token worker_shutdown_token() {
  return NexusContext::current("worker_shutdown_token").worker_shutdown().token();
}

namespace {
void write_log(sdk::LogLevel level, std::string_view message) {
  const NexusContext& context = NexusContext::current("logger");
  if (sdk::log_enabled(level)) sdk::log(level, "nexus", message, sdk::log_fields(context.info()));
}
}  // namespace

void Logger::debug(std::string_view message) const { write_log(sdk::LogLevel::kDebug, message); }
void Logger::info(std::string_view message) const { write_log(sdk::LogLevel::kInfo, message); }
void Logger::warning(std::string_view message) const {
  write_log(sdk::LogLevel::kWarning, message);
}
void Logger::error(std::string_view message) const { write_log(sdk::LogLevel::kError, message); }

MetricMeter metric_meter() {
  const NexusContext& context = NexusContext::current("metric_meter");
  const Info& info = context.info();
  return MetricMeter(std::make_shared<const chimera::detail::Meter>(
      context.metrics(),
      MetricAttributes{{"namespace", info.namespace_},
                       {"task_queue", info.task_queue},
                       {"nexus_service", info.service},
                       {"nexus_operation", info.operation}},
      /*silent_in_replay=*/false));
}

}  // namespace chimera::nexus

// Collector, a collector of OpenTelemetry that keeps what it is sent, for tests.
#ifndef CHIMERA_TESTS_SUPPORT_COLLECTOR_H_
#define CHIMERA_TESTS_SUPPORT_COLLECTOR_H_

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#include "chimera_otlp/collector/metrics/v1/metrics_service.pb.h"
#include "chimera_otlp/collector/trace/v1/trace_service.pb.h"
#include "sdk-cpp/src/http/server.h"

namespace chimera::testing {

// Any thread.
class Collector {
 public:
  using Traces = chimera_otlp::collector::trace::v1::ExportTraceServiceRequest;
  using Metrics = chimera_otlp::collector::metrics::v1::ExportMetricsServiceRequest;
  using Span = chimera_otlp::trace::v1::Span;
  using Metric = chimera_otlp::metrics::v1::Metric;

  Collector()
      : server_({.bind_address = "127.0.0.1:0"},
                [this](const http::Request& request) { return answer(request); }) {}

  std::string traces_url() const { return url("/v1/traces"); }
  std::string metrics_url() const { return url("/v1/metrics"); }
  // What the next requests are answered with; then they are taken again.
  void answer_next(std::vector<http::Reply> replies) {
    absl::MutexLock lock(&mutex_);
    replies_.assign(replies.begin(), replies.end());
  }
  // No request is answered until let_go().
  void hold() {
    absl::MutexLock lock(&mutex_);
    held_ = true;
  }
  void let_go() {
    absl::MutexLock lock(&mutex_);
    held_ = false;
  }
  void wait_for_requests(std::size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return requests_.size() >= count;
    };
    mutex_.Await(absl::Condition(&there));
  }

  std::vector<http::Request> requests() const {
    absl::MutexLock lock(&mutex_);
    return requests_;
  }
  // Of those that were taken.
  std::vector<Traces> traces() const {
    absl::MutexLock lock(&mutex_);
    return traces_;
  }
  std::vector<Span> spans() const {
    std::vector<Span> out;
    for (const Traces& report : traces())
      for (const auto& resource : report.resource_spans())
        for (const auto& scope : resource.scope_spans())
          out.insert(out.end(), scope.spans().begin(), scope.spans().end());
    return out;
  }
  std::vector<Metrics> metrics() const {
    absl::MutexLock lock(&mutex_);
    return metrics_;
  }

 private:
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(server_.port()) + path;
  }
  http::Reply answer(const http::Request& request) {
    absl::MutexLock lock(&mutex_);
    requests_.push_back(request);
    const auto free = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !held_; };
    mutex_.Await(absl::Condition(&free));
    if (!replies_.empty()) {
      const http::Reply reply = replies_.front();
      replies_.pop_front();
      if (reply.status != 200) return reply;
      keep(request);
      return reply;
    }
    return keep(request) ? http::Reply{} : http::Reply{.status = 400};
  }
  bool keep(const http::Request& request) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (request.path == "/v1/traces") return traces_.emplace_back().ParseFromString(request.body);
    return request.path == "/v1/metrics" && metrics_.emplace_back().ParseFromString(request.body);
  }

  mutable absl::Mutex mutex_;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<http::Reply> replies_ ABSL_GUARDED_BY(mutex_);
  std::vector<http::Request> requests_ ABSL_GUARDED_BY(mutex_);
  std::vector<Traces> traces_ ABSL_GUARDED_BY(mutex_);
  std::vector<Metrics> metrics_ ABSL_GUARDED_BY(mutex_);
  http::Server server_;  // Last: it uses the others.
};

// "string", "7", "0.5", "true", by name.
template <class Attributes>
std::map<std::string, std::string> texts(const Attributes& attributes) {
  std::map<std::string, std::string> out;
  for (const auto& each : attributes) {
    const auto& value = each.value();
    if (value.has_string_value()) out[each.key()] = value.string_value();
    if (value.has_int_value()) out[each.key()] = std::to_string(value.int_value());
    if (value.has_bool_value()) out[each.key()] = value.bool_value() ? "true" : "false";
    if (value.has_double_value()) out[each.key()] = absl::StrCat(value.double_value());
  }
  return out;
}

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_SUPPORT_COLLECTOR_H_

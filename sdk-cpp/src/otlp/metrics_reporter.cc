#include "sdk-cpp/src/otlp/metrics_reporter.h"

#include <numeric>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include <unistd.h>

#include "chimera_otlp/collector/metrics/v1/metrics_service.pb.h"
#include "core/telemetry/log.h"
#include "sdk-cpp/src/otlp/metrics_message.h"
#include "sdk-cpp/src/otlp/sender.h"

namespace chimera::otlp {
namespace {

constexpr char kOptions[] = "OtlpMetricsConfig";

const OtlpMetricsConfig& checked(const OtlpMetricsConfig& config) {
  if (config.interval <= std::chrono::milliseconds(0))
    throw std::invalid_argument(absl::StrCat(kOptions, "::interval must be positive"));
  return config;
}

}  // namespace

class MetricsReporter::State final : public Ending {
 public:
  State(const OtlpMetricsConfig& config, std::shared_ptr<const core::Metrics> metrics)
      : config_(checked(config)),
        metrics_(std::move(metrics)),
        message_(config.delta, config.resource_attributes, metrics_->options().global_tags),
        sender_(kOptions, config.endpoint, config.headers, config.timeout),
        thread_([this] { run(); }) {}
  ~State() override { end(); }

  void end() override {
    if (getpid() != process_) {  // After a fork: the thread is the parent's.
      if (thread_.joinable()) thread_.detach();
      return;
    }
    absl::MutexLock once(&ending_);
    if (!thread_.joinable()) return;
    {
      absl::MutexLock lock(&mutex_);
      asked_to_end_ = true;
      if (!mutex_.AwaitWithTimeout(absl::Condition(&ended_), absl::FromChrono(config_.timeout)))
        sender_.give_up();
    }
    thread_.join();
  }

 private:
  void run() {
    absl::Time due = absl::Now();
    for (bool last = false; !last;) {
      // Of a report that took longer than the interval none is made up for.
      due = std::max(due + absl::FromChrono(config_.interval), absl::Now());
      {
        absl::MutexLock lock(&mutex_);
        mutex_.AwaitWithTimeout(absl::Condition(&asked_to_end_), due - absl::Now());
        last = asked_to_end_;
      }
      report();
    }
    absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  void report() {
    proto::collector::metrics::v1::ExportMetricsServiceRequest report;
    proto::collector::metrics::v1::ExportMetricsServiceResponse answer;
    if (!message_.fill(metrics_->read(), std::chrono::system_clock::now(),
                       *report.add_resource_metrics()))
      return;
    const std::string failure = sender_.send(report, answer);
    if (!failure.empty()) {
      core::log(core::LogLevel::kWarn, "sdk", absl::StrCat("metrics were not reported: ", failure));
      return;
    }
    message_.taken();
    const auto& rest = answer.partial_success();
    if (rest.rejected_data_points() > 0 || !rest.error_message().empty())
      core::log(core::LogLevel::kWarn, "sdk",
                absl::StrCat("the collector took all but ", rest.rejected_data_points(),
                             " of our metrics' points: ", rest.error_message()));
  }

  const OtlpMetricsConfig config_;
  const std::shared_ptr<const core::Metrics> metrics_;
  const pid_t process_ = getpid();
  MetricsMessage message_;  // The thread's.
  Sender sender_;
  absl::Mutex mutex_;
  bool asked_to_end_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex ending_;
  std::thread thread_;
};

void check(const OtlpMetricsConfig& config) {
  checked(config);
  const Sender sender(kOptions, config.endpoint, config.headers, config.timeout);
}

MetricsReporter::MetricsReporter(const OtlpMetricsConfig& config,
                                 std::shared_ptr<const core::Metrics> metrics)
    : state_(std::make_shared<State>(config, std::move(metrics))) {
  end_with_process(state_);
}
MetricsReporter::~MetricsReporter() { state_->end(); }

}  // namespace chimera::otlp

// otlp_tracer(): the queue of what has ended, and the thread that sends it.
#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include <unistd.h>

#include "chimera/opentelemetry.h"
#include "chimera_otlp/collector/trace/v1/trace_service.pb.h"
#include "core/telemetry/log.h"
#include "sdk-cpp/src/otlp/sender.h"
#include "sdk-cpp/src/otlp/span.h"

namespace chimera {
namespace otlp {
namespace {

using Report = proto::collector::trace::v1::ExportTraceServiceRequest;
using Answer = proto::collector::trace::v1::ExportTraceServiceResponse;

constexpr char kOptions[] = "OtlpTracerOptions";

OtlpTracerOptions checked(const OtlpTracerOptions& options) {
  const auto refuse = [](const char* what) {
    throw std::invalid_argument(absl::StrCat(kOptions, "::", what));
  };
  if (!(options.sampled_share >= 0 && options.sampled_share <= 1))
    refuse("sampled_share must be from 0 to 1");
  if (options.batch_size == 0) refuse("batch_size must not be 0");
  if (options.queue_size < options.batch_size)
    refuse("queue_size must not be less than batch_size");
  if (options.delay <= std::chrono::milliseconds(0)) refuse("delay must be positive");
  if (options.service_name.empty()) refuse("service_name is empty");
  if (options.resource_attributes.contains("service.name"))
    refuse("resource_attributes has service.name; give it as service_name");
  return options;
}

proto::trace::v1::ResourceSpans envelope(const OtlpTracerOptions& options) {
  proto::trace::v1::ResourceSpans out;
  set(*out.mutable_resource()->add_attributes(), "service.name", options.service_name);
  set_sdk(*out.mutable_resource());
  for (const auto& [name, value] : options.resource_attributes)
    set(*out.mutable_resource()->add_attributes(), name, value);
  auto* const scope = out.add_scope_spans()->mutable_scope();
  scope->set_name("chimera");
  scope->set_version(CHIMERA_VERSION);
  return out;
}

class SpanQueue final : public SpanSink, public Ending {
 public:
  explicit SpanQueue(const OtlpTracerOptions& options)
      : options_(checked(options)),
        envelope_(envelope(options)),
        sender_(kOptions, options.endpoint, options.headers, options.timeout),
        thread_([this] { run(); }) {}
  ~SpanQueue() override { end(); }

  void take(SpanMessage span) override {
    absl::MutexLock lock(&mutex_);
    if (ended_) return;
    if (waiting_.size() >= options_.queue_size) {
      ++dropped_;
      return;
    }
    if (waiting_.empty()) due_ = absl::Now() + absl::FromChrono(options_.delay);
    waiting_.push_back(std::move(span));
    ++taken_;
  }

  bool flush(std::chrono::milliseconds timeout) {
    absl::MutexLock lock(&mutex_);
    const std::uint64_t lost = lost_;
    const std::uint64_t target = wanted_ = taken_;
    const auto settled = [this, target]()
                             ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return settled_ >= target; };
    return mutex_.AwaitWithTimeout(absl::Condition(&settled),
                                   absl::FromChrono(std::max(timeout, timeout.zero()))) &&
           lost == lost_;
  }

  void end() override {
    if (getpid() != process_) {  // After a fork: the thread is the parent's.
      if (thread_.joinable()) thread_.detach();
      return;
    }
    absl::MutexLock once(&ending_);
    if (!thread_.joinable()) return;
    {
      absl::MutexLock lock(&mutex_);
      ended_ = true;
      const auto all = [this]()
                           ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return settled_ == taken_; };
      if (!mutex_.AwaitWithTimeout(absl::Condition(&all), absl::FromChrono(options_.timeout))) {
        gave_up_ = true;
        sender_.give_up();
      }
    }
    thread_.join();
  }

  double share() const { return options_.sampled_share; }

 private:
  bool has_work() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return ended_ || waiting_.size() >= options_.batch_size || wanted_ > settled_;
  }

  void run() {
    absl::MutexLock lock(&mutex_);
    for (;;) {
      const auto begins = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return ended_ || !waiting_.empty();
      };
      const auto ready = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return has_work(); };
      mutex_.Await(absl::Condition(&begins));
      mutex_.AwaitWithTimeout(absl::Condition(&ready), due_ - absl::Now());
      report_drops();
      if (waiting_.empty()) return;  // It has ended.
      if (gave_up_) return lose_the_rest();
      send_batch();
    }
  }
  // Gives the lock up meanwhile.
  void send_batch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::size_t count = std::min(options_.batch_size, waiting_.size());
    Report report;
    auto* const spans = report.add_resource_spans();
    *spans = envelope_;
    auto& into = *spans->mutable_scope_spans(0)->mutable_spans();
    for (std::size_t i = 0; i < count; ++i) into.AddAllocated(waiting_[i].release());
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    due_ = absl::Now() + absl::FromChrono(options_.delay);
    mutex_.Unlock();
    const std::uint64_t lost = send(report, count);
    mutex_.Lock();
    lost_ += lost;
    settled_ += count;
  }
  std::uint64_t send(const Report& report, std::size_t count) {
    Answer answer;
    const std::string failure = sender_.send(report, answer);
    if (!failure.empty()) {
      core::log(core::LogLevel::kWarn, "sdk",
                absl::StrCat("otlp_tracer: ", count, " spans are lost: ", failure));
      return count;
    }
    const auto& rest = answer.partial_success();
    if (rest.rejected_spans() > 0 || !rest.error_message().empty())
      core::log(core::LogLevel::kWarn, "sdk",
                absl::StrCat("otlp_tracer: the collector took all but ", rest.rejected_spans(),
                             " spans: ", rest.error_message()));
    return static_cast<std::uint64_t>(std::max<std::int64_t>(rest.rejected_spans(), 0));
  }
  void report_drops() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (dropped_ == 0) return;
    core::log(core::LogLevel::kWarn, "sdk",
              absl::StrCat("otlp_tracer: ", dropped_, " spans were dropped: ", options_.queue_size,
                           " waited already (queue_size)"));
    lost_ += std::exchange(dropped_, 0);
  }
  void lose_the_rest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    core::log(core::LogLevel::kWarn, "sdk",
              absl::StrCat("otlp_tracer: ", waiting_.size(), " spans are lost: ended before ",
                           options_.endpoint, " took them"));
    lost_ += waiting_.size();
    settled_ += waiting_.size();
    waiting_.clear();
  }

  const OtlpTracerOptions options_;
  const proto::trace::v1::ResourceSpans envelope_;
  const pid_t process_ = getpid();
  Sender sender_;
  absl::Mutex mutex_;
  std::vector<SpanMessage> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::Time due_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();  // Of what waits.
  // All of them spans: that came, whose fate is known, that a flush waits for, that nobody has.
  std::uint64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t settled_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t wanted_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t lost_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;  // Of the lost, not yet told.
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool gave_up_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Mutex ending_;
  std::thread thread_;
};

class QueuedTracer final : public OtlpTracer {
 public:
  explicit QueuedTracer(const OtlpTracerOptions& options)
      : queue_(std::make_shared<SpanQueue>(options)) {
    end_with_process(queue_);
  }
  ~QueuedTracer() override { queue_->end(); }
  std::shared_ptr<Span> start_span(std::string_view name, const SpanOptions& options) override {
    return begin_span(new_context(options.parent, queue_->share()), name, options, queue_);
  }
  bool flush(std::chrono::milliseconds timeout) override { return queue_->flush(timeout); }

 private:
  const std::shared_ptr<SpanQueue> queue_;  // Shared with the spans under way.
};

}  // namespace
}  // namespace otlp

std::shared_ptr<OtlpTracer> otlp_tracer(const OtlpTracerOptions& options) {
  return std::make_shared<otlp::QueuedTracer>(options);
}

}  // namespace chimera

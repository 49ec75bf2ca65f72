#include "sdk-cpp/src/otlp/span.h"

#include <cmath>
#include <random>
#include <type_traits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "core/base/utf8.h"

namespace chimera::otlp {
namespace {

constexpr int kMost = 128;  // Events, links, attributes: OpenTelemetry's own limits of a span.

std::uint64_t random_bits() {
  thread_local std::mt19937_64 numbers = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return numbers();
}

std::string random_half() {  // 16 digits, not all of them 0.
  std::uint64_t bits = 0;
  while (bits == 0) bits = random_bits();
  return absl::StrCat(absl::Hex(bits, absl::kZeroPad16));
}

// As OpenTelemetry's TraceIdRatioBased in other languages: by the id's last 64 bits, so that they
// decide alike.
bool is_sampled(const std::string& trace_id, double share) {
  if (share >= 1) return true;
  std::uint64_t low = 0;
  (void)absl::SimpleHexAtoi(trace_id.substr(16), &low);
  return low < static_cast<std::uint64_t>(std::ldexp(share, 64));
}

template <class Attributes>
void set_all(const SpanAttributes& from, Attributes&& add) {
  int count = 0;
  for (const auto& [name, value] : from)
    if (count++ < kMost) set(*add(), name, value);
}

std::string text(std::string_view value) { return base::valid_utf8(std::string(value)); }

class SampledSpan final : public Span {
 public:
  SampledSpan(SpanContext context, std::string_view name, const SpanOptions& options,
              std::shared_ptr<SpanSink> sink)
      : context_(std::move(context)),
        sink_(std::move(sink)),
        message_(std::make_unique<proto::trace::v1::Span>()) {
    message_->set_trace_id(absl::HexStringToBytes(context_.trace_id));
    message_->set_span_id(absl::HexStringToBytes(context_.span_id));
    message_->set_trace_state(text(context_.trace_state));
    message_->set_flags(1);  // W3C's: sampled.
    if (options.parent && options.parent->valid())
      message_->set_parent_span_id(absl::HexStringToBytes(options.parent->span_id));
    message_->set_name(text(name));
    message_->set_kind(static_cast<proto::trace::v1::Span::SpanKind>(options.kind));
    message_->set_start_time_unix_nano(at(options.start_time));
    set_all(options.attributes, [this] { return message_->add_attributes(); });
    message_->set_dropped_attributes_count(dropped(options.attributes.size()));
    for (const SpanContext& link : options.links) add_link(link);
    message_->set_dropped_links_count(dropped(options.links.size()));
  }

  SpanContext context() const override { return context_; }
  void add_event(std::string_view name, const SpanAttributes& attributes) override {
    if (message_ == nullptr) return;
    if (message_->events_size() >= kMost) {
      message_->set_dropped_events_count(message_->dropped_events_count() + 1);
      return;
    }
    auto* const event = message_->add_events();
    event->set_time_unix_nano(at(std::nullopt));
    event->set_name(text(name));
    set_all(attributes, [event] { return event->add_attributes(); });
    event->set_dropped_attributes_count(dropped(attributes.size()));
  }
  void set_error(std::string_view description) override {
    if (message_ == nullptr) return;
    message_->mutable_status()->set_code(proto::trace::v1::Status::STATUS_CODE_ERROR);
    message_->mutable_status()->set_message(text(description));
  }
  void end(std::optional<Time> time) override {
    if (message_ == nullptr) return;
    message_->set_end_time_unix_nano(at(time));
    sink_->take(std::move(message_));
  }

 private:
  static std::uint64_t at(std::optional<Time> time) {
    return time ? static_cast<std::uint64_t>(time->time_since_epoch().count())
                : nanoseconds(std::chrono::system_clock::now());
  }
  static std::uint32_t dropped(std::size_t count) {
    return count > kMost ? static_cast<std::uint32_t>(count - kMost) : 0;
  }
  void add_link(const SpanContext& to) {
    if (message_->links_size() >= kMost) return;
    auto* const link = message_->add_links();
    link->set_trace_id(absl::HexStringToBytes(to.trace_id));
    link->set_span_id(absl::HexStringToBytes(to.span_id));
    link->set_trace_state(text(to.trace_state));
    link->set_flags(to.sampled ? 1 : 0);
  }

  const SpanContext context_;
  const std::shared_ptr<SpanSink> sink_;
  SpanMessage message_;  // Null: it has ended.
};

// Its ids go on to what it starts, and nothing is kept of it.
class UnsampledSpan final : public Span {
 public:
  explicit UnsampledSpan(SpanContext context) : context_(std::move(context)) {}
  SpanContext context() const override { return context_; }
  void add_event(std::string_view, const SpanAttributes&) override {}
  void set_error(std::string_view) override {}
  void end(std::optional<Time>) override {}

 private:
  const SpanContext context_;
};

}  // namespace

SpanContext new_context(const std::optional<SpanContext>& parent, double share) {
  if (parent && parent->valid())
    return {.trace_id = parent->trace_id,
            .span_id = random_half(),
            .sampled = parent->sampled,
            .trace_state = parent->trace_state};
  SpanContext out{.trace_id = random_half() + random_half(), .span_id = random_half()};
  out.sampled = is_sampled(out.trace_id, share);
  return out;
}

std::shared_ptr<Span> begin_span(SpanContext context, std::string_view name,
                                 const SpanOptions& options, std::shared_ptr<SpanSink> sink) {
  if (!context.sampled) return std::make_shared<UnsampledSpan>(std::move(context));
  return std::make_shared<SampledSpan>(std::move(context), name, options, std::move(sink));
}

void set(proto::common::v1::KeyValue& attribute, const std::string& name,
         const SpanAttributes::mapped_type& value) {
  if (const auto* const words = std::get_if<std::string>(&value))
    return set(attribute, name, *words);
  attribute.set_key(base::valid_utf8(name));
  if (const auto* const flag = std::get_if<bool>(&value))
    attribute.mutable_value()->set_bool_value(*flag);
  else if (const auto* const number = std::get_if<std::int64_t>(&value))
    attribute.mutable_value()->set_int_value(*number);
  else
    attribute.mutable_value()->set_double_value(std::get<double>(value));
}

}  // namespace chimera::otlp

// The spans of otlp_tracer(): one that is sampled fills a message, which its end hands on.
#ifndef CHIMERA_SDK_CPP_SRC_OTLP_SPAN_H_
#define CHIMERA_SDK_CPP_SRC_OTLP_SPAN_H_

#include <memory>
#include <string>
#include <string_view>

#include "chimera/opentelemetry.h"
#include "chimera_otlp/trace/v1/trace.pb.h"
#include "sdk-cpp/src/otlp/sender.h"

namespace chimera::otlp {

using SpanMessage = std::unique_ptr<proto::trace::v1::Span>;

// Who takes what has ended. Any thread; must not block.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void take(SpanMessage span) = 0;
};

// The context of a span that begins: its trace is its parent's, and so is whether it is sampled;
// without one a new trace, sampled with the probability `share`, which its id decides.
SpanContext new_context(const std::optional<SpanContext>& parent, double share);

std::shared_ptr<Span> begin_span(SpanContext context, std::string_view name,
                                 const SpanOptions& options, std::shared_ptr<SpanSink> sink);

void set(proto::common::v1::KeyValue& attribute, const std::string& name,
         const SpanAttributes::mapped_type& value);

}  // namespace chimera::otlp

#endif  // CHIMERA_SDK_CPP_SRC_OTLP_SPAN_H_

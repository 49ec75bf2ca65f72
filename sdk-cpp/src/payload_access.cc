#include "sdk-cpp/src/payload_access.h"

#include <cmath>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "core/converter/payload.h"

namespace chimera::sdk {
namespace {

void check(const absl::Status& status) {
  if (!status.ok()) throw ConversionError(std::string(status.message()));
}

// Search attributes are never encoded by a codec (spec: the server must read them).
ProtoPayload attribute_payload(const SearchAttributeValue& value) {
  struct TypeName {
    const char* operator()(std::monostate) const { return ""; }
    const char* operator()(const std::string&) const { return "Keyword"; }
    const char* operator()(std::int64_t) const { return "Int"; }
    const char* operator()(double) const { return "Double"; }
    const char* operator()(bool) const { return "Bool"; }
    const char* operator()(Time) const { return "Datetime"; }
    const char* operator()(const std::vector<std::string>&) const { return "KeywordList"; }
    const char* operator()(const SearchAttributeText&) const { return "Text"; }
  };
  ProtoPayload payload;
  PayloadSink sink(&payload);
  const auto write = [&](const auto& held) {
    if constexpr (requires { held.text; }) {
      encode(sink, held.text);
    } else {
      encode(sink, held);
    }
  };
  std::visit(write, value);
  const std::string type = std::visit(TypeName{}, value);
  if (!type.empty()) (*payload.mutable_metadata())["type"] = type;
  return payload;
}

}  // namespace

Payload to_public(const ProtoPayload& payload) {
  return {.metadata = {payload.metadata().begin(), payload.metadata().end()},
          .data = payload.data()};
}

ProtoPayload to_proto(const Payload& payload) {
  ProtoPayload proto;
  PayloadSink(&proto).set(payload);
  return proto;
}

std::vector<Payload> to_public(const ProtoPayloads& payloads) {
  std::vector<Payload> out;
  out.reserve(static_cast<std::size_t>(payloads.payloads_size()));
  for (const auto& payload : payloads.payloads()) out.push_back(to_public(payload));
  return out;
}

ProtoPayloads to_proto(const std::vector<Payload>& payloads) {
  ProtoPayloads proto;
  for (const auto& payload : payloads) PayloadSink(proto.add_payloads()).set(payload);
  return proto;
}

ProtoPayloads encode_arguments(detail::Arguments arguments, const Codec& codec) {
  ProtoPayloads payloads;
  {
    const Converting converting(codec.context());
    for (const detail::Argument& argument : arguments) {
      PayloadSink sink(payloads.add_payloads());
      argument.encode(argument.value, sink);
    }
  }
  encode_in_place(payloads, codec);
  return payloads;
}

void encode_in_place(ProtoPayload& payload, const Codec& codec) {
  if (codec.payloads() != nullptr) check(core::encode_one(*codec.payloads(), payload));
}

void encode_in_place(ProtoPayloads& payloads, const Codec& codec) {
  if (codec.payloads() != nullptr && payloads.payloads_size() > 0)
    check(codec.payloads()->encode(payloads));
}

const ProtoPayloads& decoded(const ProtoPayloads& payloads, const Codec& codec,
                             ProtoPayloads& scratch) {
  if (codec.payloads() == nullptr || payloads.payloads_size() == 0) return payloads;
  scratch = payloads;
  check(codec.payloads()->decode(scratch));
  return scratch;
}

const ProtoPayload& decoded(const ProtoPayload& payload, const Codec& codec,
                            ProtoPayload& scratch) {
  if (codec.payloads() == nullptr) return payload;
  scratch = payload;
  check(core::decode_one(*codec.payloads(), scratch));
  return scratch;
}

const ProtoPayloads& with_name(const std::string& name, const ProtoPayloads& arguments,
                               ProtoPayloads& scratch) {
  ProtoPayloads all;
  PayloadSink sink(all.add_payloads());
  encode(sink, name);
  all.MergeFrom(arguments);
  scratch = std::move(all);
  return scratch;
}

api::common::v1::Memo to_proto(const Memo& memo, const Codec& codec) {
  api::common::v1::Memo proto;
  for (const auto& [key, value] : memo) {
    ProtoPayload& payload = (*proto.mutable_fields())[key];
    if (value.metadata.empty() && value.data.empty()) {
      payload = core::null_payload();  // Removes the entry; a null is how the protocol says that.
    } else {
      payload = to_proto(value);
      encode_in_place(payload, codec);
    }
  }
  return proto;
}

api::common::v1::SearchAttributes to_proto(const SearchAttributes& attributes) {
  api::common::v1::SearchAttributes proto;
  for (const auto& [key, value] : attributes) {
    (*proto.mutable_indexed_fields())[key] = attribute_payload(value);
  }
  return proto;
}

Memo to_public(const api::common::v1::Memo& memo, const Codec& codec) {
  Memo out;
  for (const auto& [key, value] : memo.fields()) {
    ProtoPayload scratch;
    out[key] = to_public(decoded(value, codec, scratch));
  }
  return out;
}

std::map<std::string, Payload> to_public(const api::common::v1::SearchAttributes& attributes) {
  std::map<std::string, Payload> out;
  for (const auto& [key, value] : attributes.indexed_fields()) out[key] = to_public(value);
  return out;
}

std::optional<SearchAttributeValue> to_attribute(const ProtoPayload& proto) {
  const Payload payload = to_public(proto);
  const auto type = payload.metadata.find("type");
  if (type == payload.metadata.end()) return std::nullopt;
  try {
    if (type->second == "Keyword") return from_payload<std::string>(payload);
    if (type->second == "Text") return SearchAttributeText{from_payload<std::string>(payload)};
    if (type->second == "Int") return from_payload<std::int64_t>(payload);
    if (type->second == "Double") return from_payload<double>(payload);
    if (type->second == "Bool") return from_payload<bool>(payload);
    if (type->second == "Datetime") return from_payload<Time>(payload);
    if (type->second == "KeywordList") return from_payload<std::vector<std::string>>(payload);
  } catch (const ConversionError&) {  // Such as a list where there is to be one value.
  }
  return std::nullopt;
}

namespace {
template <class T>
bool read_as(const Payload& payload, SearchAttributeValue& out) {
  try {
    out = from_payload<T>(payload);
    return true;
  } catch (const ConversionError&) {
    return false;
  }
}
}  // namespace

SearchAttributeValue to_value(const ProtoPayload& proto) {
  if (auto typed = to_attribute(proto)) return *std::move(typed);
  const Payload payload = to_public(proto);
  SearchAttributeValue out;
  if (PayloadSource(&proto).encoding() == "json/plain" && payload.data != "null") {
    static_cast<void>(read_as<bool>(payload, out) || read_as<std::int64_t>(payload, out) ||
                      read_as<double>(payload, out) || read_as<std::string>(payload, out) ||
                      read_as<std::vector<std::string>>(payload, out));
  }
  return out;
}

Duration checked(Duration value, std::string_view option) {
  if (value.count() >= 0) return value;
  throw std::invalid_argument(absl::StrCat(
      std::string(option), " is ", absl::FormatDuration(absl::FromChrono(value)),
      "; it must not be negative, and a duration of more than 292 years has become so on its way "
      "to std::chrono::nanoseconds: leave it out to have none"));
}

namespace {
// The server's rules, which local activities do not meet.
void check(const RetryPolicy& policy) {
  const auto refuse = [](const char* field, const auto& value, const char* rule) {
    throw std::invalid_argument(
        absl::StrCat("RetryPolicy::", field, " is ", value, ": it must ", rule));
  };
  if (policy.backoff_coefficient != 0 && !(policy.backoff_coefficient >= 1))
    refuse("backoff_coefficient", policy.backoff_coefficient, "be at least 1");
  if (policy.maximum_attempts < 0)
    refuse("maximum_attempts", policy.maximum_attempts, "not be negative; 0 is without a limit");
  if (policy.maximum_interval > Duration::zero() &&
      policy.maximum_interval < policy.initial_interval) {
    refuse("maximum_interval", absl::FormatDuration(absl::FromChrono(policy.maximum_interval)),
           "not be less than initial_interval");
  }
}
}  // namespace

api::common::v1::RetryPolicy to_proto(const RetryPolicy& policy) {
  check(policy);
  api::common::v1::RetryPolicy proto;
  base::set_duration(checked(policy.initial_interval, "RetryPolicy::initial_interval"),
                     *proto.mutable_initial_interval());
  proto.set_backoff_coefficient(policy.backoff_coefficient);
  set_duration(policy.maximum_interval, "RetryPolicy::maximum_interval",
               [&] { return proto.mutable_maximum_interval(); });
  proto.set_maximum_attempts(policy.maximum_attempts);
  for (const auto& type : policy.non_retryable_error_types)
    proto.add_non_retryable_error_types(type);
  return proto;
}

RetryPolicy to_public(const api::common::v1::RetryPolicy& proto) {
  RetryPolicy policy;
  if (proto.has_initial_interval())
    policy.initial_interval = base::to_nanoseconds(proto.initial_interval());
  policy.backoff_coefficient = proto.backoff_coefficient();
  if (proto.has_maximum_interval())
    policy.maximum_interval = base::to_nanoseconds(proto.maximum_interval());
  policy.maximum_attempts = proto.maximum_attempts();
  policy.non_retryable_error_types = {proto.non_retryable_error_types().begin(),
                                      proto.non_retryable_error_types().end()};
  return policy;
}

api::common::v1::Priority to_proto(const Priority& priority) {
  if (!std::isfinite(priority.fairness_weight) || priority.fairness_weight < 0) {
    throw std::invalid_argument(absl::StrCat("Priority::fairness_weight is ",
                                             priority.fairness_weight,
                                             "; it is above 0, or 0 for the server's 1"));
  }
  api::common::v1::Priority proto;
  proto.set_priority_key(priority.priority_key);
  proto.set_fairness_key(priority.fairness_key);
  proto.set_fairness_weight(priority.fairness_weight);
  return proto;
}

Priority to_public(const api::common::v1::Priority& priority) {
  return {.priority_key = priority.priority_key(),
          .fairness_key = priority.fairness_key(),
          .fairness_weight = priority.fairness_weight()};
}

void set_metadata(std::string_view summary, std::string_view details, const Codec& codec,
                  api::sdk::v1::UserMetadata& out) {
  const auto put = [&codec](std::string_view text, auto& payload) {
    PayloadSink sink(&payload);
    encode(sink, text);
    encode_in_place(payload, codec);
  };
  if (!summary.empty()) put(summary, *out.mutable_summary());
  if (!details.empty()) put(details, *out.mutable_details());
}

std::string read_text(bool there, const ProtoPayload& payload, const Codec& codec) {
  if (!there) return "";
  try {
    ProtoPayload scratch;
    return from_payload<std::string>(to_public(decoded(payload, codec, scratch)));
  } catch (const ConversionError&) {
    return "";
  }
}

}  // namespace chimera::sdk

// What the requests and answers of a client's calls have in common. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_RPC_PARTS_H_
#define CHIMERA_SDK_CPP_SRC_RPC_PARTS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

#include "chimera/options.h"
#include "core/base/api.h"
#include "core/base/transport.h"

namespace chimera::sdk {

std::string random_id();

inline void write_time_skipping(const TimeSkippingConfig& config,
                                api::common::v1::TimeSkippingConfig& out) {
  out.set_enabled(true);
  out.set_disable_propagation(config.disable_propagation);
  out.set_max_session_skip_count(config.max_session_skip_count);
}

// The message of this type among a failed call's google.rpc.Status details.
template <class M>
std::optional<M> detail_of(const absl::Status& status) {
  const auto payload = status.GetPayload(base::kStatusDetails);
  if (!payload) return std::nullopt;
  google::rpc::Status rpc;
  if (!rpc.ParseFromString(std::string(*payload))) return std::nullopt;
  M message;
  for (const auto& any : rpc.details()) {
    if (any.Is<M>() && any.UnpackTo(&message)) return message;
  }
  return std::nullopt;
}

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_RPC_PARTS_H_

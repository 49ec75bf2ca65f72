#include "core/rpc/rpc_metrics.h"

namespace chimera::core {

void RpcMetrics::record(std::string_view method, const std::string& namespace_, bool long_poll,
                        std::chrono::nanoseconds took, const absl::Status& status) {
  std::string key(method.substr(method.rfind('/') + 1));
  std::size_t name_size = key.size();
  key += long_poll ? '+' : '/';
  key += namespace_;
  auto operation = operations_.of(key, [&] {
    SdkMetrics sdk(metrics_ ? *metrics_ : process_metrics(), namespace_, "");
    std::string name = key.substr(0, name_size), prefix = long_poll ? "long_request" : "request";
    Counter& requests = sdk.counter(prefix, {{"operation", name}});
    DurationHistogram latency = sdk.duration(prefix + "_latency", {{"operation", name}});
    return std::shared_ptr<Operation>(new Operation{sdk, name, prefix, requests, latency});
  });
  operation->requests.add();
  operation->latency.record(took);
  if (status.ok()) return;
  operation->sdk
      .counter(operation->prefix + "_failure",
               {{"operation", operation->name},
                {"status_code", absl::StatusCodeToString(status.code())}})
      .add();
}

}  // namespace chimera::core

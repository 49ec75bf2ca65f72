#include "bindings/python/connection.h"

#include <unordered_set>

#include "absl/synchronization/mutex.h"

#include "bindings/python/ending.h"
#include "bindings/python/errors.h"
#include "bindings/python/gil.h"
#include "bindings/python/metrics.h"
#include "bindings/python/options.h"
#include "bindings/python/server.h"
#include "bindings/python/workflow_slot.h"

namespace chimera::bindings {

base::RpcMetadata metadata_from(py::handle pairs) {
  base::RpcMetadata result;
  for (py::handle pair : pairs) {
    auto entry = pair.cast<std::pair<Text, py::object>>();
    std::string& name = entry.first.value;
    const bool binary = name.ends_with("-bin");
    if (binary != py::isinstance<py::bytes>(entry.second)) {
      throw py::type_error(absl::StrCat("RPC metadata '", name, "': ",
                                        binary ? "a key that ends in -bin needs a bytes value"
                                               : "a bytes value needs a key that ends in -bin"));
    }
    result.emplace_back(std::move(name),
                        binary ? entry.second.cast<std::string>() : utf8(entry.second));
  }
  return result;
}

namespace {

core::TlsOptions tls_options(const py::dict& values) {
  core::TlsOptions tls;
  Options options(values, "tls");
  options.read("server_root_ca_cert", tls.server_root_ca_cert);
  options.read("client_cert", tls.client_cert);
  options.read("client_private_key", tls.client_private_key);
  options.read("domain", tls.domain);
  options.read("verification_server_name", tls.verification_server_name);
  options.finish();
  return tls;
}

core::RetryOptions retry_options(const py::dict& values) {
  core::RetryOptions retry;
  Options options(values, "retry");
  options.read("initial_interval", retry.initial_interval);
  options.read("randomization_factor", retry.randomization_factor);
  options.read("multiplier", retry.multiplier);
  options.read("max_interval", retry.max_interval);
  options.read("max_elapsed_time", retry.max_elapsed_time);
  options.read("max_retries", retry.max_retries);
  options.finish();
  return retry;
}

core::ConnectionOptions connection_options(const py::dict& values) {
  core::ConnectionOptions result;
  Options options(values, "connection");
  options.read("target_host", result.target_host);
  options.read("client_name", result.client_name);
  options.read("client_version", result.client_version);
  options.read("identity", result.identity);
  if (py::object tls = options.take("tls"); tls && !tls.is_none()) result.tls = tls_options(tls);
  options.read("tls_disabled", result.tls_disabled);
  options.read("api_key", result.api_key);
  if (py::object metadata = options.take("metadata")) result.metadata = metadata_from(metadata);
  if (py::object retry = options.take("retry"); retry && !retry.is_none())
    result.retry = retry_options(retry);
  if (py::object keep_alive = options.take("keep_alive")) {
    result.keep_alive.reset();
    if (!keep_alive.is_none()) {
      Options inner(keep_alive, "keep_alive");
      result.keep_alive.emplace();
      inner.read("interval", result.keep_alive->interval);
      inner.read("timeout", result.keep_alive->timeout);
      inner.finish();
    }
  }
  options.read("gzip", result.gzip);
  options.read("connect_timeout", result.connect_timeout);
  options.read("memo_warning_bytes", result.payload_warnings.memo_bytes);
  options.read("payload_warning_bytes", result.payload_warnings.payload_bytes);
  if (py::object metrics = options.take("metrics"); metrics && !metrics.is_none())
    result.metrics = metrics.cast<Metrics&>().shared();
  if (py::object server = options.take("server"); server && !server.is_none()) {
    result.transport = server.cast<Server&>().transport();
  }
  options.finish();
  return result;
}

void connect(const py::dict& values, std::shared_ptr<Queue> queue, py::object done) {
  auto callback = std::make_shared<const Ref>(std::move(done));
  // Connecting blocks for up to its timeout; it is rare, so a thread of its own is cheap enough.
  run_on_thread(
      [options = connection_options(values), queue = std::move(queue), callback]() mutable {
        auto connection = core::Connection::connect(std::move(options));
        queue->push(callback, [connection = std::move(connection)]() mutable -> py::tuple {
          if (!connection.ok()) return py::make_tuple(py::none(), rpc_error(connection.status()));
          return py::make_tuple(std::make_shared<Connection>(*std::move(connection)), py::none());
        });
      });
}

// Transports keep a method's name by reference. There are about 300 names, and none is ever let go.
std::string_view intern(const std::string& method) {
  static absl::Mutex mutex(absl::kConstInit);
  static auto* names = new std::unordered_set<std::string>;
  absl::MutexLock lock(&mutex);
  return *names->insert(method).first;
}

// Cancels a call that is under way.
class Canceller {
 public:
  explicit Canceller(std::shared_ptr<base::RpcInFlight> call) : call_(std::move(call)) {}
  void operator()() const {
    if (call_ != nullptr) call_->cancel();
  }

 private:
  std::shared_ptr<base::RpcInFlight> call_;
};

Canceller call(Connection& self, const Text& method, const py::bytes& request, bool retry,
               std::int64_t timeout_ms, const py::object& metadata, Text namespace_,
               std::shared_ptr<Queue> queue, py::object done) {
  core::CallOptions options;
  options.retry = retry ? core::RetryClass::kNormal : core::RetryClass::kNone;
  if (timeout_ms > 0) options.timeout = std::chrono::milliseconds(timeout_ms);
  options.metadata = metadata_from(metadata);
  options.namespace_ = std::move(namespace_.value);
  auto callback = std::make_shared<const Ref>(std::move(done));
  auto reply = std::make_unique<std::string>();
  std::string* target = reply.get();
  std::string bytes(view(request));
  const std::string_view name = intern(method.value);

  GilReleased released;
  return Canceller(self.core()->call(
      name, std::move(bytes), target, std::move(options),
      [reply = std::move(reply), queue = std::move(queue), callback](absl::Status status) mutable {
        queue->push(std::move(callback),
                    [reply = std::move(reply), status = std::move(status)]() -> py::tuple {
                      if (!status.ok()) return py::make_tuple(py::none(), rpc_error(status));
                      return py::make_tuple(py::bytes(*reply), py::none());
                    });
      }));
}

}  // namespace

void define_connection(py::module_& module) {
  py::class_<Canceller>(module, "_Canceller").def("__call__", &Canceller::operator());
  py::class_<Connection, std::shared_ptr<Connection>>(module, "Connection")
      .def_static("connect", &connect, py::arg("options"), py::arg("queue"), py::arg("done"))
      .def("call", &call, py::arg("method"), py::arg("request"), py::arg("retry"),
           py::arg("timeout_ms"), py::arg("metadata"), py::arg("namespace"), py::arg("queue"),
           py::arg("done"))
      .def("reserve_workflow_slot", &reserve_workflow_slot, py::arg("namespace"),
           py::arg("task_queue"), py::arg("queue"), py::arg("done"))
      .def("identity", [](const Connection& self) { return text(self.core()->options().identity); })
      .def("set_metadata",
           [](const Connection& self, const py::object& pairs) {
             self.core()->set_metadata(metadata_from(pairs));
           })
      .def("set_api_key", [](const Connection& self, Text key) {
        self.core()->set_api_key(std::move(key.value));
      });
}

}  // namespace chimera::bindings

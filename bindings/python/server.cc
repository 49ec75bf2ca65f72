#include "bindings/python/server.h"

#include <stdexcept>

#include "bindings/python/errors.h"
#include "bindings/python/gil.h"
#include "bindings/python/options.h"

namespace chimera::bindings {
namespace {

server::ServerOptions server_options(const py::dict& values) {
  server::ServerOptions result;
  Options options(values, "server");
  options.read("ip", result.ip);
  options.read("port", result.port);
  options.read("database_filename", result.database_filename);
  options.read("archive_folder", result.archive_folder);
  options.read("namespaces", result.namespaces);
  options.read("search_attributes", result.search_attributes);
  options.read("dynamic_config", result.dynamic_config);
  options.read("time_skipping_locks", result.time_skipping_locks);
  options.finish();
  return result;
}

}  // namespace

Server::Server(const py::dict& values) {
  server::ServerOptions options = server_options(values);
  absl::StatusOr<std::unique_ptr<server::Server>> started = absl::UnknownError("");
  {
    GilReleased released;
    started = server::Server::start(std::move(options));
  }
  throw_if_error(started.status());
  port_ = (*started)->port();
  absl::MutexLock lock(&mutex_);
  core_ = *std::move(started);
}

Server::~Server() {
  if (!made_here_) leave_alone(take());
  stop();
}

std::unique_ptr<server::Server> Server::take() {
  absl::MutexLock lock(&mutex_);
  return std::move(core_);
}

std::shared_ptr<base::Transport> Server::transport() const {
  absl::MutexLock lock(&mutex_);
  if (core_ == nullptr) throw std::runtime_error("the embedded server is stopped");
  return core_->local_transport();
}

void Server::stop() {
  std::unique_ptr<server::Server> core = take();
  if (core == nullptr) return;
  GilReleased released;
  core.reset();
}

void define_server(py::module_& module) {
  py::class_<Server, std::shared_ptr<Server>>(module, "Server")
      .def(py::init([](const py::dict& options) {
             auto server = std::make_shared<Server>(options);
             end_with_interpreter(EndsWith::kServers, server);
             return server;
           }),
           py::arg("options"))
      .def("port", &Server::port)
      .def("stop", &Server::stop);
}

}  // namespace chimera::bindings

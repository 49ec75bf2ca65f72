#include "server/server.h"

#include <filesystem>
#include <future>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/telemetry/log.h"
#include "server/archival/files.h"
#include "server/base/tokens.h"
#include "server/engine/archival.h"
#include "server/engine/batches.h"
#include "server/engine/engine.h"
#include "server/engine/standalone/reports.h"
#include "server/engine/time_skipping.h"
#include "server/engine/turn/recovery.h"
#include "server/service/batches.h"
#include "server/service/dispatcher.h"
#include "server/service/grpc_frontend.h"
#include "server/service/local_transport.h"
#include "server/store/sqlite_store.h"
#include "server/visibility/attributes.h"

namespace chimera::server {
namespace {

constexpr Nanos kDefaultRetention = std::chrono::hours{24};
// Where a test skips a month, it still wants to see what happened.
constexpr Nanos kSkippingRetention = std::chrono::hours{24 * 365 * 100};

// As every genuine server has it.
constexpr char kSystemNamespaceId[] = "32049b68-7872-4094-8e63-d0dd59896a83";
constexpr Nanos kSystemRetention = std::chrono::hours{7 * 24};

// For what is still to be archived, when a server ends that keeps nothing.
constexpr seconds kLastArchiving{10};

class ServerImpl : public Server {
 public:
  ServerImpl(base::Clock& clock, bool foreign_clock, LoopDriver driver)
      : loop_(clock, foreign_clock, driver) {}

  ~ServerImpl() override {
    if (running_) archive_the_rest();
    if (running_) {
      loop_.post([this] { dispatcher_->abandon_all(); });
    }
    if (frontend_ != nullptr) frontend_->shut_down();
    loop_.stop();
    if (dispatcher_ != nullptr) dispatcher_->close();
    if (engine_ != nullptr) engine_->detach_timers();
  }

  absl::Status open(const ServerOptions& options) {
    std::vector<std::string> unknown;
    absl::StatusOr<DynamicConfig> config = parse_dynamic_config(options.dynamic_config, unknown);
    if (!config.ok()) return config.status();
    for (const std::string& name : unknown) {
      core::log(core::LogLevel::kWarn, "server",
                absl::StrCat("dynamic config ", name, " is unknown here and has no effect"));
    }
    std::unique_ptr<Store> store = make_memory_store();
    if (!options.database_filename.empty()) {
      auto file = open_sqlite_store(options.database_filename);
      if (!file.ok()) return file.status();
      store = std::move(*file);
    }
    loop_.refresh();
    engine_ = std::make_unique<Engine>(loop_, std::move(store));
    if (options.seed) engine_->ids().seed(*options.seed);
    engine_->configure(*config);
    engine_->batches->configure(operate);
    if (absl::Status status = prepare_archive(options.archive_folder); !status.ok()) return status;
    if (absl::Status status = recover(*engine_); !status.ok()) return status;
    if (absl::Status status = prepare_namespaces(options); !status.ok()) return status;
    if (options.time_skipping_locks) TimeSkipping::begin(*engine_, *options.time_skipping_locks);
    dispatcher_ = std::make_shared<Dispatcher>(loop_, *engine_);
    service_methods();
    if (options.port >= 0) {
      auto frontend = GrpcFrontend::listen(options.ip, options.port, *dispatcher_);
      if (!frontend.ok()) return frontend.status();
      frontend_ = std::move(*frontend);
      loop_.sleep_in(&frontend_->sleeper());
      engine_->address = absl::StrCat(options.ip, ":", frontend_->port());
    }
    loop_.start([this] { engine_->after_task(); }, [this] { engine_->after_turn(); });
    loop_.post([] {});  // What recovery has left to do is done after a task.
    running_ = true;
    return absl::OkStatus();
  }

  int port() const override { return frontend_ == nullptr ? -1 : frontend_->port(); }
  std::shared_ptr<base::Transport> local_transport() override {
    return make_local_transport(dispatcher_);
  }
  void rest_activity(std::string task_token, std::chrono::nanoseconds time,
                     absl::AnyInvocable<void()> done) override {
    loop_.post([this, token = std::move(task_token), time, done = std::move(done)]() mutable {
      rest(token, time, std::move(done));
    });
  }

 private:
  absl::Status prepare_namespaces(const ServerOptions& options) {
    std::vector<std::string> names = options.namespaces;
    names.insert(names.begin(), "default");
    for (const std::string& name : names) {
      if (name.empty()) {
        return absl::InvalidArgumentError(
            "one of the namespaces to begin with has an empty name: name it, or leave it out");
      }
      Namespace* ns = engine_->namespaces().find(name);
      if (ns == nullptr) {
        ns = &engine_->namespaces().add(
            name, engine_->ids().uuid(),
            options.time_skipping_locks ? kSkippingRetention : kDefaultRetention);
        engine_->save(*ns);
      }
      if (engine_->archival->on()) begin_archival(*ns);
    }
    for (const auto& [name, type_text] : options.search_attributes) {
      if (absl::Status status = add_attribute(name, type_text); !status.ok()) return status;
    }
    if (engine_->namespaces().find(kSystemNamespace) == nullptr) add_system_namespace();
    return absl::OkStatus();
  }

  static absl::Status unusable(const std::string& folder, absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("the archive's folder ", folder,
                                                   " cannot be used: ", why,
                                                   ". Name one that this user may write."));
  }

  absl::Status prepare_archive(const std::string& given) {
    if (given.empty()) return absl::OkStatus();
    if (absl::StrContains(given, "://")) return unusable(given, "it is a URI, not a folder");
    std::error_code error;
    const std::string folder = std::filesystem::absolute(given, error).lexically_normal().string();
    if (error) return unusable(given, error.message());
    for (const char* part : {"/history", "/visibility"}) {
      if (absl::Status status = archival::try_folder(folder + part); !status.ok())
        return unusable(given, status.message());
    }
    engine_->archival->configure(folder);
    return absl::OkStatus();
  }

  // Of a namespace that the server has made, unless it was archived or refused to be before.
  void begin_archival(Namespace& ns) {
    const archival::Setting history = history_archival(ns), listed = visibility_archival(ns);
    const Archival& archival = *engine_->archival;
    if (history.uri.empty() && listed.uri.empty()) {
      set_archival(ns, {enums::ARCHIVAL_STATE_ENABLED, archival.history_uri()},
                   {enums::ARCHIVAL_STATE_ENABLED, archival.visibility_uri()});
      return engine_->save(ns);
    }
    if (!history.enabled() || history.uri == archival.history_uri()) return;
    core::log(core::LogLevel::kWarn, "server",
              absl::StrCat("namespace ", ns.name(), " goes on archiving to ", history.uri,
                           ": that of a namespace cannot be changed"));
  }

  // A server on a file goes on with it when it is started again.
  void archive_the_rest() {
    if (!engine_->archival->on() || engine_->store().durable() || !loop_.has_thread()) return;
    auto left = std::make_shared<std::promise<std::size_t>>();
    auto waited = left->get_future();
    loop_.post([this, left] {
      engine_->archival->when_idle([left](std::size_t count) { left->set_value(count); });
    });
    const bool known = waited.wait_for(kLastArchiving) == std::future_status::ready;
    if (known && waited.get() == 0) return;
    core::log(core::LogLevel::kError, "server",
              "the server ends before all closed workflows are archived: the others are lost, "
              "since it keeps nothing in a file");
  }

  // Nothing here runs in it; clients list and describe it.
  void add_system_namespace() {
    Namespace& ns =
        engine_->namespaces().add(kSystemNamespace, kSystemNamespaceId, kSystemRetention);
    ns.info.set_description("Temporal internal system namespace");
    ns.info.set_owner_email("temporal-core@temporal.io");
    engine_->save(ns);
  }

  absl::Status add_attribute(const std::string& name, const std::string& type_text) {
    if (name.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a search attribute of type ", type_text, " has an empty name: name it"));
    }
    const auto type = parse_type(type_text);
    if (!type) {
      return absl::InvalidArgumentError(
          absl::StrCat("search attribute ", name, " has the unknown type ", type_text,
                       ": choose one of Text, Keyword, Int, Double, Bool, Datetime, KeywordList"));
    }
    if (system_attributes().contains(name) || predefined_attributes().contains(name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "search attribute ", name, " is reserved by the system: choose another name"));
    }
    for (const auto& [ns_name, ns] : engine_->namespaces().all()) {
      const auto known = ns->search_attributes.emplace(name, *type).first;
      if (known->second != *type) {
        return absl::InvalidArgumentError(
            absl::StrCat("search attribute ", name, " has the type ", type_name(known->second),
                         " in namespace ", ns_name, " of this database, not ", type_text,
                         ": start with that type, or choose another name"));
      }
      engine_->save(*ns);
    }
    return absl::OkStatus();
  }

  void rest(const std::string& task_token, Nanos time, absl::AnyInvocable<void()> done) {
    TimeSkipping* skipping = engine_->time_skipping.get();
    const std::optional<TaskToken> token = TaskToken::decode(task_token);
    if (skipping != nullptr && token && token->workflow_id.empty()) {
      const auto alone = find_standalone_by_token(*engine_, *token);
      return alone.ok() ? skipping->rest(**alone, time, std::move(done)) : done();
    }
    const absl::StatusOr<ActivityRef> activity = find_activity_by_token(*engine_, task_token);
    if (!activity.ok() || skipping == nullptr) return done();
    skipping->rest(*activity->run, activity->scheduled_id, time, std::move(done));
  }

  Loop loop_;
  std::unique_ptr<Engine> engine_;
  std::shared_ptr<Dispatcher>
      dispatcher_;  // Also owned by local transports; it then answers kUnavailable.
  std::unique_ptr<GrpcFrontend> frontend_;
  bool running_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::start(ServerOptions options) {
  if (options.executor != nullptr && options.timers == nullptr)
    return absl::InvalidArgumentError("a server with an executor needs timers, too");
  if (options.executor != nullptr && options.port >= 0) {
    return absl::InvalidArgumentError(
        "a server with an executor listens on no port, since it has no thread to wait for calls: "
        "set the port to -1 and use local_transport()");
  }
  const bool foreign = options.clock != nullptr;
  auto server = std::make_unique<ServerImpl>(foreign ? *options.clock : base::system_clock(),
                                             foreign, LoopDriver{options.executor, options.timers});
  if (absl::Status status = server->open(options); !status.ok()) return status;
  return server;
}

}  // namespace chimera::server

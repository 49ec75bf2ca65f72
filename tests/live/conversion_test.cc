// What a client's options say of values: codecs by context, and failure converters; whose context a
// type's own conversion sees.
#include <atomic>
#include <mutex>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "chimera/async_activity.h"
#include "chimera/failure_converter.h"
#include "chimera/interceptor.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::HasSubstr;

CHIMERA_LIVE(ContextLive);
CHIMERA_LIVE(RedactionLive);
CHIMERA_LIVE(FailureConverterLive);

const ActivityOptions kOptions{
    .start_to_close_timeout = 10s,
    .retry_policy = RetryPolicy{.initial_interval = 1ms, .maximum_attempts = 2}};
const LocalActivityOptions kLocal{.start_to_close_timeout = 10s};

// Without the activity's id, which who schedules it does not know.
std::string text_of(const SerializationContext* context) {
  if (context == nullptr) return "none";
  std::string text = absl::StrCat(context->namespace_, "/", context->workflow_id);
  if (const auto& activity = context->activity) {
    absl::StrAppend(&text, "/", context->workflow_type, "/", activity->activity_type, "/",
                    activity->task_queue, activity->is_local ? "/local" : "");
  }
  return text;
}

// Travels as the context that it was converted in.
struct Tagged {
  std::string written, read;
};
Payload to_payload(const Tagged&) { return make_payload(text_of(serialization_context())); }
void from_payload(const Payload& payload, Tagged& value) {
  value.written = chimera::from_payload<std::string>(payload);
  value.read = text_of(serialization_context());
}
void check(const Tagged& value, const std::string& what) {
  if (value.written == value.read && value.written != "none") return;
  throw ApplicationError(
      absl::StrCat(what, " was written for ", value.written, ", read for ", value.read),
      {.non_retryable = true});
}

// What it encodes is read by a codec for the same context only.
class Keyed final : public PayloadCodec {
 public:
  explicit Keyed(std::string key) : key_(std::move(key)) {}
  std::vector<Payload> encode(std::vector<Payload> payloads) const override {
    for (Payload& each : payloads) {
      each.data = absl::StrCat(key_, "\n", each.data);
      each.metadata["inner"] = std::exchange(each.metadata["encoding"], "binary/keyed");
    }
    return payloads;
  }
  std::vector<Payload> decode(std::vector<Payload> payloads) const override {
    for (Payload& each : payloads) {
      if (each.metadata["encoding"] != "binary/keyed") continue;
      const std::string begin = key_ + "\n";
      if (!each.data.starts_with(begin)) {
        throw ConversionError(absl::StrCat(
            "written for ", each.data.substr(0, each.data.find('\n')), ", read for ", key_));
      }
      each.data.erase(0, begin.size());
      each.metadata["encoding"] = each.metadata.extract("inner").mapped();
    }
    return payloads;
  }
  std::shared_ptr<const PayloadCodec> with_context(
      const SerializationContext& context) const override {
    return std::make_shared<Keyed>(key(context.workflow_id, context.activity.has_value()));
  }
  static std::string key(const std::string& workflow_id, bool activity) {
    return absl::StrCat("[", workflow_id, activity ? " activity" : "", "]");
  }

 private:
  const std::string key_;
};

// --- Contexts ---

Tagged stamp(Tagged value) {
  check(value, "an argument of an activity");
  if (activity::info().attempt == 1 && !activity::info().is_local) {
    activity::heartbeat(Tagged());
    throw ApplicationError("again", {.details = details(std::string("lost"))});
  }
  if (!activity::info().is_local) {
    const auto beaten = activity::info().heartbeat_details.get<Tagged>();
    if (beaten.written != text_of(serialization_context()) && beaten.written == "none")
      throw ApplicationError("a heartbeat had no context", {.non_retryable = true});
  }
  if (serialization_context() != nullptr)
    throw ApplicationError("code is no conversion", {.non_retryable = true});
  return {};
}
void refuse() {
  throw ApplicationError("refused",
                         {.details = details(std::string("why")), .non_retryable = true});
}
std::string later() { activity::raise_complete_async(); }

struct Leaf {
  int heard = 0;
  void hear(Tagged value) {
    check(value, "a signal to a child");
    ++heard;
  }
  Tagged run(Tagged value) {
    check(value, "an argument of a child");
    workflow::wait_condition([this] { return heard == 2; });
    return {};
  }
};

struct Whole {
  bool done = false;
  std::string last;
  void finish(Tagged value) {
    check(value, "a signal");
    done = true;
  }
  Tagged ask(Tagged value) const {
    check(value, "an argument of a query");
    return {};
  }
  Tagged change(Tagged value) {
    check(value, "an argument of an update");
    return {};
  }
  std::string get_last() const { return last; }
  Tagged run(Tagged value, bool again) {
    check(value, "an argument");
    if (again) {
      workflow::wait_condition([this] { return done; });
      workflow::continue_as_new<&Whole::run>({}, Tagged(), false);
    }
    check(workflow::execute_activity<&stamp>(kOptions, Tagged()), "an activity's result");
    check(workflow::execute_local_activity<&stamp>(kLocal, Tagged()), "a local activity's result");
    try {
      workflow::execute_activity<&refuse>(kOptions);
    } catch (const ActivityError& error) {
      last = error.find_cause<ApplicationError>()->details().get<std::string>();
    }
    auto child = workflow::start_child_workflow<&Leaf::run>(
        {.id = workflow::info().workflow_id + "-leaf", .memo = {{"m", make_payload("leaf's")}}},
        Tagged());
    child.signal<&Leaf::hear>(Tagged());
    workflow::get_external_workflow_handle(child.id()).signal<&Leaf::hear>(Tagged());
    check(child.get(), "a child's result");
    check(workflow::side_effect([] { return Tagged(); }), "a side effect");
    check(workflow::mutable_side_effect(
              "m", [] { return Tagged(); },
              [](const Tagged& fresh, const Tagged& kept) { return fresh.read == kept.read; }),
          "a mutable side effect");
    workflow::upsert_memo({{"more", make_payload("changed")}});
    last += " " + workflow::execute_activity<&later>(
                      {.start_to_close_timeout = 10s, .activity_id = "later"});
    return {};
  }
};
const auto kLeaf = define_workflow<&Leaf::run>("Leaf").signal<&Leaf::hear>("hear");
const auto kWhole = define_workflow<&Whole::run>("Whole")
                        .signal<&Whole::finish>("finish")
                        .query<&Whole::ask>("ask")
                        .query<&Whole::get_last>("last")
                        .update<&Whole::change>("change");

TEST_P(ContextLive, EachValueHasTheSameContextOnBothSides) {
  client_options().payload_codec = std::make_shared<Keyed>("[]");
  registry().add(kWhole).add(kLeaf);
  registry().add_activity<&stamp>().add_activity<&refuse>().add_activity<&later>();
  start_worker();
  WorkflowOptions with = options();
  with.memo = {{"for", make_payload("memorandum")}};
  with.static_summary = "a summary";

  const auto handle = client().start_workflow<&Whole::run>(with, Tagged(), false);
  const auto asked = handle.query<&Whole::ask>(Tagged());
  const auto changed = handle.execute_update<&Whole::change>(Tagged());
  const auto async = client().get_async_activity_handle(handle.id(), "", "later");
  eventually(
      [&] {
        try {
          async.heartbeat(std::string("beat"));
          async.complete(std::string("later"));
          return true;
        } catch (const AsyncActivityCancelledError&) {
          return false;
        } catch (const RpcError&) {
          return false;
        }
      },
      "the activity that is completed from outside");
  const auto result = handle.result();

  const std::string own = absl::StrCat("default/", handle.id());
  for (const Tagged& value : {asked, changed, result}) {
    EXPECT_EQ(value.written, own);
    EXPECT_EQ(value.read, own);
  }
  EXPECT_EQ(serialization_context(), nullptr);
  EXPECT_EQ(handle.query<&Whole::get_last>(), "why later");
  const auto execution = handle.describe();
  EXPECT_EQ(chimera::from_payload<std::string>(execution.memo.at("for")), "memorandum");
  EXPECT_EQ(chimera::from_payload<std::string>(execution.memo.at("more")), "changed");
  const auto leaf = client().get_workflow_handle<void>(handle.id() + "-leaf").describe();
  EXPECT_EQ(chimera::from_payload<std::string>(leaf.memo.at("m")), "leaf's");
}

TEST_P(ContextLive, WhatContinuesAsNewHasItsOwnContext) {
  client_options().payload_codec = std::make_shared<Keyed>("[]");
  registry().add(kWhole).add(kLeaf);
  registry().add_activity<&stamp>().add_activity<&refuse>().add_activity<&later>();
  start_worker();
  const auto handle = start<&Whole::run>(Tagged(), true);
  handle.signal<&Whole::finish>(Tagged());
  const auto async = client().get_async_activity_handle(handle.id(), "", "later");
  eventually(
      [&] {
        try {
          async.complete(std::string("later"));
          return true;
        } catch (const RpcError&) {
          return false;
        }
      },
      "the activity of the next run");
  EXPECT_EQ(handle.result().written, absl::StrCat("default/", handle.id()));
}

TEST_P(ContextLive, TypesSeeTheContextWithoutACodec) {
  registry().add(kLeaf);
  start_worker();
  const auto handle = start<&Leaf::run>(Tagged());
  handle.signal<&Leaf::hear>(Tagged());
  handle.signal<&Leaf::hear>(Tagged());
  const Tagged result = handle.result();
  EXPECT_EQ(result.written, absl::StrCat("default/", handle.id()));
  EXPECT_EQ(result.read, result.written);
}

TEST_P(ContextLive, TypesSeeItWhereInterceptorsPass) {
  class Passes final : public Interceptor {
    std::unique_ptr<WorkflowOutboundInterceptor> intercept_workflow_calls(
        WorkflowOutboundInterceptor* next) override {
      return std::make_unique<WorkflowOutboundInterceptor>(next);
    }
    std::unique_ptr<ClientOutboundInterceptor> intercept_client(
        ClientOutboundInterceptor* next) override {
      return std::make_unique<ClientOutboundInterceptor>(next);
    }
  };
  client_options().payload_codec = std::make_shared<Keyed>("[]");
  client_options().interceptors = {std::make_shared<Passes>()};
  registry().add(kWhole).add(kLeaf);
  registry().add_activity<&stamp>().add_activity<&refuse>().add_activity<&later>();
  start_worker();
  const auto handle = start<&Whole::run>(Tagged(), false);
  EXPECT_EQ(handle.execute_update<&Whole::change>(Tagged()).read,
            absl::StrCat("default/", handle.id()));
  const auto async = client().get_async_activity_handle(handle.id(), "", "later");
  eventually(
      [&] {
        try {
          async.complete(std::string("later"));
          return true;
        } catch (const RpcError&) {
          return false;
        }
      },
      "the activity that is completed from outside");
  EXPECT_EQ(handle.result().written, absl::StrCat("default/", handle.id()));
}

TEST_P(ContextLive, AValueOfAnotherContextCannotBeRead) {
  client_options().payload_codec = std::make_shared<Keyed>("[]");
  registry().add(kLeaf);
  start_worker();
  const auto handle = start<&Leaf::run>(Tagged());
  handle.signal<&Leaf::hear>(Tagged());
  handle.signal<&Leaf::hear>(Tagged());
  handle.result();
  auto plain = Client::connect({.target_host = target().address});
  const Payload raw = plain.get_workflow_handle<Payload>(handle.id()).result();
  EXPECT_THAT(raw.data, testing::StartsWith(Keyed::key(handle.id(), false) + "\n"));
  auto other = Client::connect(
      {.target_host = target().address,
       .payload_codec = std::make_shared<Keyed>("[]")->with_context({.workflow_id = "another"})});
  EXPECT_EQ(other.get_workflow_handle<Tagged>(handle.id()).result().read,
            absl::StrCat("default/", handle.id()));  // It is asked for its codec again.
}

// --- Hidden members ---

struct Payment {
  std::string iban;
  int cents = 0;
};
struct Pays {
  Payment run(Payment payment) { return {payment.iban + "!", payment.cents + 1}; }
};

TEST_P(RedactionLive, WhoHasTheKeyReadsAllAndOthersTheRest) {
  client_options().payload_codec =
      redaction_codec({.fields = {"iban"}, .key_id = "k", .keys = {{"k", std::string(32, 'k')}}});
  registry().add(define_workflow<&Pays::run>("Pays"));
  start_worker();
  const auto handle = start<&Pays::run>(Payment{"DE89", 7});
  const Payment mine = handle.result();
  EXPECT_EQ(mine.iban, "DE89!");
  EXPECT_EQ(mine.cents, 8);

  auto plain = Client::connect({.target_host = target().address});
  const Payment theirs = plain.get_workflow_handle<Payment>(handle.id()).result();
  EXPECT_THAT(theirs.iban, testing::StartsWith("hidden:k:"));
  EXPECT_EQ(theirs.cents, 8);
  EXPECT_THAT(plain.get_workflow_handle<Payload>(handle.id()).result().metadata,
              testing::Contains(testing::Pair("encoding", "json/plain")));
}

// --- Failure converters ---

struct OutOfStock : std::runtime_error {
  explicit OutOfStock(std::string sku_in)
      : runtime_error("out of " + sku_in), sku(std::move(sku_in)) {}
  std::string sku;
};

class ShopErrors final : public FailureConverter {
 public:
  std::exception_ptr to_failure(std::exception_ptr error) const override {
    try {
      std::rethrow_exception(error);
    } catch (const OutOfStock& out) {
      to_context = text_of(serialization_context());
      return std::make_exception_ptr(ApplicationError(
          out.what(), {.type = "OutOfStock", .details = details(out.sku), .non_retryable = true}));
    } catch (...) {
      return error;
    }
  }
  std::exception_ptr from_failure(std::exception_ptr error) const override {
    try {
      std::rethrow_exception(error);
    } catch (const FailureError& failure) {
      const auto* application = dynamic_cast<const ApplicationError*>(&failure);
      if (application == nullptr) application = failure.find_cause<ApplicationError>();
      if (application == nullptr || application->type() != "OutOfStock") return error;
      const std::lock_guard lock(mutex);
      from_contexts.insert(text_of(serialization_context()));
      return std::make_exception_ptr(OutOfStock(application->details().get<std::string>()));
    }
  }
  mutable std::mutex mutex;
  mutable std::string to_context;
  mutable std::set<std::string> from_contexts;
};

void take(const std::string& sku) { throw OutOfStock(sku); }
struct Picks {
  void run(std::string sku) { workflow::execute_activity<&take>(kOptions, sku); }
};
struct Shop {
  void buy(std::string sku) { throw OutOfStock(sku); }
  void want(std::string sku) {
    if (sku == "nothing") throw OutOfStock(sku);
  }
  std::string run(std::string how) {
    try {
      if (how == "activity") workflow::execute_activity<&take>(kOptions, "nuts");
      if (how == "local") workflow::execute_local_activity<&take>(kLocal, "bolts");
      if (how == "child") workflow::execute_child_workflow<&Picks::run>({}, "screws");
    } catch (const OutOfStock& out) {
      return "no " + out.sku;
    }
    if (how == "wait") workflow::wait_condition([] { return false; });
    throw OutOfStock(how);
  }
};
const auto kShop = define_workflow<&Shop::run>("Shop").update<&Shop::buy, &Shop::want>("buy");
const auto kPicks = define_workflow<&Picks::run>("Picks");

TEST_P(FailureConverterLive, ProgramsExceptionsTravelAsWhatTheConverterMakes) {
  const auto errors = std::make_shared<ShopErrors>();
  client_options().failure_converter = errors;
  client_options().payload_codec = std::make_shared<Keyed>("[]");
  registry().add(kShop).add(kPicks).add_activity<&take>();
  start_worker();

  EXPECT_EQ(execute<&Shop::run>("activity"), "no nuts");
  EXPECT_EQ(execute<&Shop::run>("local"), "no bolts");
  EXPECT_EQ(execute<&Shop::run>("child"), "no screws");
  const auto fails = start<&Shop::run>("hammers");
  try {
    fails.result();
    ADD_FAILURE() << "completed";
  } catch (const OutOfStock& out) {
    EXPECT_EQ(out.sku, "hammers");
  }
  EXPECT_THAT(errors->from_contexts, testing::Contains(absl::StrCat("default/", fails.id())));
  EXPECT_THAT(errors->from_contexts,
              testing::Contains(testing::EndsWith(absl::StrCat("/Shop/take/", queue(), "/local"))));
  auto plain = Client::connect({.target_host = target().address});
  const auto seen = failure_of(plain.get_workflow_handle<void>(fails.id()));
  EXPECT_EQ(dynamic_cast<const ApplicationError&>(*seen.cause()).type(), "OutOfStock");
}

TEST_P(FailureConverterLive, UpdatesAndTheirValidatorsFailWithThem) {
  client_options().failure_converter = std::make_shared<ShopErrors>();
  registry().add(kShop).add(kPicks).add_activity<&take>();
  start_worker();
  const auto handle = start<&Shop::run>("wait");
  for (const std::string sku : {"saws", "nothing"}) {
    try {
      handle.execute_update<&Shop::buy>(sku);
      ADD_FAILURE() << "completed";
    } catch (const OutOfStock& out) {
      EXPECT_EQ(out.sku, sku);
    }
  }
  handle.cancel();
  EXPECT_NE(dynamic_cast<const CancelledError*>(failure_of(handle).cause()), nullptr);
}

TEST_P(FailureConverterLive, WhatIsGivenBackAsItIsFailsTheTaskAsBefore) {
  class Unmoved final : public FailureConverter {};
  client_options().failure_converter = std::make_shared<Unmoved>();
  registry().add(kShop).add(kPicks).add_activity<&take>();
  do_not_replay();
  start_worker();
  const auto handle = start<&Shop::run>("hammers");
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
             "the task fails");
  handle.terminate("seen");
  EXPECT_THAT(failure_of(start<&Shop::run>("activity")).what(), HasSubstr("OutOfStock"));
}

// What it makes of everything is nobody's error.
class Careless final : public FailureConverter {
 public:
  std::exception_ptr to_failure(std::exception_ptr) const override {
    return std::make_exception_ptr(ApplicationError("mine", {.type = "Mine"}));
  }
  std::exception_ptr from_failure(std::exception_ptr) const override {
    return std::make_exception_ptr(ApplicationError("mine", {.type = "Mine"}));
  }
};
void waits() {
  while (!activity::wait_for_cancelled(10ms)) activity::heartbeat();
  activity::throw_if_cancelled();
}
struct Waits {
  std::string run() {
    auto scope = workflow::CancellationScope::with_timeout(20ms);
    try {
      scope.run([] {
        workflow::execute_activity<&waits>(
            {.start_to_close_timeout = 20s,
             .heartbeat_timeout = 10s,
             .cancellation_type = ActivityCancellationType::kWaitCancellationCompleted});
      });
    } catch (const std::exception& error) {
      return is_cancelled(error) ? "cancelled" : describe(error);
    }
    return "completed";
  }
};

TEST_P(FailureConverterLive, ACancellationStaysOne) {
  client_options().failure_converter = std::make_shared<Careless>();
  registry().add(define_workflow<&Waits::run>("Waits")).add_activity<&waits>();
  registry().add(kShop).add(kPicks).add_activity<&take>();
  start_worker();
  EXPECT_EQ(execute<&Waits::run>(), "cancelled");
  const auto handle = start<&Shop::run>("wait");
  handle.cancel();
  EXPECT_NE(dynamic_cast<const CancelledError*>(failure_of(handle).cause()), nullptr);
}

}  // namespace
}  // namespace chimera::live

#include "sdk-cpp/src/conversion.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/codec.h"
#include "sdk-cpp/src/codec.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using testing::HasSubstr;

const ActivityOptions kOptions{.start_to_close_timeout = std::chrono::seconds(1)};

// --- Codecs ---

// Adds its name, and the workflow that it is for.
class Naming final : public PayloadCodec {
 public:
  explicit Naming(std::string name) : name_(std::move(name)) {}
  std::vector<Payload> encode(std::vector<Payload> payloads) const override {
    for (Payload& each : payloads) each.data += name_;
    return payloads;
  }
  std::vector<Payload> decode(std::vector<Payload> payloads) const override {
    for (Payload& each : payloads) {
      if (!each.data.ends_with(name_)) throw std::runtime_error("not by " + name_);
      each.data.resize(each.data.size() - name_.size());
    }
    return payloads;
  }
  std::shared_ptr<const PayloadCodec> with_context(
      const SerializationContext& context) const override {
    if (context.namespace_ == "broken") throw std::runtime_error("no key for it");
    return std::make_shared<Naming>(absl::StrCat("<", context.workflow_id, name_, ">"));
  }

 private:
  const std::string name_;
};

TEST(CodecChainTest, EncodesWithTheLastFirstAndHandsContextsOn) {
  const auto chain = codec_chain({std::make_shared<Naming>("a"), std::make_shared<Naming>("b"),
                                  aes_gcm_codec("k", {{"k", std::string(32, 'k')}})});
  const auto marks = codec_chain({std::make_shared<Naming>("a"), std::make_shared<Naming>("b")});

  EXPECT_EQ(marks->encode({{.data = "x"}})[0].data, "xba");
  const auto own = marks->with_context({.workflow_id = "w"});
  ASSERT_NE(own, nullptr);
  EXPECT_EQ(own->encode({{.data = "x"}})[0].data, "x<wb><wa>");
  EXPECT_EQ(own->decode({{.data = "x<wb><wa>"}})[0].data, "x");
  EXPECT_THROW(own->decode({{.data = "xba"}}), ConversionError);
  const auto whole = chain->with_context({.workflow_id = "w"});
  EXPECT_EQ(whole->decode(whole->encode({make_payload(7)}))[0].data, "7");
}

TEST(CodecChainTest, WithoutContextsItIsTheSameForAll) {
  const auto plain = codec_chain({aes_gcm_codec("k", {{"k", std::string(32, 'k')}})});
  EXPECT_EQ(plain->with_context({.workflow_id = "w"}), nullptr);
  EXPECT_EQ(codec_chain({})->encode({{.data = "x"}})[0].data, "x");
}

TEST(CodecChainTest, RefusesANullOne) {
  try {
    codec_chain({std::make_shared<Naming>("a"), nullptr});
    ADD_FAILURE() << "taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "codec_chain: codec 2 of 2 is null; leave it out");
  }
}

TEST(RedactionCodecTest, IsForUsersAsForTheCore) {
  const auto codec =
      redaction_codec({.fields = {"iban"}, .key_id = "k", .keys = {{"k", std::string(32, 'k')}}});
  const auto hidden = codec->encode({make_payload(std::map<std::string, int>{{"iban", 7}})});
  EXPECT_THAT(hidden[0].data, testing::StartsWith(R"({"iban":"hidden:k:)"));
  EXPECT_EQ(codec->decode(hidden)[0].data, R"({"iban":7})");
  EXPECT_THROW(redaction_codec({.fields = {"a."}}), std::invalid_argument);
}

struct Takes {
  std::string run(std::string text) {
    return text + workflow::execute_activity<std::string>("shout", kOptions, text);
  }
};
const auto kTakes = define_workflow<&Takes::run>("Takes");

std::shared_ptr<const core::PayloadCodec> naming() {
  return to_core(std::make_shared<Naming>("c"));
}
ProtoPayload written(const std::string& json) {
  ProtoPayload payload = to_proto(make_payload(0));
  payload.set_data(json);
  return payload;
}

TEST(ConversionTest, ARunsCodecIsItsOwnAndAnActivitysIsTheActivitys) {
  class OfActivities final : public PayloadCodec {
   public:
    std::vector<Payload> encode(std::vector<Payload> payloads) const override { return payloads; }
    std::vector<Payload> decode(std::vector<Payload> payloads) const override { return payloads; }
    std::shared_ptr<const PayloadCodec> with_context(
        const SerializationContext& context) const override {
      seen.push_back(context);
      return nullptr;
    }
    mutable std::vector<SerializationContext> seen;
  };
  const auto codec = std::make_shared<OfActivities>();
  Driver driver(kTakes, to_core(codec));
  const auto scheduled = driver.start(std::string("a"));
  ASSERT_NE(command<core::ScheduleActivity>(scheduled, 0), nullptr) << task_failure(scheduled);
  EXPECT_TRUE(completed(driver.activate({driver.completed(1, std::string("b"))})));

  // Once for the run, once for the activity.
  EXPECT_THAT(codec->seen,
              testing::ElementsAre(
                  SerializationContext{.namespace_ = "default", .workflow_id = "id"},
                  SerializationContext{.namespace_ = "default",
                                       .workflow_id = "id",
                                       .workflow_type = "Takes",
                                       .activity = ActivitySerializationContext{
                                           .activity_type = "shout", .task_queue = "queue"}}));
}

TEST(ConversionTest, ResultsAreReadWithTheCodecOfWhatGivesThem) {
  Driver driver(kTakes, naming());
  const auto mine = written("\"a\"<idc>");
  auto started = api::history::v1::WorkflowExecutionStartedEventAttributes();
  *started.mutable_input()->add_payloads() = mine;
  const auto scheduled = driver.activate(
      {core::InitializeWorkflow{.started = &started, .workflow_id = "id", .randomness_seed = 7}});
  const auto* activity = command<core::ScheduleActivity>(scheduled, 0);
  ASSERT_NE(activity, nullptr) << task_failure(scheduled);
  EXPECT_EQ(activity->attributes.input().payloads(0).data(), "\"a\"<idc>");
}

TEST(ConversionTest, AContextThatCannotBeHadIsAnErrorThatSaysSo) {
  const Codec codec = naming();
  const ValueContext context({.namespace_ = "broken", .workflow_id = "w"});
  try {
    static_cast<void>(codec.in(context));
    ADD_FAILURE() << "taken";
  } catch (const ConversionError& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("with_context() failed: std::runtime_error: no key for it"));
  }
}

// --- Contexts ---

// Waits while it is converted, which nothing should.
struct Slow {
  std::string text;
};
Payload to_payload(const Slow& slow) {
  const SerializationContext* before = serialization_context();
  workflow::sleep(std::chrono::seconds(1));
  const SerializationContext* after = serialization_context();
  return make_payload(slow.text +
                      (before == after && after != nullptr ? after->activity->activity_type : "?"));
}
void from_payload(const Payload&, Slow&) {}

TEST(ConversionTest, TheContextIsTheCodesOwnAlthoughItWaits) {
  std::string other = "did not run";
  code = [&] {
    EXPECT_EQ(serialization_context(), nullptr);
    workflow::spawn_detached(
        [&] { other = serialization_context() == nullptr ? "none" : "somebody's"; });
    auto shout = workflow::start_activity<void>("shout", kOptions, Slow{"of "});
    EXPECT_EQ(serialization_context(), nullptr);
  };
  Driver driver(kRuns);
  driver.start();
  EXPECT_EQ(other, "none");
  EXPECT_EQ(serialization_context(), nullptr);
  const auto done = driver.activate({core::FireTimer{1}});
  const auto* activity = command<core::ScheduleActivity>(done, 0);
  ASSERT_NE(activity, nullptr) << task_failure(done);
  EXPECT_EQ(activity->attributes.input().payloads(0).data(), "\"of shout\"");
}

// --- Failure converters ---

template <class To, class From>
class Converts final : public FailureConverter {
 public:
  Converts(To to, From from) : to_(std::move(to)), from_(std::move(from)) {}
  std::exception_ptr to_failure(std::exception_ptr error) const override { return to_(error); }
  std::exception_ptr from_failure(std::exception_ptr error) const override { return from_(error); }

 private:
  To to_;
  From from_;
};
template <class To, class From>
Codec converting(To to, From from) {
  return {std::shared_ptr<const core::PayloadCodec>(),
          std::make_shared<Converts<To, From>>(std::move(to), std::move(from))};
}
constexpr auto kAsItIs = [](std::exception_ptr error) { return error; };
const auto kMine = [](std::exception_ptr) {
  return std::make_exception_ptr(ApplicationError("mine", {.type = "Mine"}));
};

TEST(FailureConverterTest, DecidesWhetherTheWorkflowFailsOrItsTask) {
  code = [] { throw std::runtime_error("other"); };
  {
    Driver driver(kRuns, converting(kMine, kAsItIs));
    const auto done = driver.start();
    const auto* failed = command<core::FailWorkflowExecution>(done, 0);
    ASSERT_NE(failed, nullptr) << task_failure(done);
    EXPECT_EQ(failed->failure.application_failure_info().type(), "Mine");
  }
  {
    Driver driver(kRuns, converting(kAsItIs, kAsItIs));
    EXPECT_THAT(task_failure(driver.start()), HasSubstr("std::runtime_error: other left"));
  }
  code = [] { throw ApplicationError("a failure"); };
  Driver driver(kRuns, converting(
                           [](std::exception_ptr) {
                             return std::make_exception_ptr(std::domain_error("of the task"));
                           },
                           kAsItIs));
  EXPECT_NE(task_failure(driver.start()), "");
}

TEST(FailureConverterTest, WhatTheDefinitionListsFailsTheWorkflowAsBefore) {
  code = [] { throw std::out_of_range("far"); };
  Driver driver(define_workflow<&Runs::run>("Runs").failure_exceptions<std::out_of_range>(),
                converting(kAsItIs, kAsItIs));
  const auto done = driver.start();
  const auto* failed = command<core::FailWorkflowExecution>(done, 0);
  ASSERT_NE(failed, nullptr) << task_failure(done);
  EXPECT_EQ(failed->failure.application_failure_info().type(), "std::out_of_range");
}

TEST(FailureConverterTest, WhatItThrowsTakesTheErrorsPlace) {
  const auto throws = [](std::exception_ptr) -> std::exception_ptr {
    throw ApplicationError("out of the converter", {.type = "Converter"});
  };
  const auto nothing = [](std::exception_ptr) { return std::exception_ptr(); };
  std::string caught;
  code = [&] {
    try {
      workflow::execute_activity<void>("shout", kOptions);
    } catch (const ApplicationError& error) {
      caught = error.type();
    }
    throw std::runtime_error("other");
  };
  Driver driver(kRuns, converting(throws, throws));
  driver.start();
  api::failure::v1::Failure failure;
  failure.mutable_activity_failure_info();
  const auto done = driver.activate({core::ResolveActivity{
      .seq = 1, .result = core::Failed{std::make_shared<api::failure::v1::Failure>(failure)}}});
  EXPECT_EQ(caught, "Converter");
  const auto* failed = command<core::FailWorkflowExecution>(done, 0);
  ASSERT_NE(failed, nullptr) << task_failure(done);
  EXPECT_EQ(failed->failure.message(), "out of the converter");

  code = [] { throw std::runtime_error("other"); };
  Driver null(kRuns, converting(nothing, nothing));
  EXPECT_NE(task_failure(null.start()), "");
}

TEST(FailureConverterTest, ACancellationStaysOneInBothDirections) {
  bool stayed = false;
  code = [&] {
    try {
      workflow::execute_activity<void>("shout", kOptions);
    } catch (const std::exception& error) {
      stayed = is_cancelled(error);
      throw;
    }
  };
  Driver driver(kRuns, converting(kMine, kMine));
  driver.start();
  driver.activate({core::CancelWorkflow{.reason = ""}});
  const auto done = driver.activate({driver.cancelled(1)});
  EXPECT_TRUE(stayed);
  EXPECT_NE(command<core::CancelWorkflowExecution>(done, 0), nullptr) << task_failure(done);
}

}  // namespace
}  // namespace chimera::sdk

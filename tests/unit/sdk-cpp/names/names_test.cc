// Names on the wire are the same wherever a call stands: in the file with the definitions, in
// another one of the program, in a shared library.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <dlfcn.h>

#include "tests/unit/sdk-cpp/names/definitions.h"

namespace chimera::names {

Names names_elsewhere();

namespace {

using testing::HasSubstr;

const Names kExpected{.workflow = "order_v2",
                      .signal = "approve_order",
                      .query = "order_state",
                      .update = "change_order",
                      .activity = "charge"};  // The function's: its definitions are called by name.

TEST(NamesTest, AreThoseOfTheDefinitionInEveryFileOfTheProcess) {
  EXPECT_EQ(names_of_order(), kExpected);
  EXPECT_EQ(names_elsewhere(), kExpected);
}

TEST(NamesTest, AreTheSameInALibrary) {
  void* const library = dlopen(CHIMERA_NAMES_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  const auto names = reinterpret_cast<void (*)(Names*, std::string*, std::string*)>(
      dlsym(library, "names_in_library"));
  ASSERT_NE(names, nullptr);
  Names order;
  std::string charge, refund;
  names(&order, &charge, &refund);

  EXPECT_EQ(order, kExpected);
  EXPECT_EQ(charge, "charge_card");
  EXPECT_EQ(refund, "refund_card");
  EXPECT_EQ(names_of_order(), kExpected);  // And it has changed nothing here.
}

TEST(NamesTest, RegisteringChangesNothing) {
  Registry registry;
  registry.add(kOrder).add(kCharge).add(kRefund).add_activity<&charge>("another");
  EXPECT_EQ(names_of_order(), kExpected);
}

struct Late {
  void run() {}
  void poke() {}
};

// Refused with both names, where it would depend on what came first.
TEST(NamesTest, ADefinitionThatComesAfterACallDoesNotRename) {
  EXPECT_EQ(detail::workflow_name<&Late::run>(), "Late");
  EXPECT_EQ(detail::handler_name<&Late::poke>({}), "poke");
  const auto late = define_workflow<&Late::run>("late_v2").signal<&Late::poke>("poke_v2");
  const auto refusal = [](auto call) -> std::string {
    try {
      call();
    } catch (const std::logic_error& error) {
      return error.what();
    }
    return "";
  };

  EXPECT_THAT(refusal([] { detail::workflow_name<&Late::run>(); }),
              HasSubstr("Late was called as 'Late' by this process, and a definition that came "
                        "later says 'late_v2'"));
  EXPECT_THAT(refusal([] { detail::handler_name<&Late::poke>({}); }),
              HasSubstr("poke was called as 'poke' by this process, and a definition that came "
                        "later says 'poke_v2'"));
  EXPECT_EQ(late.name(), "late_v2");  // Calls that name the definition go on.
}

}  // namespace
}  // namespace chimera::names

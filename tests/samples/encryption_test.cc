// samples/cpp/encryption as a project would test it: what the server keeps is unreadable, and
// everybody with the key reads it.
#include "samples/cpp/encryption/encryption.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/testing/gtest.h"

namespace encryption {
namespace {

using testing::HasSubstr;
using testing::Not;

class EncryptionTest : public testing::Test {
 protected:
  EncryptionTest()
      : env({.client = {.payload_codec = codec(), .encode_common_attributes = true},
             .listens = true}),
        worker(env) {
    add_to(worker);
  }
  chimera::TestEnvironment env;
  chimera::TestWorker worker;
};

TEST_F(EncryptionTest, NothingIsReadableWithoutTheKey) {
  const auto handle = worker.start_workflow<kGreeting>("ann");

  EXPECT_EQ(worker.result(handle), "Hello, ann");

  const std::string kept = handle.fetch_history();
  EXPECT_THAT(kept, HasSubstr("YmluYXJ5L2VuY3J5cHRlZA=="));  // binary/encrypted
  for (const char* secret : {"ImFubiI=", "IkhlbGxvLCBhbm4i"})
    EXPECT_THAT(kept, Not(HasSubstr(secret)));
}

TEST_F(EncryptionTest, NorIsWhyItFailed) {
  const auto handle = worker.start_workflow<kGreeting>("");
  try {
    handle.result();
    ADD_FAILURE() << "greeted";
  } catch (const chimera::WorkflowFailureError& error) {
    EXPECT_THAT(chimera::describe(error), HasSubstr("a greeting needs a name"));
  }
  EXPECT_THAT(handle.fetch_history(), Not(HasSubstr("needs a name")));
}

TEST(EncryptionKeys, WhatAnOldKeyEncryptedIsStillRead) {
  const auto old = chimera::aes_gcm_codec("2026-01", {{"2026-01", std::string(32, 'o')}});
  const auto written = old->encode({chimera::make_payload("ann")});

  EXPECT_EQ(chimera::from_payload<std::string>(codec()->decode(written).at(0)), "ann");
  EXPECT_THROW(old->decode(codec()->encode({chimera::make_payload("ann")})),
               chimera::ConversionError);
}

}  // namespace
}  // namespace encryption

#include "server/archival/setting.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace chimera::server::archival {
namespace {

constexpr auto kAsItIs = enums::ARCHIVAL_STATE_UNSPECIFIED, kOff = enums::ARCHIVAL_STATE_DISABLED,
               kOn = enums::ARCHIVAL_STATE_ENABLED;
constexpr char kDefault[] = "file:///default", kOwn[] = "file:///own", kOther[] = "file:///other";

std::string after(const Setting& now, const Setting& wish) {
  const auto next = changed(now, wish, kDefault);
  if (!next.ok()) return std::string(next.status().message());
  return absl::StrCat(next->enabled() ? "on " : "off ", next->uri);
}

TEST(SettingTest, ChangesAsByTheGenuineServer) {
  EXPECT_EQ(after({}, {}), "off ");
  EXPECT_EQ(after({}, {kOff, ""}), "off ");
  EXPECT_EQ(after({}, {kOff, kOwn}), "off file:///own");
  EXPECT_EQ(after({}, {kAsItIs, kOwn}), "off file:///own");
  EXPECT_EQ(after({}, {kOn, ""}), "on file:///default");
  EXPECT_EQ(after({}, {kOn, kOwn}), "on file:///own");
  for (const auto state : {kOn, kOff}) {
    const std::string as_it_is = state == kOn ? "on file:///own" : "off file:///own";
    for (const char* uri : {"", kOwn}) {
      EXPECT_EQ(after({state, kOwn}, {kAsItIs, uri}), as_it_is);
      EXPECT_EQ(after({state, kOwn}, {kOn, uri}), "on file:///own");
      EXPECT_EQ(after({state, kOwn}, {kOff, uri}), "off file:///own");
    }
  }
}

TEST(SettingTest, AUriStaysOnceItIsSet) {
  for (const auto state : {kAsItIs, kOn, kOff}) {
    EXPECT_EQ(after({kOff, kOwn}, {state, kOther}), "Cannot update existing archival URI");
  }
}

TEST(SettingTest, AStateThatIsNoneIsRefused) {
  EXPECT_EQ(after({}, {static_cast<enums::ArchivalState>(7), ""}),
            "Encountered current state and event that cannot be handled (should be impossible)");
}

TEST(SettingTest, UrisAreThoseOfFolders) {
  for (const char* folder : {"/var/archive", "/a b/ä%/c#d?e", "/"}) {
    const auto back = folder_of(uri_of(folder));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, folder);
  }
  EXPECT_EQ(uri_of("/a b/1.x"), "file:///a%20b/1.x");
  EXPECT_EQ(*folder_of("file://host/p?q"), "/p");
  EXPECT_EQ(*folder_of("FILE:/p"), "/p");
}

TEST(SettingTest, WhatIsNoFolderIsRefusedInTheGenuineServersWords) {
  const auto said = [](const std::string& uri) {
    const auto status = check_folder(uri);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << uri;
    return std::string(status.message());
  };
  EXPECT_EQ(said(""), "parse \"\": empty url");
  EXPECT_EQ(said("foo"), "parse \"foo\": invalid URI for request");
  EXPECT_EQ(said("1a:b"), "parse \"1a:b\": invalid URI for request");
  EXPECT_EQ(said(":x"), "parse \":x\": missing protocol scheme");
  EXPECT_EQ(said("file:///a%zz"), "parse \"file:///a%zz\": invalid URL escape \"%zz\"");
  EXPECT_EQ(said("file:///a%2"), "parse \"file:///a%2\": invalid URL escape \"%2\"");
  EXPECT_EQ(said("foo:bar"), "unknown archiver scheme");
  EXPECT_EQ(said("/abs"), "unknown archiver scheme");
  EXPECT_EQ(said("s3://bucket"), "unable to find archiver config for the given scheme");
  EXPECT_EQ(said("file:foo"), "directory path is empty");
  EXPECT_EQ(said("file://host"), "directory path is empty");
  const std::string file = testing::TempDir() + "chimera_no_folder";
  std::ofstream(file) << "x";
  EXPECT_EQ(said(uri_of(file)), "a path to a directory was expected");
  EXPECT_TRUE(check_folder(uri_of(testing::TempDir())).ok());
  EXPECT_TRUE(check_folder(uri_of(testing::TempDir() + "not_there_yet")).ok());
}

}  // namespace
}  // namespace chimera::server::archival

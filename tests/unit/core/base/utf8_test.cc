#include "core/base/utf8.h"

#include <gtest/gtest.h>

namespace chimera::base {
namespace {

#define BAD "\xEF\xBF\xBD"  // U+FFFD

struct Case {
  const char* text;
  const char* expected;
};

TEST(Utf8Test, BadBytesAreReplacedAndGoodCharactersStay) {
  for (const auto& [text, expected] : {
           Case{"", ""},
           Case{"plain", "plain"},
           Case{"K\xC3\xB6ln \xE2\x82\xAC \xF0\x9F\x90\x89",
                "K\xC3\xB6ln \xE2\x82\xAC \xF0\x9F\x90\x89"},
           Case{"K\xF6ln", "K" BAD "ln"},              // Latin-1.
           Case{"\xC0\xAF", BAD BAD},                  // Overlong "/".
           Case{"\xE0\x80\xAF", BAD BAD BAD},          // The same in three bytes.
           Case{"\xED\xA0\x80", BAD BAD BAD},          // A surrogate.
           Case{"\xF4\x90\x80\x80", BAD BAD BAD BAD},  // Beyond U+10FFFF.
           Case{"\xE2\x82", BAD BAD},                  // Half of a character.
           Case{"\x80z", BAD "z"},
       }) {
    EXPECT_EQ(valid_utf8(text), expected) << text;
  }
}

TEST(Utf8Test, ACutFallsBetweenCharacters) {
  const std::string text =
      "ab\xE2\x82\xAC"
      "c\xF0\x9F\x90\x89";
  EXPECT_EQ(cut_utf8(text, 2), "ab");
  EXPECT_EQ(cut_utf8(text, 3), "ab");
  EXPECT_EQ(cut_utf8(text, 4), "ab");
  EXPECT_EQ(cut_utf8(text, 5), "ab\xE2\x82\xAC");
  EXPECT_EQ(cut_utf8(text, 9),
            "ab\xE2\x82\xAC"
            "c");
  EXPECT_EQ(cut_utf8(text, 10), text);
  EXPECT_EQ(cut_utf8(text, 100), text);
  EXPECT_EQ(cut_utf8(text, 0), "");
}

TEST(Utf8Test, WhatIsCutIsNeverLongerThanAsked) {
  EXPECT_EQ(cut_utf8(std::string(100, '\xFF'), 10), BAD BAD BAD);
  EXPECT_EQ(cut_utf8(std::string(100, '\x80'), 10), BAD BAD BAD);
}

}  // namespace
}  // namespace chimera::base

#include "sdk-cpp/src/http/message.h"

#include <algorithm>
#include <stdexcept>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace chimera::http {
namespace {

[[noreturn]] void refuse(const std::string& option, const std::string& text, const char* why) {
  throw std::invalid_argument(absl::StrCat(option, " \"", text, "\": ", why));
}

bool is_port(const std::string& text) {
  int number = -1;
  return absl::SimpleAtoi(text, &number) && number >= 0 && number <= 65535;
}

// RFC 9110, 5.6.2.
bool is_token(const std::string& text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || kMarks.find(c) != kMarks.npos;
  });
}

bool is_printable(const std::string& text) {
  return std::ranges::none_of(text,
                              [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}

int hex(char c) {
  if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return -1;
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) ? c - '0'
                                                            : absl::ascii_tolower(c) - 'a' + 10;
}

}  // namespace

std::string Url::host_and_port() const {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

std::pair<std::string, std::string> split_address(const std::string& text,
                                                  const std::string& option) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || !is_port(text.substr(colon + 1)))
    refuse(option, text, "there is no port; give HOST:PORT, as in 127.0.0.1:8081");
  std::string host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (absl::StrContains(host, ':'))
    refuse(option, text, "an IPv6 host stands in brackets");
  return {std::move(host), text.substr(colon + 1)};
}

Url parse_url(const std::string& text, const std::string& option) {
  Url out{.tls = absl::StartsWithIgnoreCase(text, "https://")};
  if (!out.tls && !absl::StartsWithIgnoreCase(text, "http://"))
    refuse(option, text, "give a URL that begins with http:// or https://");
  if (!is_printable(text) || absl::StrContains(text, ' ')) refuse(option, text, "it has blanks");
  const std::size_t begin = text.find("//") + 2;
  const std::size_t end = std::min(text.find_first_of("/?#", begin), text.size());
  const std::string place = text.substr(begin, end - begin);
  if (absl::StrContains(place, '@'))
    refuse(option, text.substr(0, begin) + "...", "no user is taken from a URL; give a header");
  out.target = text.substr(end, text.find('#') - end);
  if (!out.target.starts_with('/')) out.target.insert(out.target.begin(), '/');
  const bool has_port = absl::StrContains(place, ':') && !place.ends_with(']');
  std::tie(out.host, out.port) =
      split_address(has_port ? place : place + (out.tls ? ":443" : ":80"), option);
  if (out.host.empty()) refuse(option, text, "there is no host");
  return out;
}

void check_headers(const Headers& headers, const std::string& option) {
  for (const auto& [name, value] : headers) {
    if (!is_token(name)) refuse(option, name, "this is no header's name");
    if (!is_printable(value)) refuse(option, name, "the header's value has control characters");
    for (const char* own : {"host", "content-length", "transfer-encoding", "connection"})
      if (absl::EqualsIgnoreCase(name, own)) refuse(option, name, "this header is set already");
  }
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace chimera::http

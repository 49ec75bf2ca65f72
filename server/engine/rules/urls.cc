#include "server/engine/rules/urls.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace chimera::server {
namespace {

constexpr char kAlways[] = "-_.~";
constexpr char kInPaths[] = "$&+:=@";
constexpr char kInHosts[] = "-_.~!$&'()*+,;=:[]<>\"%";

std::string escape(absl::string_view text, absl::string_view kept, bool plus_for_space) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
        absl::string_view(kAlways).find(c) != absl::string_view::npos ||
        kept.find(c) != absl::string_view::npos) {
      out += c;
    } else if (c == ' ' && plus_for_space) {
      out += '+';
    } else {
      constexpr char kDigits[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

// Where the scheme's colon is; npos: it has none, and `problem` may say why.
std::size_t scheme_end(absl::string_view text, std::string& problem) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ':') {
      if (i == 0) problem = "missing protocol scheme";
      return i;
    }
    const bool first = absl::ascii_isalpha(static_cast<unsigned char>(c));
    const bool later =
        absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
    if (!first && (i == 0 || !later)) return absl::string_view::npos;
  }
  return absl::string_view::npos;
}

std::string host_problem(absl::string_view host) {
  for (const char c : host) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || byte >= 0x80 ||
        absl::string_view(kInHosts).find(c) != absl::string_view::npos)
      continue;
    return absl::StrCat("invalid character \"", std::string(1, c), "\" in host name");
  }
  return "";
}

std::string problem_of(absl::string_view text, Url& url) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return "net/url: invalid control character in URL";
  }
  std::string problem;
  const std::size_t colon = scheme_end(text, problem);
  if (!problem.empty()) return problem;
  absl::string_view rest = text;
  if (colon != absl::string_view::npos) {
    url.scheme = absl::AsciiStrToLower(text.substr(0, colon));
    rest = text.substr(colon + 1);
  }
  if (!absl::StartsWith(rest, "//")) {
    url.path = std::string(rest);
    return "";
  }
  rest.remove_prefix(2);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  url.host = std::string(rest.substr(0, end));
  url.path = std::string(rest.substr(end));
  if (const std::size_t at = url.host.rfind('@'); at != std::string::npos)
    url.host = url.host.substr(at + 1);
  return host_problem(url.host);
}

}  // namespace

std::string parse_url(absl::string_view text, Url& url) {
  const std::string problem = problem_of(text, url);
  return problem.empty() ? "" : absl::StrCat("parse \"", absl::CEscape(text), "\": ", problem);
}

std::string escape_path_part(absl::string_view text) {
  return escape(text, kInPaths, /*plus_for_space=*/false);
}

std::string escape_query(absl::string_view text) {
  return escape(text, "", /*plus_for_space=*/true);
}

bool unescape(absl::string_view text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    std::string byte;
    if (i + 2 >= text.size() || !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2])))
      return false;
    byte = absl::HexStringToBytes(text.substr(i + 1, 2));
    out += byte;
    i += 2;
  }
  return true;
}

}  // namespace chimera::server

#include "camera_pattern.h"

namespace kindred::person_folders {
namespace {

constexpr auto syntax = std::regex::ECMAScript | std::regex::icase | std::regex::optimize;

}  // namespace

bool CameraPattern::is_valid(const std::string& text) {
  try {
    return std::regex(text, syntax).mark_count() >= 1;
  } catch (const std::regex_error&) {
    return false;
  }
}

CameraPattern::CameraPattern(const std::string& text) : expression_(text, syntax) {}

std::optional<std::string> CameraPattern::find(const std::string& path) const {
  const auto slash = path.find_last_of('/');
  const auto place = slash == std::string::npos ? path : path.substr(0, slash);
  std::smatch match;
  if (!std::regex_search(place, match, expression_) || match[1].length() == 0) return std::nullopt;
  return match[1].str();
}

}  // namespace kindred::person_folders

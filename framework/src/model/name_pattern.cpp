#include "model/name_pattern.h"

namespace kindred {

bool name_matches(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (name.substr(0, star) != pattern.substr(0, star)) return false;
  const auto rest = pattern.substr(star + 1);
  for (auto begin = star; begin <= name.size(); ++begin) {
    if (name_matches(rest, name.substr(begin))) return true;
  }
  return false;
}

}  // namespace kindred

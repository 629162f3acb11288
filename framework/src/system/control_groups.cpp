#include "system/control_groups.h"

#include <fstream>
#include <sstream>
#include <system_error>

namespace kindred::system {
namespace {

namespace fs = std::filesystem;

bool has_controller(const std::string& list, const std::string& wanted) {
  std::istringstream stream(list);
  for (std::string name; std::getline(stream, name, ',');) {
    if (name == wanted) return true;
  }
  return false;
}

void add_groups(const fs::path& mount, const std::string& group, std::vector<fs::path>& folders) {
  folders.push_back(mount);
  for (const auto& part : fs::path(group).relative_path()) folders.push_back(folders.back() / part);
}

}  // namespace

ControlGroups control_groups(const std::string& controller, const fs::path& membership,
                             const fs::path& root) {
  ControlGroups groups;
  std::ifstream file(membership);
  // Lines "number:controllers:path"; version 2 has the number 0 and no controllers.
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      add_groups(root, group, groups.second);
      add_groups(root / "unified", group, groups.second);
    } else if (has_controller(controllers, controller)) {
      std::error_code error;
      const fs::path mount = fs::exists(root / controllers, error) ? root / controllers : root / controller;
      add_groups(mount, group, groups.first);
    }
  }
  return groups;
}

}  // namespace kindred::system

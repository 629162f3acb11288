// Control groups, by which containers, jobs of clusters and services are limited.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace kindred::system {

/// The folders of the groups that a process is in, up to the root: the limit of each of them holds. Some may
/// not exist: inside a container the path may be that of the host, which is not mounted there.
struct ControlGroups {
  std::vector<std::filesystem::path> first;   ///< of version 1, those of one controller
  std::vector<std::filesystem::path> second;  ///< of version 2
};

/// @param controller of version 1: "cpu", "memory"
/// @param membership the process's list of control groups, /proc/self/cgroup; none where it cannot be read
/// @param root where they are mounted, /sys/fs/cgroup
[[nodiscard]] ControlGroups control_groups(const std::string& controller,
                                           const std::filesystem::path& membership,
                                           const std::filesystem::path& root);

}  // namespace kindred::system

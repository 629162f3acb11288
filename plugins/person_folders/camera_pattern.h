// Cameras from the names of files.
#pragma once

#include <optional>
#include <regex>
#include <string>

#include "kindred/text/name_numbers.h"

namespace kindred::person_folders {

/// A regular expression (ECMAScript, upper and lower case alike) whose first group is a camera.
class CameraPattern {
 public:
  /// Finds c1, cam_02, camera-3: "0001_c2s1_000451.jpg" is of camera 2.
  static constexpr const char* common = R"((?:^|[^A-Za-z0-9])(?:c|cam|camera)[_-]?([0-9]{1,3})(?![0-9]))";

  /// Whether a text is such an expression.
  [[nodiscard]] static bool is_valid(const std::string& text);

  explicit CameraPattern(const std::string& text);

  /// The camera, as it is written, in the path of an image below its person's folder: in the folders of the
  /// path when there are any, else in the file's name. Nothing when there is none.
  [[nodiscard]] std::optional<std::string> find(const std::string& path) const;

 private:
  std::regex expression_;
};

}  // namespace kindred::person_folders

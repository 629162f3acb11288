// What is written in the names of files.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "kindred/core/export.h"

namespace kindred {

/// Reads a name from left to right; what is not there leaves the rest as it is.
///
///   NameScanner name("094_1_c9_015833.png");
///   const auto identity = name.number();
///   if (!identity || !name.skip("_")) ...
class KINDRED_API NameScanner {
 public:
  /// @param text outlives the scanner
  explicit NameScanner(std::string_view text) : rest_(text) {}

  /// Takes the text away when the rest begins with it.
  bool skip(std::string_view text);
  /// Takes the digits at the start of the rest away; nothing when there are none or too many for a number.
  std::optional<std::int64_t> number();
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace kindred

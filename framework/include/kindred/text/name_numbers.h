// Numbers for identities and cameras that people write as names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "kindred/core/export.h"

namespace kindred {

/// Numbers of people and cameras go up to here: a person of one list may be counted behind all of another.
inline constexpr std::int64_t largest_whole_number = (std::int64_t{1} << 62) - 1;

/// A whole number in decimal digits, as spreadsheets and pandas write it: "17", "0017", "-1", "17.0"; nothing
/// for another text, or a number beyond largest_whole_number.
[[nodiscard]] KINDRED_API std::optional<std::int64_t> parse_whole_number(std::string_view text);

/// What is wrong with a text that should be such a number: "is too large: ..." or "is not a whole number".
[[nodiscard]] KINDRED_API std::string not_whole_text(std::string_view text);

/// The numbers of a column, or of folders: of one kind of thing in one data set. A name has the same number
/// in every file and on every machine:
///   "17", "0017", "17.0"   17
///   "person_17", "c3"      17 and 3: a common word for a person or a camera before a number
///   "alice"                a number from 2^47 to 2^48, made of the letters
class KINDRED_API NameNumbers {
 public:
  static constexpr std::int64_t first_of_letters = std::int64_t{1} << 47;

  struct Number {
    std::int64_t value = 0;
    /// "", or what is wrong, to be said after the name: it looks like a number and is none, stands for a
    /// missing value ("nan"), has the number of another name, or is a name among numbers or the reverse. -1,
    /// which stands for junk, may be anywhere.
    std::string problem;
  };
  [[nodiscard]] Number of(const std::string& name);

 private:
  std::map<std::int64_t, std::string> names_;
  std::string a_number_;  ///< the first number that was seen, as it was written; "": none
};

}  // namespace kindred

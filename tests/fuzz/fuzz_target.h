// Readers of bytes that strangers wrote, each behind one function: what the fuzzer calls (fuzzer.cpp), and
// what the tests call with the seeds, with the corpus and with seeds that were damaged
// (fuzz_corpus_test.cpp).
#pragma once

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/error.h"

namespace kindred::fuzz {

struct FuzzTarget {
  const char* name;
  /// Reads bytes as the program would read a file or a request of this content, and compares what must agree.
  /// @return whether they were accepted. An exception is a finding: bad input is a kindred::Error, which
  /// stays inside.
  bool (*accepts)(const std::string& bytes);
  /// Well-formed input, made by the program's own writers: each is accepted.
  std::vector<std::string> (*seeds)();
};

/// All of them.
[[nodiscard]] const std::vector<FuzzTarget>& fuzz_targets();
/// nullptr when there is none of that name.
[[nodiscard]] const FuzzTarget* find_fuzz_target(std::string_view name);

/// What was read does not agree with itself.
class Disagreement : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};
inline void require(bool agrees, const char* what) {
  if (!agrees) throw Disagreement(what);
}

/// Whether an action throws no kindred::Error. Any other exception goes through.
template <class Action>
[[nodiscard]] bool passes(Action action) {
  try {
    action();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// A folder of this process, which is removed at its end.
[[nodiscard]] const std::filesystem::path& fuzz_folder();
/// A file in it with this content.
std::filesystem::path fuzz_file(const std::string& name, const std::string& content);
[[nodiscard]] std::string content_of_file(const std::filesystem::path& file);

/// Several files as one input: each begins with a line "=== NAME". What comes before the first such line is
/// left out, and so are names that are not letters, digits, '.', '-', '_' and '/', hold "..", or are longer
/// than 60 characters; there are at most 24.
using Files = std::map<std::string, std::string>;
[[nodiscard]] Files split_files(const std::string& bytes);
[[nodiscard]] std::string join_files(const Files& files);

/// Files in a folder of their own below fuzz_folder(), which is removed with this object.
class FilesOnDisk {
 public:
  explicit FilesOnDisk(const Files& files);
  ~FilesOnDisk();
  FilesOnDisk(const FilesOnDisk&) = delete;
  FilesOnDisk& operator=(const FilesOnDisk&) = delete;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

}  // namespace kindred::fuzz

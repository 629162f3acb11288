// The folders in which the stages of a run leave their results.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

namespace kindred::pipeline {

/// A stage writes in RUN/NAME. When it begins anew, what was there goes to RUN/.replaced/NAME until it has
/// ended, so that a result is never lost to an attempt that fails. What goes wrong throws
/// std::filesystem::filesystem_error.
class StageFolders {
 public:
  explicit StageFolders(std::filesystem::path run) : run_(std::move(run)) {}

  [[nodiscard]] std::filesystem::path of(const std::string& stage) const { return run_ / stage; }
  /// Of what the stage had made before, if that is kept.
  [[nodiscard]] std::filesystem::path replaced(const std::string& stage) const;

  /// Throws DataError when something else than a stage's lies where the stage writes.
  void require_own(const std::string& stage) const;
  /// Empties a stage's folder and keeps what is there; what has not ended itself never takes the place of a
  /// result that is kept. Throws as require_own().
  void begin_anew(const std::string& stage) const;
  /// The stage's folder and what it has replaced change places.
  void exchange(const std::string& stage) const;
  /// Removes what the stage had made before.
  void forget_replaced(const std::string& stage) const;

  /// Removes what a kill between a stage's last writes has left beside its result.
  static void remove_leftovers(const std::filesystem::path& folder);

 private:
  std::filesystem::path run_;
};

}  // namespace kindred::pipeline

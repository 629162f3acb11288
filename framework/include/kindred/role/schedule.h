// Role "schedule": changes the learning rate during training.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "kindred/core/export.h"

namespace kindred {

class KINDRED_API Schedule {
 public:
  using Role = Schedule;
  using Handle = std::unique_ptr<Schedule>;
  static constexpr std::string_view role_name = "schedule";

  struct Context {
    std::int64_t epochs;  ///< of the whole training
  };

  virtual ~Schedule();

  /// The factor of the base learning rate. Depends only on the arguments.
  /// @param epoch counted from 1
  /// @param progress share of the epoch that is done, in [0, 1)
  [[nodiscard]] virtual double factor(std::int64_t epoch, double progress) const = 0;
};

}  // namespace kindred

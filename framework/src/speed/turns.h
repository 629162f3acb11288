// Measures things that do steps, several in turns: A B A B. What else the machine does then disturbs all
// alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "speed/spread.h"

namespace kindred::speed {

/// Something that does equal steps of work.
class Contestant {
 public:
  virtual ~Contestant();
  [[nodiscard]] virtual std::string name() const = 0;
  /// Does that many steps and waits until they are done, on a GPU too.
  /// @return the seconds that they took
  [[nodiscard]] virtual double run(std::int64_t steps) = 0;
};

struct Pace {
  std::int64_t warm_up = 2;  ///< steps of each that are not measured
  std::int64_t turns = 5;    ///< of each
  double seconds = 20;       ///< about what all turns of each take together; a turn has one step at least
  /// Between two turns of different contestants: threads of LibTorch that wait for work spin for a while.
  double pause = 0.25;
};

/// Seconds a step of one contestant: a figure for each turn.
struct StepTimes {
  std::vector<double> turns;
  std::int64_t steps = 0;  ///< of each turn

  [[nodiscard]] Spread spread() const { return spread_of(turns); }
};

/// @return for each contestant, in their order
[[nodiscard]] std::vector<StepTimes> in_turns(const std::vector<Contestant*>& contestants, const Pace& pace);

/// How many times as long the second takes as the first, turn by turn.
[[nodiscard]] Spread ratio_of(const StepTimes& first, const StepTimes& second);

}  // namespace kindred::speed

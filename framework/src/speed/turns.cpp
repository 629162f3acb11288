#include "speed/turns.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <thread>

namespace kindred::speed {

Contestant::~Contestant() = default;

std::vector<StepTimes> in_turns(const std::vector<Contestant*>& contestants, const Pace& pace) {
  if (pace.turns < 1 || pace.warm_up < 1) {
    throw std::logic_error("a measurement has a step to warm up and a turn at least");
  }
  const auto rest = [&] {
    if (contestants.size() > 1) std::this_thread::sleep_for(std::chrono::duration<double>(pace.pause));
  };
  std::vector<StepTimes> times(contestants.size());
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    // The last step of warming up says how many fit into a turn.
    double step = 0;
    for (std::int64_t done = 0; done < pace.warm_up; ++done) step = contestants[i]->run(1);
    const double wanted = pace.seconds / static_cast<double>(pace.turns) / std::max(step, 1e-6);
    times[i].steps = std::max<std::int64_t>(1, std::llround(std::min(wanted, 1e6)));
    rest();
  }
  for (std::int64_t turn = 0; turn < pace.turns; ++turn) {
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      times[i].turns.push_back(contestants[i]->run(times[i].steps) / static_cast<double>(times[i].steps));
      rest();
    }
  }
  return times;
}

Spread ratio_of(const StepTimes& first, const StepTimes& second) {
  if (first.turns.size() != second.turns.size()) throw std::logic_error("both had as many turns");
  std::vector<double> ratios;
  for (std::size_t i = 0; i < first.turns.size(); ++i) ratios.push_back(second.turns[i] / first.turns[i]);
  return spread_of(ratios);
}

}  // namespace kindred::speed

// How fast work goes on, and how long the rest will take.
#pragma once

namespace kindred::progress {

/// Smooths speed over the last half minute or so: a pause, such as for a checkpoint, does not throw the
/// estimate about, and a lasting change is followed.
class Rate {
 public:
  explicit Rate(double time_constant = 30) : time_constant_(time_constant) {}

  /// Some items took some seconds.
  void add(double items, double seconds);
  /// Items a second; 0 as long as nothing is known.
  [[nodiscard]] double per_second() const;
  /// Negative as long as nothing is known.
  [[nodiscard]] double seconds_for(double items) const;

 private:
  double time_constant_;
  double items_ = 0;  // both fade with time alike
  double seconds_ = 0;
};

}  // namespace kindred::progress

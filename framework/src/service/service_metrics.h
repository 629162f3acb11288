// Counts what the service does, for a Prometheus server.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace kindred::service {

/// May be used by several threads at once.
class ServiceMetrics {
 public:
  /// @param route one of a few: "search", not what a client sent
  void answered(const std::string& route, int status, double seconds);
  void refused(const std::string& reason);

  /// In Prometheus' text format 0.0.4.
  /// @param images in the gallery
  [[nodiscard]] std::string text(std::int64_t images) const;

 private:
  /// Upper bounds in seconds.
  static constexpr std::array bounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0};

  struct Durations {
    std::array<std::int64_t, bounds.size()> within{};  ///< answered within a bound
    std::int64_t count = 0;
    double seconds = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::int64_t> answered_;
  std::map<std::string, Durations> durations_;
  std::map<std::string, std::int64_t> refused_;
};

}  // namespace kindred::service

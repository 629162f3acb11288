#include "service/service_metrics.h"

#include <cstddef>
#include <limits>
#include <ostream>
#include <sstream>

#include "system/version.h"

namespace kindred::service {
namespace {

void head(std::ostream& out, const char* name, const char* type, const char* help) {
  out << "# HELP " << name << ' ' << help << "\n# TYPE " << name << ' ' << type << '\n';
}

}  // namespace

void ServiceMetrics::answered(const std::string& route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++answered_[{route, status}];
  auto& durations = durations_[route];
  ++durations.count;
  durations.seconds += seconds;
  for (std::size_t i = 0; i < bounds.size(); ++i) durations.within[i] += seconds <= bounds[i] ? 1 : 0;
}

void ServiceMetrics::refused(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  ++refused_[reason];
}

std::string ServiceMetrics::text(std::int64_t images) const {
  const std::lock_guard lock(mutex_);
  std::ostringstream out;
  // Sums grow for months, and what comes to them in a minute has to be seen.
  out.precision(std::numeric_limits<double>::digits10);
  head(out, "kindred_build_info", "gauge", "The version that serves.");
  out << "kindred_build_info{version=\"" << system::kindred_version << "\"} 1\n";
  head(out, "kindred_gallery_images", "gauge", "Images in the gallery.");
  out << "kindred_gallery_images " << images << '\n';
  head(out, "kindred_requests_total", "counter", "Requests that were answered, by route and status.");
  for (const auto& [key, count] : answered_) {
    out << "kindred_requests_total{route=\"" << key.first << "\",status=\"" << key.second << "\"} " << count
        << '\n';
  }
  head(out, "kindred_requests_refused_total", "counter",
       "Requests that were refused before they reached a route, by reason.");
  for (const auto& [reason, count] : refused_) {
    out << "kindred_requests_refused_total{reason=\"" << reason << "\"} " << count << '\n';
  }
  head(out, "kindred_request_seconds", "histogram", "Time to answer a request that has arrived, by route.");
  for (const auto& entry : durations_) {
    const auto& route = entry.first;
    const auto& durations = entry.second;
    const auto bucket = [&](auto bound, std::int64_t count) {
      out << "kindred_request_seconds_bucket{route=\"" << route << "\",le=\"" << bound << "\"} " << count
          << '\n';
    };
    for (std::size_t i = 0; i < bounds.size(); ++i) bucket(bounds[i], durations.within[i]);
    bucket("+Inf", durations.count);
    out << "kindred_request_seconds_sum{route=\"" << route << "\"} " << durations.seconds << '\n'
        << "kindred_request_seconds_count{route=\"" << route << "\"} " << durations.count << '\n';
  }
  return out.str();
}

}  // namespace kindred::service

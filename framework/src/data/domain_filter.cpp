#include "data/domain_filter.h"

#include <algorithm>
#include <set>

#include "kindred/core/error.h"

namespace kindred::data {

bool is_of_domains(const Sample& sample, const std::vector<std::string>& domains) {
  return domains.empty() || std::find(domains.begin(), domains.end(), sample.domain) != domains.end();
}

void require_domains(const std::vector<Sample>& samples, const std::vector<std::string>& domains,
                     const std::string& subject) {
  std::set<std::string> there;
  for (const auto& sample : samples) there.insert(sample.domain);
  for (const auto& name : domains) {
    if (there.count(name) > 0) continue;
    const std::vector<std::string> names(there.begin(), there.end());
    throw Error(subject + ": error: no image has the domain '" + name + "'; " +
                (there == std::set<std::string>{""}
                     ? "the images have no domains; run the stage 'partition' first"
                     : "the domains are " + quoted_list(names)));
  }
}

}  // namespace kindred::data

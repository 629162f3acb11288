#include "rank_place.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include "kindred/core/error.h"

namespace kindred::launcher {
namespace {

/// Names of the variables of one starter.
struct Starter {
  const char* rank;
  const char* count;
  const char* local_rank;
  const char* local_count;
  const char* machine;  ///< nullptr: local_count is one number, not a list for all machines
  const char* job;      ///< nullptr: it sets MASTER_ADDR and MASTER_PORT itself
};

constexpr Starter torchrun{"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", nullptr, nullptr};
constexpr Starter open_mpi{"OMPI_COMM_WORLD_RANK",
                           "OMPI_COMM_WORLD_SIZE",
                           "OMPI_COMM_WORLD_LOCAL_RANK",
                           "OMPI_COMM_WORLD_LOCAL_SIZE",
                           nullptr,
                           "PMIX_NAMESPACE"};
// Those of a step: in a batch script outside of srun, SLURM_NTASKS is set, but there is one process.
constexpr Starter slurm{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE",
                        "SLURM_NODEID", "SLURM_JOB_ID"};

constexpr int most_ranks = 100'000;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && rest == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

int number_of(const Environment& environment, const std::string& name, int low, int high) {
  const auto text = environment(name);
  if (!text)
    throw Error(name +
                ": error: is not set, although other variables of its kind are; set all of them, or none");
  const auto value = whole_number(*text);
  if (!value || *value < low || *value > high) {
    throw Error(name + " = '" + *text + "': error: must be a whole number from " + std::to_string(low) +
                " to " + std::to_string(high));
  }
  return *value;
}

/// Of numbers of tasks as SLURM writes them, "2(x3),1" for 2, 2, 2, 1, that of one machine, counted from 0;
/// nothing where the text says none.
std::optional<int> tasks_of_machine(std::string_view text, int machine) {
  while (!text.empty()) {
    const auto item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const auto repeated = item.find("(x");
    const auto tasks = whole_number(item.substr(0, repeated));
    auto machines = std::optional(1);
    if (repeated != std::string_view::npos && item.ends_with(')')) {
      machines = whole_number(item.substr(repeated + 2, item.size() - repeated - 3));
    }
    if (!tasks || !machines) return std::nullopt;
    if (machine < *machines) return tasks;
    machine -= *machines;
  }
  return std::nullopt;
}

/// How many ranks there are on this machine.
int local_count(const Environment& environment, const Starter& starter, const system::RankPlace& place) {
  const auto text = environment(starter.local_count);
  if (!text) return place.local_rank + 1;
  if (starter.machine == nullptr) return number_of(environment, starter.local_count, 1, place.count);
  const int machine =
      environment(starter.machine) ? number_of(environment, starter.machine, 0, most_ranks) : 0;
  const auto tasks = tasks_of_machine(*text, machine);
  if (!tasks || *tasks < 1 || *tasks > place.count) {
    throw Error(std::string(starter.local_count) + " = '" + *text + "': error: must say from 1 to " +
                std::to_string(place.count) + " tasks for machine " + std::to_string(machine) +
                " (from 0), as '2(x3),1' says 2, 2, 2 and 1");
  }
  return *tasks;
}

/// "node[03-07,9],other" -> "node03"
std::string first_machine(const std::string& list) {
  const auto comma = list.find(',');
  const auto bracket = list.find('[');
  if (bracket == std::string::npos || (comma != std::string::npos && comma < bracket))
    return list.substr(0, comma);
  const auto end = list.find_first_of("-,]", bracket);
  const auto closing = list.find(']', bracket);
  const auto next = closing == std::string::npos ? std::string::npos : list.find(',', closing);
  const auto suffix = closing == std::string::npos
                          ? std::string()
                          : list.substr(closing + 1, next == std::string::npos ? next : next - closing - 1);
  return list.substr(0, bracket) + list.substr(bracket + 1, end - bracket - 1) + suffix;
}

/// The same on all ranks of a job, and another one for most other jobs.
std::uint16_t port_of(const std::string& job) {
  constexpr std::uint32_t lowest = 20'000;
  constexpr std::uint32_t ports = 12'000;  // below those that systems give to outgoing connections
  std::uint32_t hash = 2'166'136'261;      // FNV-1a
  for (const char c : job) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619;
  return static_cast<std::uint16_t>(lowest + hash % ports);
}

}  // namespace

system::RankPlace rank_place(const Environment& environment) {
  const Starter* starter = nullptr;
  for (const auto* known : {&torchrun, &open_mpi, &slurm}) {
    if (environment(known->count) && environment(known->rank)) {
      starter = known;
      break;
    }
  }
  if (starter == nullptr) {
    for (const auto* name : {torchrun.rank, torchrun.count}) {
      // Half of it means that somebody wanted more than one process: the other half is said to be missing.
      if (!environment(name)) continue;
      static_cast<void>(
          number_of(environment, name == torchrun.rank ? torchrun.count : torchrun.rank, 0, most_ranks));
    }
    return {};
  }
  system::RankPlace place;
  place.count = number_of(environment, starter->count, 1, most_ranks);
  place.rank = number_of(environment, starter->rank, 0, place.count - 1);
  if (place.count == 1) return {};
  place.local_rank =
      environment(starter->local_rank) ? number_of(environment, starter->local_rank, 0, place.count - 1) : 0;
  place.local_count = local_count(environment, *starter, place);
  const auto address = environment("MASTER_ADDR");
  const auto machines = environment("SLURM_STEP_NODELIST");
  if (address) {
    place.address = *address;
  } else if (place.local_count == place.count) {
    place.address = "127.0.0.1";
  } else if (machines) {
    place.address = first_machine(*machines);
  } else {
    throw Error(
        "MASTER_ADDR: error: is not set, so the ranks cannot find each other; set it to the name of the "
        "machine "
        "of rank 0 (mpirun -x MASTER_ADDR=NAME ...)");
  }
  if (environment("MASTER_PORT")) {
    place.port = static_cast<std::uint16_t>(number_of(environment, "MASTER_PORT", 1, 65'535));
  } else if (starter->job != nullptr && environment(starter->job)) {
    place.port = port_of(*environment(starter->job));
  } else {
    throw Error(
        "MASTER_PORT: error: is not set, so the ranks cannot find each other; set it to a free port of the "
        "machine of rank 0");
  }
  place.attempt = environment("TORCHELASTIC_RUN_ID").value_or("") + "/" +
                  environment("TORCHELASTIC_RESTART_COUNT").value_or("0");
  place.is_served = environment(local_rank_variable).has_value();
  place.may_be_bound = starter != &torchrun;
  // torchrun serves MASTER_PORT itself, and its LibTorch may be of another version, which speaks otherwise.
  if (environment("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True")
    place.port = port_of(std::to_string(place.port) + "/" + place.attempt);
  return place;
}

system::RankPlace rank_place() {
  return rank_place([](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
}

}  // namespace kindred::launcher

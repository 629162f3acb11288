// The steps of a checkup. For this room's own use, and for tests of single steps.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "command/checkup.h"
#include "kindred/core/catalog.h"
#include "progress/progress.h"

namespace kindred::command {

/// Collects rows. Whatever a check throws becomes a row that failed.
class CheckList {
 public:
  explicit CheckList(progress::ProgressSink& progress) : progress_(progress) {}

  struct Finding {
    std::string figure;
    std::optional<bool> ok;  ///< absent: a fact
    std::string note{};      ///< of a failure
  };
  void check(const std::string& name, const std::string& expected, const std::function<Finding()>& find);
  void leave_out(const std::string& name, const std::string& why);

  [[nodiscard]] std::vector<Check> take() { return std::move(checks_); }

 private:
  progress::ProgressSink& progress_;
  std::vector<Check> checks_;
};

/// Processors, memory, libraries, precisions, the GPU.
void tell_machine(torch::Device device, CheckList& checks);

/// "503.6 GiB, 480.0 GiB free; this container or job may take 8.0 GiB", the last where a limit is smaller.
/// @param all, free bytes of the machine
[[nodiscard]] std::string memory_text(double all, double free, const std::optional<std::int64_t>& limit_mib);

/// Each backbone under the first head that it fits, and each head left over on the first backbone, as small
/// as their parameters allow: in fp32, and in the precision that suits the device.
void check_networks(const Catalog& catalog, torch::Device device, CheckList& checks);

/// 50 steps in each precision; 5 + 5 steps are 10.
void check_training(const std::string& recipe, const Catalog& catalog, torch::Device device,
                    CheckList& checks);

/// Neighbors, post-processors, labelers and evaluation.
void check_searches(const Catalog& catalog, torch::Device device, CheckList& checks);

/// Images a second of extraction and training.
void measure_networks(const std::vector<NamedRecipe>& recipes, const Catalog& catalog, torch::Device device,
                      bool quick, CheckList& checks);

/// Seconds of a search in galleries of the sizes of two benchmarks.
void measure_search(const std::string& recipe, const Catalog& catalog, torch::Device device, bool quick,
                    CheckList& checks);

}  // namespace kindred::command

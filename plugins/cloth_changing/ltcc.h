// LTCC as its authors distribute it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kindred/core/schema.h"
#include "kindred/image/split_folders.h"
#include "kindred/role/dataset.h"

namespace kindred::cloth_changing {

/// What a file name of LTCC says.
struct LtccName {
  std::int64_t identity = 0;
  std::int64_t clothes = 0;  ///< numbered for each identity by itself
  std::int64_t camera = 0;
};

/// Reads IDENTITY_CLOTHES_cCAMERA_..., such as 094_1_c9_015833.png; nothing when the name is of another form.
[[nodiscard]] std::optional<LtccName> parse_ltcc_name(std::string_view name);

/// LTCC (Qian et al., ACCV 2020): the folders train, query and test (the gallery). Either training or testing
/// may be missing.
class Ltcc final : public Dataset {
 public:
  struct Params {
    std::filesystem::path root;
    std::string train = "train";
    std::string query = "query";
    std::string gallery = "test";
  };
  static Schema<Params> schema();

  Ltcc(const Params& params, const Context& context);

  [[nodiscard]] std::vector<Sample> samples() const override;
  [[nodiscard]] cv::Mat image(const Sample& sample) const override;
  /// Certain with all three folders and a name as it should be, likely with training or testing alone.
  [[nodiscard]] Recognition recognize() const override;

 private:
  std::filesystem::path root_;
  SplitFolders folders_;
};

}  // namespace kindred::cloth_changing

#include "file/feature_shards.h"

#include <cstddef>
#include <ostream>
#include <string>

#include "file/atomic_file.h"
#include "kindred/core/error.h"
#include "kindred/text/csv.h"

namespace kindred::file {
namespace {

constexpr std::int64_t most_rows = std::int64_t{1} << 40;

std::int64_t positive(const CsvTable& table, const CsvRow& row, std::size_t column, std::int64_t most) {
  const auto number = table.integer(row, column);
  if (number < 1 || number > most) {
    throw table.error(row, table.header()[column] + " = " + std::to_string(number) +
                               " must be a whole number from 1 to " + std::to_string(most));
  }
  return number;
}

}  // namespace

ShardList ShardList::read(const std::filesystem::path& file) {
  const auto table = CsvTable::read(file);
  table.require_known_columns({"file", "rows", "dim"});
  const auto name = table.column("file");
  const auto rows = table.column("rows");
  const auto dim = table.column("dim");
  ShardList list;
  std::int64_t all = 0;
  for (const auto& row : table.rows()) {
    if (row.cells[name].empty()) throw table.error(row, "the name of the file is empty");
    const auto of_shard = positive(table, row, rows, most_rows);
    if (of_shard > most_rows - all) {
      throw table.error(row, "rows = " + std::to_string(of_shard) +
                                 ", with which all arrays would have more than " + std::to_string(most_rows) +
                                 " rows together");
    }
    all += of_shard;
    list.shards.push_back({row.cells[name], of_shard});
    const auto of_row = positive(table, row, dim, 1 << 24);
    if (list.dim != 0 && of_row != list.dim) {
      throw table.error(row, "dim = " + std::to_string(of_row) + ", but " + std::to_string(list.dim) +
                                 " in the rows before; all arrays must be of the same model");
    }
    list.dim = of_row;
  }
  if (list.shards.empty()) {
    throw DataError(file,
                    "lists no arrays; it needs a row for each array of descriptors, with file, rows and dim");
  }
  return list;
}

void ShardList::write(const std::filesystem::path& file) const {
  write_atomically(file, [&](std::ostream& out) {
    write_csv_row(out, {"file", "rows", "dim"});
    for (const auto& shard : shards) {
      write_csv_row(out, {shard.file.string(), std::to_string(shard.rows), std::to_string(dim)});
    }
  });
}

std::filesystem::path shard_list_of(const std::filesystem::path& stem) {
  auto result = stem;
  return result += ".shards.csv";
}

std::filesystem::path shard_file(const std::filesystem::path& stem, std::int64_t number) {
  constexpr std::size_t digits = 4;
  const auto text = std::to_string(number);
  auto result = stem;
  return result += "." + std::string(digits - std::min(digits, text.size()), '0') + text + ".npy";
}

ShardedArray::ShardedArray(std::filesystem::path list) : list_(std::move(list)), version_(list_) {
  const auto read = ShardList::read(list_);
  dim_ = read.dim;
  std::int64_t rows = 0;
  for (const auto& shard : read.shards) {
    files_.push_back(list_.parent_path() / shard.file);
    ends_.push_back(rows += shard.rows);
  }
}

std::shared_ptr<const NpyReader> ShardedArray::opened(std::size_t shard) const {
  const std::lock_guard lock(mutex_);
  if (open_.second && open_.first == shard) return open_.second;
  const auto rows = ends_[shard] - (shard == 0 ? 0 : ends_[shard - 1]);
  auto array = std::make_shared<const NpyReader>(files_[shard]);
  version_.require_unchanged();
  if (array->shape() != std::vector<std::int64_t>{rows, dim_} || !torch::isFloatingType(array->type())) {
    std::string shape;
    for (const auto size : array->shape()) shape += (shape.empty() ? "" : " x ") + std::to_string(size);
    throw DataError(files_[shard], list_.filename().string() + " says that it holds " + std::to_string(rows) +
                                       " x " + std::to_string(dim_) +
                                       " floating-point numbers, but it holds " +
                                       (torch::isFloatingType(array->type()) ? shape : shape + " integers") +
                                       "; extract the features again, or correct the list");
  }
  open_ = {shard, array};
  return array;
}

}  // namespace kindred::file

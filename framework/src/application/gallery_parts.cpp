#include "application/gallery_parts.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <exception>
#include <ios>
#include <mutex>
#include <ostream>
#include <ratio>
#include <set>
#include <shared_mutex>
#include <system_error>
#include <utility>

#include "file/atomic_file.h"
#include "file/feature_files.h"
#include "file/file_kind.h"
#include "file/folder_lock.h"
#include "kindred/core/error.h"
#include "kindred/core/value.h"
#include "kindred/search/row_lengths.h"
#include "kindred/text/text_file.h"
#include "ranking/similarity.h"
#include "recipe/plan.h"
#include "recipe/recipe.h"

namespace kindred::application {
namespace {

namespace fs = std::filesystem;

/// Rows that are gathered, written or put into an index at a time.
constexpr std::int64_t rows_at_a_time = 4096;
/// A log that is smaller is not worth being written again.
constexpr std::uint64_t smallest_waste = 1 << 20;

constexpr const char* features_name = "gallery.npy";

void require_text(const std::string& id, const char* what, const std::string& text) {
  if (text.size() > longest_text) {
    throw DataError(escaped(id), std::string("its ") + what + " has " + std::to_string(text.size()) +
                                     " bytes; a gallery keeps up to " + std::to_string(longest_text));
  }
  if (!is_utf8(text)) throw DataError(escaped(id), std::string("its ") + what + " is not UTF-8; convert it");
}

/// The rows scaled to length 1.
torch::Tensor unit_rows_of(std::span<const std::string> ids, const torch::Tensor& rows) {
  auto units = rows.clone(torch::MemoryFormat::Contiguous);
  const auto lengths = row_lengths(units);
  const auto* length = lengths.data_ptr<double>();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (length[i] >= 1e-30 && length[i] <= 1e30) continue;
    throw DataError(ids[i], std::string("its descriptor ") +
                                (length[i] == 0 ? "is zero" : "is not finite, or nearly of length 0") +
                                ", so it has no direction; extract it again");
  }
  scale_to_unit_length(units);
  return units;
}

void require_query_options(const SearchOptions& options) {
  if (options.top < 1) {
    throw Error("search: error: top = " + std::to_string(options.top) +
                " matches cannot be given; ask for at least 1");
  }
  if (std::isnan(options.threshold)) {
    throw Error("search: error: the threshold is not a number; it is a similarity, from -1 to 1");
  }
}

std::unique_ptr<file::FolderLock> lock_folder(const fs::path& folder) {
  return std::make_unique<file::FolderLock>(folder, "gallery");
}

bool is_empty_folder(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto& file = entry.path();
    if (file.filename() != file::FolderLock::name && !file::is_unfinished_file(file)) return false;
  }
  if (error) throw DataError(folder, "cannot be listed: " + error.message());
  return true;
}

/// A folder for a new gallery, which nobody else fills.
std::unique_ptr<file::FolderLock> new_folder(const fs::path& folder) {
  GalleryParts::require_new(folder);
  auto lock = lock_folder(folder);
  GalleryParts::require_new(folder);
  return lock;
}

/// Of all bytes, and on disk before the file itself is changed.
void keep_copy(const fs::path& file, const fs::path& copy) {
  const auto unfinished = copy.parent_path() / ("." + copy.filename().string() + ".tmp");
  std::error_code error;
  fs::copy_file(file, unfinished, fs::copy_options::overwrite_existing, error);
  if (error) throw DataError(copy, "cannot be written: " + error.message());
  file::put_in_place(unfinished, copy);
}

DataError other_model(const fs::path& folder, const std::string& held, const std::string& wanted) {
  constexpr std::size_t digits = 64;  // of the checksum; overrides follow
  const auto settings = [](const std::string& id) {
    return id.size() > digits ? "with" + id.substr(digits) : std::string("without overrides");
  };
  const auto shown = [](const std::string& id) { return id.empty() ? "unknown" : id.substr(0, 12) + "..."; };
  const bool same_file = held.substr(0, digits) == wanted.substr(0, digits);
  return {folder, "holds descriptors of " +
                      (same_file ? "this model " + settings(held) + " instead of " + settings(wanted)
                                 : "another model (" + shown(held) + " instead of " + shown(wanted) + ")") +
                      ", which cannot be compared; extract its images again"};
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

Index::Handle make_index(const IndexOptions& options, const Catalog& catalog, const Index::Context& context) {
  std::vector<std::string> overrides;
  for (const auto& parameter : options.parameters) overrides.push_back("index." + parameter);
  const auto recipe =
      recipe::parse_recipe("[index]\ntype = " + Value(options.type).to_toml() + "\n", "the index", overrides);
  return recipe::choose_component<Index>(recipe, catalog).create(context);
}

}  // namespace

GalleryParts::GalleryParts(std::int64_t dim, std::string model)
    : dim_(dim), model_(std::move(model)), memory_(std::max<std::int64_t>(dim, 1)) {
  if (dim < 1 || dim > longest_descriptor) {
    throw Error("gallery: error: descriptors cannot have " + std::to_string(dim) +
                " numbers; give from 1 to " + std::to_string(longest_descriptor));
  }
  if (model_.size() > longest_text) throw Error("gallery: error: the model's id is longer than 65,536 bytes");
}

std::unique_ptr<GalleryParts> GalleryParts::create(const fs::path& folder, std::int64_t dim,
                                                   const std::string& model) {
  auto parts = std::make_unique<GalleryParts>(dim, model);
  auto lock = new_folder(folder);
  static_cast<void>(parts->write_log(folder));
  parts->lock_ = std::move(lock);
  parts->open_log(folder, {});
  return parts;
}

void GalleryParts::require_new(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (!fs::is_directory(folder, error)) {
    throw DataError(folder, "is a file; name a folder for the gallery that does not exist");
  }
  if (fs::exists(folder / gallery_log_name, error)) {
    throw DataError(folder, "is a gallery already; open it to add to it, or name another folder");
  }
  if (!is_empty_folder(folder)) {
    throw DataError(folder,
                    "holds files that are not a gallery's; name a folder that is empty or does not exist");
  }
}

std::unique_ptr<GalleryParts> GalleryParts::open(const fs::path& path, const GalleryOptions& options) {
  std::error_code error;
  if (!fs::exists(path, error)) throw DataError(path, "does not exist; it should be the folder of a gallery");
  auto parts = std::make_unique<GalleryParts>(1, "");
  if (fs::is_regular_file(path, error) && path.extension() == ".npy") {
    parts->open_features(path, options);
  } else if (fs::exists(path / gallery_log_name, error)) {
    parts->open_log(path, options);
  } else if (file::has_features(path / features_name)) {
    parts->open_features(path / features_name, options);
  } else {
    throw DataError(path, "is " + file::description_of(file::file_kind(path)) + " without " +
                              gallery_log_name +
                              " of a gallery and without gallery.npy of extracted features; `kindred embed` "
                              "extracts features, and Gallery::create() makes a gallery");
  }
  return parts;
}

void GalleryParts::open_log(const fs::path& folder, const GalleryOptions& options) {
  folder_ = folder;
  read_only_ = options.read_only;
  in_memory_ = options.in_memory;
  const auto file = folder / gallery_log_name;
  if (!read_only_ && !lock_) lock_ = lock_folder(folder);
  LogVisitor visitor;
  visitor.begin = [&](std::int64_t dim, const std::string& model) {
    if (!options.model.empty() && model != options.model) throw other_model(folder, model, options.model);
    dim_ = dim;
    model_ = model;
    memory_ = MemoryRows(dim);
  };
  visitor.add = [&](std::string id, EntryInfo info, const float* row, std::uint64_t position) {
    // Written by add(), so only a foreign writer has one twice: the later one is meant.
    if (const auto found = by_id_.find(id); found != by_id_.end()) forget(found->second);
    take(std::move(id), std::move(info), position, row);
  };
  visitor.remove = [&](const std::string& id) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) forget(found->second);
  };
  const auto state = read_log(file, options.skip_damaged, visitor);
  notes_ = state.notes;
  reader_ = std::make_unique<LogReader>(file);
  if (read_only_) return;
  const bool damaged =
      std::any_of(notes_.begin(), notes_.end(), [](const auto& note) { return note.starts_with("warning"); });
  if (damaged) {
    auto copy = file;
    copy += ".damaged";
    keep_copy(file, copy);
    notes_.push_back("the damaged log is kept as " + copy.string());
  }
  writer_ = std::make_unique<LogWriter>(file, state.end);
  if (damaged || (removed_bytes_ > smallest_waste && 2 * removed_bytes_ > state.end)) compact_locked();
}

void GalleryParts::open_features(const fs::path& file, const GalleryOptions& options) {
  read_only_ = true;
  in_memory_ = options.in_memory;
  auto reader = std::make_unique<file::FeatureReader>(file);
  dim_ = reader->dim();
  memory_ = MemoryRows(dim_);
  if (!options.model.empty()) {
    notes_.push_back(file.string() +
                     " does not say which model its descriptors are of; nothing checks that it is " +
                     "this one");
  }
  const auto& samples = reader->samples();
  for (std::int64_t first = 0; first < reader->size(); first += rows_at_a_time) {
    const auto last = std::min(first + rows_at_a_time, reader->size());
    const auto rows = in_memory_
                          ? ranking::unit_rows(reader->rows(first, last), file.string(), first).contiguous()
                          : torch::Tensor();
    for (auto at = first; at < last; ++at) {
      const auto& sample = samples[static_cast<std::size_t>(at)];
      if (by_id_.contains(sample.path)) throw DataError(file, "lists the image '" + sample.path + "' twice");
      EntryInfo info;
      info.camera = sample.camera;
      if (sample.identity >= 0) info.label = std::to_string(sample.identity);
      take(sample.path, std::move(info), 0,
           in_memory_ ? rows.data_ptr<float>() + (at - first) * dim_ : nullptr);
    }
  }
  if (!in_memory_) features_ = std::move(reader);
}

void GalleryParts::require_changeable() const {
  if (read_only_) {
    throw Error(
        "gallery: error: it was opened to be searched, or is the features of `kindred embed`, and cannot "
        "be " +
        std::string("changed; open a gallery without read_only, or save() it as one"));
  }
}

void GalleryParts::take(std::string id, EntryInfo info, std::uint64_t position, const float* row) {
  if (in_memory_) memory_.append(row);
  entries_.push_back({std::move(id), std::move(info), position});
  removed_.push_back(0);
  by_id_.emplace(entries_.back().id, rows() - 1);
}

void GalleryParts::forget(std::int64_t row) {
  const auto place = static_cast<std::size_t>(row);
  by_id_.erase(entries_[place].id);
  removed_[place] = 1;
  ++removed_count_;
  removed_bytes_ += static_cast<std::uint64_t>(dim_) * sizeof(float) + 2 * entries_[place].id.size() + 80;
}

std::int64_t GalleryParts::row_of(const std::string& id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) throw DataError(escaped(id), "is not in the gallery");
  return found->second;
}

void GalleryParts::add(std::span<const std::string> ids, const torch::Tensor& rows,
                       std::span<const EntryInfo> infos) {
  const auto count = ids.size();
  if (rows.size(0) != static_cast<std::int64_t>(count) || (!infos.empty() && infos.size() != count)) {
    throw DataError("gallery", "is given " + std::to_string(count) + " ids, " + std::to_string(rows.size(0)) +
                                   " descriptors and " + std::to_string(infos.size()) +
                                   " infos; they have to be as many, or no infos");
  }
  std::set<std::string_view> given;
  for (std::size_t i = 0; i < count; ++i) {
    if (ids[i].empty()) throw DataError("gallery", "an id is empty; every entry needs one");
    require_text(ids[i], "id", ids[i]);
    if (!given.insert(ids[i]).second) throw DataError(ids[i], "is given twice; ids have to differ");
    if (infos.empty()) continue;
    require_text(ids[i], "label", infos[i].label);
    require_text(ids[i], "image", infos[i].image);
  }
  const auto units = unit_rows_of(ids, rows);
  const auto* row = units.data_ptr<float>();

  const std::unique_lock lock(mutex_);
  require_changeable();
  for (const auto& id : ids) {
    if (by_id_.contains(id))
      throw DataError(id, "is in the gallery already; remove it first, or use another id");
  }
  static const EntryInfo nothing;
  std::vector<std::uint64_t> positions(count, 0);
  if (writer_) {
    std::string records;
    for (std::size_t i = 0; i < count; ++i) {
      append_add_record(records, ids[i], infos.empty() ? nothing : infos[i],
                        row + static_cast<std::int64_t>(i) * dim_, dim_);
      positions[i] = writer_->end() + records.size() - static_cast<std::uint64_t>(dim_) * sizeof(float);
    }
    writer_->append(records);
  }
  for (std::size_t i = 0; i < count; ++i) {
    take(ids[i], infos.empty() ? nothing : infos[i], positions[i], row + static_cast<std::int64_t>(i) * dim_);
  }
  if (!index_) return;
  try {
    index_->add(units);
  } catch (const std::exception& error) {
    // What was added is added; searches are exact from now on.
    index_.reset();
    notes_.push_back(std::string("warning: the index was dropped, it does not take what is added: ") +
                     error.what());
  }
}

bool GalleryParts::remove(const std::string& id) {
  const std::unique_lock lock(mutex_);
  require_changeable();
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return false;
  if (writer_) writer_->append(remove_record(id));
  forget(found->second);
  return true;
}

std::vector<std::vector<Match>> GalleryParts::search(const torch::Tensor& queries,
                                                     const SearchOptions& options) const {
  require_query_options(options);
  const std::shared_lock lock(mutex_);
  std::vector<std::vector<Match>> result(static_cast<std::size_t>(queries.size(0)));
  const auto top = std::min(options.top, live());
  if (top == 0 || queries.size(0) == 0) return result;
  const auto offer = [&](std::vector<Match>& matches, std::int64_t row, float similarity) {
    if (similarity < options.threshold) return;
    const auto& entry = entries_[static_cast<std::size_t>(row)];
    matches.push_back({entry.id, similarity, entry.info});
  };
  const bool filtered = !options.cameras.empty() || options.from || options.until;
  if (index_ && !filtered) {
    const auto found = ask_index(ranking::unit_rows(queries, "query"), top);
    for (std::size_t q = 0; q < found.size(); ++q) {
      for (const auto& [row, similarity] : found[q]) offer(result[q], row, similarity);
    }
    return result;
  }
  const auto excluded = filtered ? excluded_by(options) : std::vector<std::uint8_t>();
  const auto ranking = rank(queries, top,
                            filtered ? std::span<const std::uint8_t>(excluded)
                                     : (removed_count_ > 0 ? std::span<const std::uint8_t>(removed_)
                                                           : std::span<const std::uint8_t>()));
  const auto* row = ranking.images.data_ptr<std::int64_t>();
  const auto* similarity = ranking.similarities.data_ptr<float>();
  for (std::size_t q = 0; q < result.size(); ++q) {
    for (std::int64_t i = 0; i < ranking.images.size(1); ++i, ++row, ++similarity) {
      if (*row >= 0) offer(result[q], *row, *similarity);
    }
  }
  return result;
}

std::vector<std::uint8_t> GalleryParts::excluded_by(const SearchOptions& options) const {
  auto excluded = removed_;
  for (std::size_t i = 0; i < excluded.size(); ++i) {
    const auto& info = entries_[i].info;
    const bool camera = options.cameras.empty() || std::find(options.cameras.begin(), options.cameras.end(),
                                                             info.camera) != options.cameras.end();
    const bool timed = !options.from && !options.until;
    const bool time = timed || (info.time && (!options.from || *info.time >= *options.from) &&
                                (!options.until || *info.time < *options.until));
    if (!camera || !time) excluded[i] = 1;
  }
  return excluded;
}

ranking::Ranking GalleryParts::rank(const torch::Tensor& queries, std::int64_t top,
                                    std::span<const std::uint8_t> excluded) const {
  ranking::RankingOptions options;
  options.top = top;
  options.unit_gallery = !features_;
  options.excluded = excluded;
  return ranking::rank_gallery(
      queries, rows(), dim_, [this](std::int64_t first, std::int64_t last) { return block(first, last); },
      options);
}

torch::Tensor GalleryParts::block(std::int64_t first, std::int64_t last) const {
  if (in_memory_) return memory_.block(first, last);
  if (features_) return features_->rows(first, last);
  // In the order of the log, so that one reading gets them all.
  auto rows = torch::empty({last - first, dim_}, torch::kFloat);
  const auto size = static_cast<std::size_t>(dim_) * sizeof(float);
  const auto begin = entries_[static_cast<std::size_t>(first)].position;
  const auto end = entries_[static_cast<std::size_t>(last - 1)].position + size;
  std::vector<char> bytes(static_cast<std::size_t>(end - begin));
  reader_->read(begin, bytes.data(), bytes.size());
  auto* to = rows.data_ptr<float>();
  for (auto at = first; at < last; ++at, to += dim_) {
    std::memcpy(to, bytes.data() + (entries_[static_cast<std::size_t>(at)].position - begin), size);
  }
  return rows;
}

torch::Tensor GalleryParts::gathered(const std::vector<std::int64_t>& rows) const {
  auto all = torch::empty({static_cast<std::int64_t>(rows.size()), dim_}, torch::kFloat);
  auto* to = all.data_ptr<float>();
  for (const auto row : rows) {
    if (in_memory_) {
      std::memcpy(to, memory_.row(row), static_cast<std::size_t>(dim_) * sizeof(float));
    } else {
      const auto one = block(row, row + 1).contiguous();
      std::memcpy(to, one.data_ptr<float>(), one.nbytes());
    }
    to += dim_;
  }
  if (features_) scale_to_unit_length(all);
  return all;
}

std::vector<std::vector<std::pair<std::int64_t, float>>> GalleryParts::ask_index(const torch::Tensor& queries,
                                                                                 std::int64_t top) const {
  std::vector<std::vector<std::pair<std::int64_t, float>>> result(static_cast<std::size_t>(queries.size(0)));
  for (std::int64_t q = 0; q < queries.size(0); ++q) {
    const auto query = queries.slice(0, q, q + 1).contiguous();
    std::vector<std::int64_t> found;
    // Of what was removed the index does not know.
    for (auto ask = top;; ask = std::min(2 * ask, rows())) {
      const auto answer = index_->search(query, ask);
      const auto* row = answer.data_ptr<std::int64_t>();
      found.clear();
      bool all = true;
      for (std::int64_t i = 0; i < ask; ++i) {
        if (row[i] < 0) {
          all = false;
          break;
        }
        if (removed_[static_cast<std::size_t>(row[i])] == 0) found.push_back(row[i]);
      }
      if (static_cast<std::int64_t>(found.size()) >= top || ask == rows() || !all) break;
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    auto& matches = result[static_cast<std::size_t>(q)];
    if (found.empty()) continue;
    const auto similarities = torch::mv(gathered(found), query.view({-1})).contiguous();
    const auto* similarity = similarities.data_ptr<float>();
    for (std::size_t i = 0; i < found.size(); ++i) matches.emplace_back(found[i], similarity[i]);
    std::stable_sort(matches.begin(), matches.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    if (static_cast<std::int64_t>(matches.size()) > top) matches.resize(static_cast<std::size_t>(top));
  }
  return result;
}

std::int64_t GalleryParts::size() const {
  const std::shared_lock lock(mutex_);
  return live();
}

bool GalleryParts::contains(const std::string& id) const {
  const std::shared_lock lock(mutex_);
  return by_id_.contains(id);
}

std::vector<std::string> GalleryParts::ids(std::int64_t first, std::int64_t count) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::string> result;
  std::int64_t place = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (removed_[i] != 0 || place++ < first) continue;
    if (count >= 0 && static_cast<std::int64_t>(result.size()) == count) break;
    result.push_back(entries_[i].id);
  }
  return result;
}

EntryInfo GalleryParts::info(const std::string& id) const {
  const std::shared_lock lock(mutex_);
  return entries_[static_cast<std::size_t>(row_of(id))].info;
}

torch::Tensor GalleryParts::descriptor(const std::string& id) const {
  const std::shared_lock lock(mutex_);
  return gathered({row_of(id)});
}

std::vector<std::int64_t> GalleryParts::cameras() const {
  const std::shared_lock lock(mutex_);
  std::set<std::int64_t> found;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (removed_[i] == 0 && entries_[i].info.camera != -1) found.insert(entries_[i].info.camera);
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> GalleryParts::notes() const {
  const std::shared_lock lock(mutex_);
  return notes_;
}

void GalleryParts::flush() {
  const std::shared_lock lock(mutex_);
  if (writer_) writer_->sync();
}

void GalleryParts::for_each_live(const std::function<void(const Entry&, const float*)>& call) const {
  for (std::int64_t first = 0; first < rows(); first += rows_at_a_time) {
    const auto last = std::min(first + rows_at_a_time, rows());
    const auto some =
        features_ ? ranking::unit_rows(block(first, last), "gallery", first) : block(first, last);
    const auto plain = some.contiguous();
    for (auto at = first; at < last; ++at) {
      if (removed_[static_cast<std::size_t>(at)] != 0) continue;
      call(entries_[static_cast<std::size_t>(at)], plain.data_ptr<float>() + (at - first) * dim_);
    }
  }
}

std::vector<std::uint64_t> GalleryParts::write_log(const fs::path& folder) const {
  std::vector<std::uint64_t> positions;
  positions.reserve(static_cast<std::size_t>(live()));
  file::write_atomically(folder / gallery_log_name, [&](std::ostream& out) {
    auto record = begin_record(dim_, model_);
    std::uint64_t end = 0;
    const auto write = [&] {
      out.write(record.data(), static_cast<std::streamsize>(record.size()));
      end += record.size();
      record.clear();
    };
    write();
    for_each_live([&](const Entry& entry, const float* row) {
      append_add_record(record, entry.id, entry.info, row, dim_);
      positions.push_back(end + record.size() - static_cast<std::uint64_t>(dim_) * sizeof(float));
      write();
    });
  });
  return positions;
}

void GalleryParts::compact() {
  const std::unique_lock lock(mutex_);
  require_changeable();
  compact_locked();
}

void GalleryParts::compact_locked() {
  std::vector<std::uint64_t> positions(static_cast<std::size_t>(live()), 0);
  if (writer_) positions = write_log(folder_);
  MemoryRows memory(dim_);
  if (in_memory_) for_each_live([&](const Entry&, const float* row) { memory.append(row); });
  std::deque<Entry> entries;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (removed_[i] != 0) continue;
    entries.push_back(std::move(entries_[i]));
    entries.back().position = positions[entries.size() - 1];
  }
  entries_ = std::move(entries);
  memory_ = std::move(memory);
  removed_.assign(entries_.size(), 0);
  removed_count_ = 0;
  removed_bytes_ = 0;
  by_id_.clear();
  for (std::int64_t i = 0; i < rows(); ++i) by_id_.emplace(entries_[static_cast<std::size_t>(i)].id, i);
  if (writer_) {
    const auto file = folder_ / gallery_log_name;
    reader_ = std::make_unique<LogReader>(file);
    writer_ = std::make_unique<LogWriter>(file, reader_->size());
  }
  if (index_) fill_index();
}

void GalleryParts::save(const fs::path& folder) const {
  const std::shared_lock lock(mutex_);
  const auto folder_lock = new_folder(folder);
  static_cast<void>(write_log(folder));
}

void GalleryParts::fill_index() {
  index_ = make_index(index_options_, *catalog_, {dim_, rows()});
  if (const auto wanted = index_->training_rows(); wanted > 0 && rows() > 0) {
    const auto count = std::min(wanted, rows());
    std::vector<std::int64_t> chosen;
    for (std::int64_t i = 0; i < count; ++i) chosen.push_back(i * rows() / count);
    index_->train(gathered(chosen));
  }
  for (std::int64_t first = 0; first < rows(); first += rows_at_a_time) {
    const auto some = block(first, std::min(first + rows_at_a_time, rows())).contiguous();
    index_->add(features_ ? ranking::unit_rows(some, "gallery", first).contiguous() : some);
  }
}

IndexReport GalleryParts::measure_index() const {
  constexpr std::int64_t most_queries = 100;
  constexpr std::int64_t depth = 10;
  IndexReport report;
  std::vector<std::int64_t> queries;
  std::vector<std::int64_t> alive;
  for (std::int64_t i = 0; i < rows(); ++i) {
    if (removed_[static_cast<std::size_t>(i)] == 0) alive.push_back(i);
  }
  const auto count = static_cast<std::int64_t>(alive.size());
  if (count < 2) return report;
  report.queries = std::min(most_queries, count);
  for (std::int64_t i = 0; i < report.queries; ++i) {
    queries.push_back(alive[static_cast<std::size_t>(i * count / report.queries)]);
  }
  const auto descriptors = gathered(queries);
  const auto top = std::min(depth + 1, count);
  auto start = std::chrono::steady_clock::now();
  const auto exact = rank(descriptors, top, removed_);
  report.exact_ms = milliseconds_since(start) / static_cast<double>(report.queries);
  start = std::chrono::steady_clock::now();
  const auto found = ask_index(descriptors, top);
  report.indexed_ms = milliseconds_since(start) / static_cast<double>(report.queries);

  const auto* row = exact.images.data_ptr<std::int64_t>();
  for (std::size_t q = 0; q < queries.size(); ++q, row += top) {
    std::vector<std::int64_t> right;
    for (std::int64_t i = 0; i < top; ++i) {
      if (row[i] != queries[q] && static_cast<std::int64_t>(right.size()) < top - 1) right.push_back(row[i]);
    }
    std::vector<std::int64_t> given;
    for (const auto& [candidate, similarity] : found[q]) {
      if (candidate != queries[q]) given.push_back(candidate);
    }
    const auto has = [&](std::int64_t wanted) {
      return std::find(given.begin(), given.end(), wanted) != given.end() ? 1.0 : 0.0;
    };
    double hits = 0;
    for (const auto wanted : right) hits += has(wanted);
    report.recall_at_1 += !given.empty() && given.front() == right.front() ? 1 : 0;
    report.recall_at_10 += hits / static_cast<double>(right.size());
  }
  report.recall_at_1 /= static_cast<double>(report.queries);
  report.recall_at_10 /= static_cast<double>(report.queries);
  return report;
}

IndexReport GalleryParts::build_index(const IndexOptions& options, std::shared_ptr<const Catalog> catalog) {
  const std::unique_lock lock(mutex_);
  const auto start = std::chrono::steady_clock::now();
  auto before = std::move(index_);
  const auto catalog_before = std::exchange(catalog_, std::move(catalog));
  const auto options_before = std::exchange(index_options_, options);
  try {
    fill_index();
  } catch (...) {
    index_ = std::move(before);
    catalog_ = catalog_before;
    index_options_ = options_before;
    throw;
  }
  before.reset();
  const auto seconds = milliseconds_since(start) / 1000;
  auto report = measure_index();
  report.seconds = seconds;
  return report;
}

void GalleryParts::drop_index() {
  const std::unique_lock lock(mutex_);
  index_.reset();
}

}  // namespace kindred::application

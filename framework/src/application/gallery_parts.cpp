#include "application/gallery_parts.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <ios>
#include <mutex>
#include <ostream>
#include <set>
#include <shared_mutex>
#include <system_error>
#include <utility>

#include "application/gallery_folder.h"
#include "file/atomic_file.h"
#include "file/feature_files.h"
#include "file/file_kind.h"
#include "file/presence.h"
#include "kindred/core/error.h"
#include "kindred/core/utf8.h"
#include "kindred/search/row_lengths.h"
#include "ranking/similarity.h"

namespace kindred::application {
namespace {

namespace fs = std::filesystem;

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

/// What a search may ask for, and a date that is written with four digits.
void require_numbers(const std::string& id, const EntryInfo& info) {
  constexpr std::int64_t most_cameras = 1'000'000'000;
  constexpr std::int64_t year_0 = -62'167'219'200'000;
  constexpr std::int64_t year_10000 = 253'402'300'800'000;
  if (info.camera < unknown_camera || info.camera > most_cameras) {
    throw DataError(id, "has the camera " + std::to_string(info.camera) + "; allowed are 0 to " +
                            std::to_string(most_cameras) + ", and -1 for an unknown one");
  }
  if (info.time && (*info.time < year_0 || *info.time >= year_10000)) {
    throw DataError(id, "has the time " + std::to_string(*info.time) +
                            "; it counts milliseconds since 1970, in the years 0 to 9999");
  }
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

}  // namespace

GalleryParts::GalleryParts(std::int64_t dim, std::string model)
    : dim_(dim), model_(std::move(model)), rows_(std::max<std::int64_t>(dim, 1), true) {
  if (dim < 1 || dim > longest_descriptor) {
    throw Error("gallery: error: descriptors cannot have " + std::to_string(dim) +
                " numbers; give from 1 to " + std::to_string(longest_descriptor));
  }
  if (model_.size() > longest_text) throw Error("gallery: error: the model's id is longer than 65,536 bytes");
  if (!is_utf8(model_)) throw Error("gallery: error: the model's id, " + escaped(model_) + ", is not UTF-8");
}

std::unique_ptr<GalleryParts> GalleryParts::create(const fs::path& folder, std::int64_t dim,
                                                   const std::string& model) {
  auto parts = std::make_unique<GalleryParts>(dim, model);
  auto lock = make_gallery_folder(folder);
  static_cast<void>(parts->write_log(folder));
  parts->lock_ = std::move(lock);
  parts->open_log(folder, {});
  return parts;
}

std::unique_ptr<GalleryParts> GalleryParts::open(const fs::path& path, const GalleryOptions& options) {
  std::error_code error;
  if (!file::is_there(path)) throw DataError(path, "does not exist; it should be the folder of a gallery");
  auto parts = std::make_unique<GalleryParts>(1, "");
  if (fs::is_regular_file(path, error) && path.extension() == ".npy") {
    parts->open_features(path, options);
  } else if (file::is_there(path / gallery_log_name)) {
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
  folder_ = fs::absolute(folder);  // wherever the process goes
  read_only_ = options.read_only;
  const auto file = folder / gallery_log_name;
  if (!read_only_ && !lock_) lock_ = lock_gallery(folder);
  LogVisitor visitor;
  visitor.begin = [&](std::int64_t dim, const std::string& model) {
    if (!options.model.empty() && model != options.model) throw other_model(folder, model, options.model);
    dim_ = dim;
    model_ = model;
    rows_ = GalleryRows(dim, options.in_memory);
  };
  visitor.add = [&](std::string id, EntryInfo info, const float* row, std::uint64_t position) {
    // Written by add(), so only a foreign writer has one twice: the later one is meant.
    if (const auto found = by_id_.find(id); found != by_id_.end()) forget(found->second);
    take(std::move(id), std::move(info), position, row);
  };
  visitor.remove = [&](const std::string& id) {
    if (const auto found = by_id_.find(id); found != by_id_.end()) forget(found->second);
  };
  // Whoever changes the gallery meanwhile may put another log in the place of the one whose positions these
  // are.
  auto log = std::make_unique<LogReader>(file);
  const auto state = read_log(*log, options.skip_damaged, visitor);
  notes_ = state.notes;
  if (!options.in_memory) rows_.read_from(std::move(log));
  if (!read_only_) open_writer(file, state.end);
  note_equal_descriptors([&](std::int64_t first, std::int64_t last) { return rows_.units(first, last); });
}

void GalleryParts::open_writer(const fs::path& file, std::uint64_t end) {
  const bool damaged =
      std::any_of(notes_.begin(), notes_.end(), [](const auto& note) { return note.starts_with("warning"); });
  if (damaged) notes_.push_back("the damaged log is kept as " + keep_damaged(file).string());
  writer_ = std::make_unique<LogWriter>(file, end);
  if (damaged) return compact_locked();
  if (removed_bytes_ <= smallest_waste || 2 * removed_bytes_ <= end) return;
  try {
    compact_locked();
  } catch (const DataError& error) {
    if (!writer_) throw;
    // Such as a full disk, which has no room for a second log: the one that is there is as good.
    notes_.push_back("what was removed is still in the log, which cannot be written again without it: " +
                     std::string(error.what()));
  }
}

void GalleryParts::open_features(const fs::path& file, const GalleryOptions& options) {
  read_only_ = true;
  // Arrays of a list are opened when their rows are asked for, wherever the process is then.
  auto reader = std::make_unique<file::FeatureReader>(options.in_memory ? file : fs::absolute(file));
  dim_ = reader->dim();
  rows_ = GalleryRows(dim_, options.in_memory);
  if (!options.model.empty()) {
    notes_.push_back(file.string() +
                     " does not say which model its descriptors are of; nothing checks that it is " +
                     "this one");
  }
  const auto& samples = reader->samples();
  for (std::int64_t first = 0; first < reader->size(); first += GalleryRows::at_a_time) {
    const auto last = std::min(first + GalleryRows::at_a_time, reader->size());
    const auto rows = options.in_memory
                          ? ranking::unit_rows(reader->rows(first, last), file.string(), first).contiguous()
                          : torch::Tensor();
    for (auto at = first; at < last; ++at) {
      const auto& sample = samples[static_cast<std::size_t>(at)];
      if (by_id_.contains(sample.path)) throw DataError(file, "lists the image '" + sample.path + "' twice");
      EntryInfo info;
      info.camera = sample.camera;
      if (sample.identity >= 0) info.label = std::to_string(sample.identity);
      take(sample.path, std::move(info), 0,
           options.in_memory ? rows.data_ptr<float>() + (at - first) * dim_ : nullptr);
    }
  }
  note_equal_descriptors([&](std::int64_t first, std::int64_t last) { return reader->rows(first, last); });
  if (!options.in_memory) rows_.read_from(std::move(reader));
}

void GalleryParts::note_equal_descriptors(const inference::DescriptorRows& rows) {
  const auto live_rows = [&](std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> kept;
    for (auto at = first; at < last; ++at) {
      if (removed_[static_cast<std::size_t>(at)] == 0) kept.push_back(at - first);
    }
    const auto all = rows(first, last);
    return removed_count_ == 0 ? all : all.index_select(0, torch::tensor(kept, torch::kLong));
  };
  auto warning = inference::warning_of_equal_descriptors(rows_.size(), live_rows, "gallery");
  if (!warning.empty()) notes_.push_back(std::move(warning));
}

void GalleryParts::require_changeable() const {
  if (read_only_) {
    throw Error(
        "gallery: error: it was opened to be searched, or is the features of `kindred embed`, and cannot be "
        "changed; open a gallery without read_only, or save() it as one");
  }
  if (!folder_.empty() && !writer_) {
    throw DataError(folder_ / gallery_log_name,
                    "was written again and could not be opened after that, so nothing more is written to it; "
                    "nothing is lost; open the gallery once more");
  }
}

void GalleryParts::take(std::string id, EntryInfo info, std::uint64_t position, const float* row) {
  rows_.append(position, row);
  entries_.push_back({std::move(id), std::move(info)});
  removed_.push_back(0);
  by_id_.emplace(entries_.back().id, rows_.size() - 1);
}

void GalleryParts::cut(std::int64_t size) {
  const auto count = static_cast<std::size_t>(size);
  for (; entries_.size() > count; entries_.pop_back()) by_id_.erase(entries_.back().id);
  removed_.resize(std::min(removed_.size(), count));
  rows_.cut(size);
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
    require_numbers(ids[i], infos[i]);
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
  const auto info_of = [&](std::size_t i) -> const EntryInfo& { return infos.empty() ? nothing : infos[i]; };
  const auto row_at = [&](std::size_t i) { return row + static_cast<std::int64_t>(i) * dim_; };
  const auto before = rows_.size();
  try {
    std::string records;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t position = 0;
      if (writer_) {
        append_add_record(records, ids[i], info_of(i), row_at(i), dim_);
        position = writer_->end() + records.size() - static_cast<std::uint64_t>(dim_) * sizeof(float);
      }
      take(ids[i], info_of(i), position, row_at(i));
    }
    // Last: what is in the log stays there, but for the memory of what is taken there may be no room.
    if (writer_) writer_->append(records);
  } catch (...) {
    cut(before);
    throw;
  }
  change_index([&] { index_->add(units); });
}

void GalleryParts::change_index(const std::function<void()>& change) {
  if (!index_) return;
  try {
    change();
  } catch (const std::exception& error) {
    // What has changed in the gallery stays so; searches are exact from now on.
    index_.reset();
    notes_.push_back(std::string("warning: the index was dropped, it does not take what has changed: ") +
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
  const auto offer = [&](std::vector<Match>& matches, std::int64_t row, float product) {
    const auto similarity = std::clamp(product, -1.0F, 1.0F);  // rounding may lead beyond
    if (similarity < options.threshold) return;
    const auto& entry = entries_[static_cast<std::size_t>(row)];
    matches.push_back({entry.id, similarity, entry.info});
  };
  const bool filtered = !options.cameras.empty() || options.from || options.until;
  if (index_ && !filtered) {
    const auto found = index_->search(ranking::unit_rows(queries, "query"), top, rows_, removed_);
    for (std::size_t q = 0; q < found.size(); ++q) {
      for (const auto& [row, similarity] : found[q]) offer(result[q], row, similarity);
    }
    return result;
  }
  const auto excluded = filtered ? excluded_by(options) : std::vector<std::uint8_t>();
  const auto ranking = rows_.rank(queries, top,
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
  return rows_.gathered({row_of(id)});
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
  for (std::int64_t first = 0; first < rows_.size(); first += GalleryRows::at_a_time) {
    const auto last = std::min(first + GalleryRows::at_a_time, rows_.size());
    const auto units = rows_.units(first, last);
    for (auto at = first; at < last; ++at) {
      if (removed_[static_cast<std::size_t>(at)] != 0) continue;
      call(entries_[static_cast<std::size_t>(at)], units.data_ptr<float>() + (at - first) * dim_);
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
  const auto file = folder_ / gallery_log_name;
  const bool has_log = writer_ != nullptr;
  std::vector<std::uint64_t> positions;
  std::unique_ptr<LogReader> log;
  if (has_log) {
    positions = write_log(folder_);
    writer_.reset();  // of the log that was
    if (!rows_.in_memory()) log = std::make_unique<LogReader>(file);
  }
  // In place, as a gallery may take up more than half of the memory.
  if (rows_.in_memory()) {
    rows_.drop(removed_);
  } else {
    rows_.read_from(std::move(log), std::move(positions));
  }
  drop_removed_entries();
  change_index([&] { index_->fill(rows_); });
  if (has_log) writer_ = std::make_unique<LogWriter>(file, LogReader(file).size());
}

void GalleryParts::drop_removed_entries() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (removed_[i] != 0) continue;
    if (kept != i) {
      // Its key is a view of the id, which moves.
      auto known = by_id_.extract(entries_[i].id);
      entries_[kept] = std::move(entries_[i]);
      known.key() = entries_[kept].id;
      known.mapped() = static_cast<std::int64_t>(kept);
      by_id_.insert(std::move(known));
    }
    ++kept;
  }
  entries_.resize(kept);
  removed_.assign(kept, 0);
  removed_count_ = 0;
  removed_bytes_ = 0;
}

void GalleryParts::save(const fs::path& folder) const {
  const std::shared_lock lock(mutex_);
  const auto folder_lock = make_gallery_folder(folder);
  static_cast<void>(write_log(folder));
}

IndexReport GalleryParts::build_index(const IndexOptions& options, std::shared_ptr<const Catalog> catalog) {
  const std::unique_lock lock(mutex_);
  const auto start = std::chrono::steady_clock::now();
  auto index = std::make_unique<ApproximateIndex>(options, std::move(catalog), rows_);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  auto report = index->measure(rows_, removed_);
  report.seconds = seconds.count();
  index_ = std::move(index);  // that it can be searched is known now, where there is anything to find
  return report;
}

void GalleryParts::drop_index() {
  const std::unique_lock lock(mutex_);
  index_.reset();
}

}  // namespace kindred::application

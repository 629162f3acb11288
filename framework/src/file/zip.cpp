#include "file/zip.h"

#include <zip.h>

#include <utility>

#include "kindred/core/error.h"
#include "text/number_text.h"
#include "text/printable.h"

namespace kindred::file {
namespace {

/// Names as they stand in the file.
constexpr zip_flags_t raw_names = ZIP_FL_ENC_RAW;

}  // namespace

bool is_zip(BinaryFile& file) {
  if (file.size() < 4) return false;
  std::string start(4, '\0');
  file.read(0, start.data(), start.size());
  return start == "PK\x03\x04";
}

ZipArchive::ZipArchive(std::filesystem::path file) : file_(std::move(file)), archive_(nullptr, zip_discard) {
  const auto file_size = BinaryFile(file_).size();
  int code = 0;
  archive_.reset(zip_open(file_.c_str(), ZIP_RDONLY, &code));
  if (!archive_) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    fail("its list of records cannot be read (" + reason + ")");
  }
  const auto count = zip_get_num_entries(archive_.get(), 0);
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t record;
    if (zip_stat_index(archive_.get(), static_cast<zip_uint64_t>(i), raw_names, &record) != 0) {
      fail("its list of records cannot be read (" + std::string(zip_strerror(archive_.get())) + ")");
    }
    const auto name = text::printable(record.name);
    if (record.encryption_method != ZIP_EM_NONE)
      throw DataError(file_, "is encrypted, which is not supported");
    if (record.comp_size > file_size) fail("its record '" + name + "' is larger than the file");
    if (record.comp_method == ZIP_CM_STORE && record.comp_size != record.size) {
      fail("record '" + name + "' has two sizes");
    }
    if (!sizes_.emplace(record.name, record.comp_size).second)
      fail("two records have the name '" + name + "'");
    places_.emplace(record.name, record.index);
  }
}

void ZipArchive::fail(const std::string& what) const {
  throw DataError(file_, "is damaged or truncated: " + what);
}

void ZipArchive::read(const std::string& record, void* data) const {
  const auto name = text::printable(record);
  zip_stat_t found;
  // By name, libzip would go through all records each time.
  if (zip_stat_index(archive_.get(), places_.at(record), raw_names, &found) != 0) {
    fail("record '" + name + "' cannot be read (" + zip_strerror(archive_.get()) + ")");
  }
  if (found.comp_method != ZIP_CM_STORE) {
    throw DataError(
        file_, "its record '" + name +
                   "' is compressed, unlike in files of PyTorch; save the weights again with torch.save");
  }
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> content(
      zip_fopen_index(archive_.get(), found.index, 0), zip_fclose);
  if (!content) fail("record '" + name + "' cannot be read (" + zip_strerror(archive_.get()) + ")");
  auto* bytes = static_cast<char*>(data);
  for (auto left = found.size; left > 0;) {
    const auto count = zip_fread(content.get(), bytes, left);
    if (count <= 0) fail("record '" + name + "' ends early");
    bytes += count;
    left -= static_cast<zip_uint64_t>(count);
  }
  // libzip compares the checksum when it meets the end.
  char beyond = 0;
  if (found.crc != 0 && zip_fread(content.get(), &beyond, 1) != 0) {
    throw DataError(file_, "is damaged: the checksum of its record '" + name + "' is not that of its bytes");
  }
}

}  // namespace kindred::file

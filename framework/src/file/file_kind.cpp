#include "file/file_kind.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <span>
#include <string_view>
#include <system_error>

#include "file/safetensors.h"
#include "file/zip.h"
#include "kindred/core/error.h"
#include "kindred/image/file_content.h"

namespace kindred::file {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t beginning_size = 4096;

std::string beginning_of(std::ifstream& stream) {
  std::string text(beginning_size, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  return text;
}

FileKind kind_of_archive(const fs::path& file) {
  const ZipArchive archive(file);
  FileKind kind = FileKind::other;
  for (const auto& [name, size] : archive.sizes()) {
    if (name.ends_with("constants.pkl")) return FileKind::torch_script;
    if (name.ends_with("data.pkl")) kind = FileKind::torch;
  }
  return kind;
}

FileKind kind_of_safetensors(const fs::path& file) {
  const auto metadata = read_safetensors_metadata(file);
  if (metadata.count("kindred.checkpoint") > 0) return FileKind::checkpoint;
  return metadata.count("kindred.recipe") > 0 ? FileKind::model : FileKind::safetensors;
}

/// A message of protocol buffers whose first field is ONNX's ir_version, followed by one of the few fields
/// that come next.
bool is_onnx(std::string_view start, const fs::path& file) {
  if (start.size() < 3 || start[0] != 0x08 || start[1] < 1 || start[1] > 0x20) return false;
  return std::string_view("\x12\x1a\x22\x28\x32\x3a\x42").find(start[2]) != std::string_view::npos ||
         file.extension() == ".onnx";
}

bool is_image(std::string_view start) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(start.data());
  return content_of(std::span(bytes, start.size())).kind == ContentKind::image;
}

bool is_text(std::string_view start) {
  return std::none_of(start.begin(), start.end(), [](char c) {
    const auto code = static_cast<unsigned char>(c);
    return code < 32 && c != '\n' && c != '\r' && c != '\t' && c != '\f';
  });
}

FileKind kind_of_content(const fs::path& file, std::string_view start) {
  using namespace std::string_view_literals;
  if (start.empty()) return FileKind::empty;
  if (start.starts_with("PK\3\4")) return kind_of_archive(file);
  // A pickled number, which files before PyTorch 1.6 begin with, or another pickle.
  if (start.size() > 2 && start[0] == '\x80' && start[1] >= 2 && start[1] <= 5) return FileKind::torch;
  if (start.starts_with("\x93NUMPY")) return FileKind::npy;
  if (start.size() > 8 && start[8] == '{' && start[7] == 0) return kind_of_safetensors(file);
  if (is_image(start) && !is_text(start)) return FileKind::image;
  if (is_onnx(start, file)) return FileKind::onnx;
  return is_text(start) ? FileKind::text : FileKind::other;
}

}  // namespace

FileKind file_kind(const fs::path& file) {
  std::error_code error;
  const auto status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) return FileKind::missing;
  if (status.type() == fs::file_type::directory) return FileKind::folder;
  if (error) return FileKind::unreadable;
  if (status.type() != fs::file_type::regular) return FileKind::special;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return FileKind::unreadable;
  const auto start = beginning_of(stream);
  if (stream.bad()) return FileKind::unreadable;
  try {
    return kind_of_content(file, start);
  } catch (const Error&) {
    return FileKind::other;  // begins like something that it is not
  }
}

std::string description_of(FileKind kind) {
  switch (kind) {
    case FileKind::missing:
      return "missing";
    case FileKind::unreadable:
      return "a file that cannot be read";
    case FileKind::folder:
      return "a folder";
    case FileKind::special:
      return "a pipe, socket or device, not a file";
    case FileKind::empty:
      return "an empty file";
    case FileKind::model:
      return "a model file of Kindred";
    case FileKind::checkpoint:
      return "a checkpoint of a training";
    case FileKind::safetensors:
      return "a safetensors file";
    case FileKind::torch:
      return "a file of PyTorch (torch.save)";
    case FileKind::torch_script:
      return "a TorchScript program";
    case FileKind::onnx:
      return "an ONNX file";
    case FileKind::npy:
      return "a NumPy file";
    case FileKind::image:
      return "an image";
    case FileKind::text:
      return "a text file";
    case FileKind::other:
      return "a binary file";
  }
  return "";
}

}  // namespace kindred::file

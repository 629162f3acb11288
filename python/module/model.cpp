#include "model.h"

#include <pybind11/stl.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "application/extractor_parts.h"
#include "arrays.h"
#include "kindred/core/sample.h"
#include "kindred/extract.h"
#include "kindred/image/image.h"
#include "kindred/role/dataset.h"
#include "plugins.h"
#include "work.h"

namespace kindred::python {
namespace {

namespace py = pybind11;

/// Images of Python: files by their paths, which are bytes, as names need not be UTF-8; and arrays [H, W, C]
/// of bytes whose pixels lie together, called images[0], images[1], ... To be destroyed with the GIL.
class Images final : public Dataset {
 public:
  Images(const py::list& images, const std::optional<Numbers>& cameras, const std::optional<Numbers>& views) {
    samples_.reserve(images.size());
    for (std::size_t i = 0; i < images.size(); ++i) {
      Sample sample;
      sample.split = Split::gallery;
      if (cameras) sample.camera = cameras->values()[i];
      if (views) sample.view = views->values()[i];
      if (py::isinstance<py::bytes>(images[i])) {
        sample.path = images[i].cast<std::string>();
        if (sample.path.starts_with("images[")) sample.path.insert(0, "./");  // no array's name
      } else {
        sample.path = "images[" + std::to_string(i) + "]";
        pixels_.emplace(sample.path, images[i].cast<py::buffer>().request());
      }
      samples_.push_back(std::move(sample));
    }
    for (const auto& [name, info] : pixels_) require_pixels(name, info);
  }

  [[nodiscard]] std::vector<Sample> samples() const override { return samples_; }
  [[nodiscard]] const std::vector<Sample>& all() const { return samples_; }

  [[nodiscard]] cv::Mat image(const Sample& sample) const override {
    const auto found = pixels_.find(sample.path);
    if (found == pixels_.end()) return read_image(sample.path);
    const auto& info = found->second;
    const auto channels = static_cast<int>(info.shape[2]);
    // Whoever wants to write to it makes a copy first (data/loader.cpp): the memory is not OpenCV's.
    const cv::Mat image(static_cast<int>(info.shape[0]), static_cast<int>(info.shape[1]), CV_8UC(channels),
                        info.ptr, static_cast<std::size_t>(info.strides[0]));
    if (channels == 3) return image;
    cv::Mat rgb;
    cv::cvtColor(image, rgb, channels == 1 ? cv::COLOR_GRAY2RGB : cv::COLOR_RGBA2RGB);
    return rgb;
  }

 private:
  static void require_pixels(const std::string& name, const py::buffer_info& info) {
    const bool right = info.ndim == 3 && info.format == "B" && info.strides[2] == 1 &&
                       info.strides[1] == info.shape[2] && info.strides[0] >= info.shape[1] * info.shape[2] &&
                       (info.shape[2] == 1 || info.shape[2] == 3 || info.shape[2] == 4);
    if (!right)
      throw py::value_error(name + " must be an array [H, W, C] of uint8 whose pixels lie together");
  }

  std::vector<Sample> samples_;
  std::unordered_map<std::string, py::buffer_info> pixels_;
};

class Model {
 public:
  Model(const std::string& path, const std::string& device, int batch, const std::string& precision,
        const std::vector<std::string>& overrides) {
    ExtractorOptions options;
    options.model = path;
    options.device = device;
    options.batch = batch;
    options.precision = precision;
    options.overrides = overrides;
    require_usual_type();
    const WithoutAutocast without_autocast;
    const py::gil_scoped_release released;
    // The catalog lives for ever.
    const std::shared_ptr<const Catalog> components(std::shared_ptr<const Catalog>(), &catalog());
    parts_ = std::make_unique<application::ExtractorParts>(options, components, std::vector<std::string>());
  }

  void extract(const py::list& images, const std::optional<py::buffer>& cameras,
               const std::optional<py::buffer>& views, const py::buffer& out) {
    const auto numbers = [&](const std::optional<py::buffer>& array, const char* name) {
      std::optional<Numbers> result;
      if (!array) return result;
      result.emplace(*array, name);
      if (result->values().size() != images.size()) {
        throw py::value_error(std::string(name) + " must have a number for each image");
      }
      return result;
    };
    const auto of_cameras = numbers(cameras, "cameras");
    const auto of_views = numbers(views, "views");
    const Images dataset(images, of_cameras, of_views);
    OutputMatrix rows(out, "out");
    if (rows.tensor().size(0) != static_cast<std::int64_t>(images.size()) ||
        rows.tensor().size(1) != parts_->dim()) {
      throw py::value_error(
          "out must have a row for each image and a column for each number of a descriptor");
    }
    parts_->model().require_known(dataset.all());
    carry_out([&](progress::ProgressSink& progress) {
      parts_->extract(dataset, dataset.all(), rows.tensor().data_ptr<float>(), progress);
      return true;
    });
  }

  [[nodiscard]] const application::ExtractorParts& parts() const { return *parts_; }

 private:
  std::unique_ptr<application::ExtractorParts> parts_;
};

}  // namespace

void add_model_class(py::module_& module) {
  py::class_<Model>(module, "Model", "A trained model in memory.")
      .def(py::init<const std::string&, const std::string&, int, const std::string&,
                    const std::vector<std::string>&>(),
           py::arg("path"), py::arg("device"), py::arg("batch"), py::arg("precision"), py::arg("overrides"))
      .def("extract", &Model::extract, py::arg("images"), py::arg("cameras").none(true),
           py::arg("views").none(true), py::arg("out"))
      .def_property_readonly("dim", [](const Model& model) { return model.parts().dim(); })
      .def_property_readonly("image_size",
                             [](const Model& model) {
                               const auto size = model.parts().image_size();
                               return std::pair(size.height, size.width);
                             })
      .def_property_readonly("needs_cameras",
                             [](const Model& model) {
                               const auto used = model.parts().model().side_information();
                               return used.cameras && used.refuses_unknown;
                             })
      .def_property_readonly("needs_views",
                             [](const Model& model) {
                               const auto used = model.parts().model().side_information();
                               return used.views && used.refuses_unknown;
                             })
      .def_property_readonly("model_id", [](const Model& model) { return model.parts().model_id(); })
      .def_property_readonly("notes", [](const Model& model) { return model.parts().notes(); });
}

}  // namespace kindred::python

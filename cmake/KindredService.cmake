# kindred_service: what `kindred serve` is made of. The launcher and its tests alone link it, so that neither plugins nor
# applications need an HTTP library.
file(GLOB service_sources CONFIGURE_DEPENDS src/service/*.cpp src/command/serve.cpp)

# The page and the API's description become part of the program.
set(web_folder "${CMAKE_CURRENT_SOURCE_DIR}/src/service/web")
set(web_files
  page_html "${web_folder}/index.html"
  page_css "${web_folder}/style.css"
  page_script "${web_folder}/script.js"
  openapi_json "${PROJECT_SOURCE_DIR}/docs/openapi.json")
set(web_source "#include \"service/web_files.h\"\n\nnamespace kindred::service {\n")
while(web_files)
  list(POP_FRONT web_files name file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${file}" content)
  string(APPEND web_source "const std::string_view ${name} = R\"web_file(${content})web_file\";\n")
endwhile()
string(APPEND web_source "}  // namespace kindred::service\n")
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/web_files.cpp.new" "${web_source}")
configure_file("${CMAKE_CURRENT_BINARY_DIR}/web_files.cpp.new" "${CMAKE_CURRENT_BINARY_DIR}/web_files.cpp" COPYONLY)

add_library(kindred_service STATIC ${service_sources} "${CMAKE_CURRENT_BINARY_DIR}/web_files.cpp")
target_link_libraries(kindred_service PUBLIC kindred_engine PRIVATE opencv_imgcodecs Threads::Threads)
kindred_compile_options(kindred_service)
kindred_use_torch_header(kindred_service)

# By pkg-config, which alone says how Debian's library was compiled: the types in its header depend on that. Its inner
# interface, which http_server.cpp uses, changes between versions: Debian 12 has 0.11.4.
pkg_check_modules(httplib QUIET IMPORTED_TARGET cpp-httplib)
if(httplib_FOUND)
  set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
  try_compile(KINDRED_HTTPLIB_FITS
    SOURCES "${CMAKE_CURRENT_SOURCE_DIR}/src/service/http_server.cpp"
    CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${CMAKE_CURRENT_SOURCE_DIR}/src;${CMAKE_CURRENT_SOURCE_DIR}/include;${httplib_INCLUDE_DIRS}"
    COMPILE_DEFINITIONS -DKINDRED_HTTPLIB ${httplib_CFLAGS_OTHER}
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
  unset(CMAKE_TRY_COMPILE_TARGET_TYPE)
endif()
if(KINDRED_HTTPLIB_FITS)
  target_link_libraries(kindred_service PRIVATE PkgConfig::httplib)
  target_compile_definitions(kindred_service PRIVATE KINDRED_HTTPLIB)
elseif(httplib_FOUND)
  message(STATUS "cpp-httplib ${httplib_VERSION} is of another version than 0.11: `kindred serve` is left out")
else()
  message(STATUS "cpp-httplib is not there (Debian: libcpp-httplib-dev): `kindred serve` is left out")
endif()

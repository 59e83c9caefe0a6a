# Helpers for the top CMakeLists.txt; each does one thing.

# Language, visibility, sanitizers and warnings for every target of this tree.
macro(hc_build_defaults)
  set(CMAKE_CXX_STANDARD 20)
  set(CMAKE_CXX_STANDARD_REQUIRED ON)
  set(CMAKE_CXX_EXTENSIONS OFF)
  set(CMAKE_C_STANDARD 99)
  set(CMAKE_C_EXTENSIONS OFF)
  set(CMAKE_C_VISIBILITY_PRESET hidden)
  set(CMAKE_CXX_VISIBILITY_PRESET hidden)
  set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
  set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
  if(PROJECT_IS_TOP_LEVEL)
    if(NOT CMAKE_BUILD_TYPE)
      set(CMAKE_BUILD_TYPE RelWithDebInfo)
    endif()
    hc_use_ccache()
  endif()
  hc_use_sanitizers()
  hc_define_warnings()
endmacro()

macro(hc_use_ccache)
  find_program(HC_CCACHE ccache)
  mark_as_advanced(HC_CCACHE)
  if(HC_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${HC_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${HC_CCACHE})
  endif()
endmacro()

macro(hc_use_sanitizers)
  set(HC_NO_UNDEFINED LINKER:--no-undefined)
  if(HC_SANITIZE)
    add_compile_options(-fsanitize=${HC_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${HC_SANITIZE})
    if(HC_SANITIZE MATCHES undefined)
      # The vptr check asks the kernel for a pipe to learn whether an address can be read, and fails without one:
      # the tests that leave the process no descriptor would fail for that. AddressSanitizer finds dead objects too.
      add_compile_options(-fno-sanitize=vptr)
    endif()
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
      set(HC_NO_UNDEFINED "") # clang leaves the sanitizer's symbols of a library to the executable
    endif()
  endif()
endmacro()

# hc_warnings: for tests. hc_strict_warnings: for what ships; it adds the silent narrowing of numbers.
function(hc_define_warnings)
  add_library(hc_warnings INTERFACE)
  target_compile_options(hc_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wundef
    -Wno-missing-field-initializers # designated initialisers leave the rest at its default on purpose
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi>
    $<$<BOOL:${HC_WERROR}>:-Werror>)
  add_library(hc_strict_warnings INTERFACE)
  target_compile_options(hc_strict_warnings INTERFACE
    -Wconversion -Wno-sign-conversion -Wcast-qual
    $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>)
  target_link_libraries(hc_strict_warnings INTERFACE hc_warnings)
endfunction()

# Finds a library with pkg-config, or stops and says what to install.
macro(hc_require prefix module version debian_package)
  pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${module}>=${version})
  if(NOT ${prefix}_FOUND)
    message(FATAL_ERROR "libhc needs ${module} >= ${version} with its headers, and pkg-config does not find it.\n"
                        "On Debian: apt-get install ${debian_package}")
  endif()
  message(STATUS "${module} ${${prefix}_VERSION}")
endmacro()

# The files that match, below the pattern's folder too; empty while a folder does not exist.
function(hc_sources out pattern)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${pattern})
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# The file finds its prefix from its own place, so it stays true after `cmake --install --prefix`.
function(hc_install_pkgconfig)
  if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_prefix ${CMAKE_INSTALL_PREFIX})
  else()
    file(RELATIVE_PATH up /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
    set(pc_prefix "\${pcfiledir}/${up}")
    string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
  endif()
  set(pc_libdir "\${prefix}")
  set(pc_includedir "\${prefix}")
  cmake_path(APPEND pc_libdir "${CMAKE_INSTALL_LIBDIR}") # an absolute path replaces the prefix
  cmake_path(APPEND pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
  configure_file(pkgconfig/libhc.pc.in libhc.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/libhc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# Where an installed program finds the library: from its own place, too, unless one of them has a place of its own.
function(hc_path_from_bin out)
  set(path ${CMAKE_INSTALL_FULL_LIBDIR})
  if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" AND NOT IS_ABSOLUTE "${CMAKE_INSTALL_BINDIR}")
    file(RELATIVE_PATH path /p/${CMAKE_INSTALL_BINDIR} /p/${CMAKE_INSTALL_LIBDIR})
    set(path "$ORIGIN/${path}")
  endif()
  set(${out} "${path}" PARENT_SCOPE)
endfunction()

# find_package(libhc) -> libhc::hc
function(hc_install_cmake_package)
  set(where ${CMAKE_INSTALL_LIBDIR}/cmake/libhc)
  configure_package_config_file(cmake/libhcConfig.cmake.in libhcConfig.cmake INSTALL_DESTINATION ${where})
  # Before 1.0 a minor version may change things: 0.2 does not satisfy a request for 0.1.
  write_basic_package_version_file(libhcConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/libhcConfig.cmake ${PROJECT_BINARY_DIR}/libhcConfigVersion.cmake
          DESTINATION ${where})
  install(EXPORT libhcTargets NAMESPACE libhc:: DESTINATION ${where})
endfunction()

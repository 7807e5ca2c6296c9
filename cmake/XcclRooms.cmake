# How every target is compiled, and what a room is: a folder of src/ that becomes one static
# library, seen only by the rooms that name it.
include(GNUInstallDirs)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED libsodium)
# Linked into libxccl.so where the distribution has the archive, so that users get one file.
add_library(xccl_sodium INTERFACE)
find_library(SODIUM_ARCHIVE NAMES libsodium.a HINTS ${SODIUM_LIBRARY_DIRS})
target_link_libraries(xccl_sodium INTERFACE $<IF:$<BOOL:${SODIUM_ARCHIVE}>,${SODIUM_ARCHIVE},${SODIUM_LINK_LIBRARIES}>)
target_include_directories(xccl_sodium INTERFACE ${SODIUM_INCLUDE_DIRS})

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
option(XCCL_UNITY "Compile a target's files together; off, one edit compiles one file" ON)
set(CMAKE_UNITY_BUILD ${XCCL_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 16)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(xccl_flags INTERFACE)
target_compile_options(xccl_flags INTERFACE -Wall -Wextra -Werror -ffp-contract=off
                                            -fno-strict-aliasing)
target_compile_definitions(xccl_flags INTERFACE _GNU_SOURCE)
if(XCCL_SANITIZE)  # -O1: instrumented code takes twice as long to optimise further
  # GCC takes instrumented code for code that reads what nobody wrote.
  target_compile_options(xccl_flags INTERFACE -fsanitize=${XCCL_SANITIZE} -fno-omit-frame-pointer -O1
                                              -g1 -Wno-maybe-uninitialized)
  target_link_options(xccl_flags INTERFACE -fsanitize=${XCCL_SANITIZE})
  if(XCCL_SANITIZE MATCHES "thread")
    target_compile_options(xccl_flags INTERFACE -Wno-tsan)
  endif()
endif()

# Before version 9, fmt is used as headers alone: what it would have to instantiate differs.
if(fmt_VERSION VERSION_LESS 9)
  target_compile_definitions(xccl_flags INTERFACE FMT_HEADER_ONLY)
else()
  add_library(xccl_fmt STATIC ${CMAKE_SOURCE_DIR}/cmake/fmt_library.cc)
  target_link_libraries(xccl_fmt PRIVATE $<BUILD_INTERFACE:xccl_flags>)
  target_link_libraries(xccl_flags INTERFACE $<LINK_ONLY:xccl_fmt>)
endif()

# xccl_room(name DEPENDS room... LINK library...)  all of src/<name>/*.cc
function(xccl_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cc)
  if(NOT sources)
    add_library(xccl_${name} INTERFACE)
    set(reach INTERFACE)
  else()
    add_library(xccl_${name} STATIC ${sources})
    set(reach PUBLIC)
  endif()
  target_include_directories(xccl_${name} ${reach} ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(xccl_${name} ${reach} xccl_flags Threads::Threads ${ROOM_LINK})
  foreach(room ${ROOM_DEPENDS})
    target_link_libraries(xccl_${name} ${reach} xccl_${room})
  endforeach()
endfunction()

# xccl_room_test(name DEPENDS room...)  all of tests/<name>/*_test.cc as one program, but for
# *_relacy_test.cc: Relacy replaces operator new.
function(xccl_room_test name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cc)
  list(FILTER sources EXCLUDE REGEX "_relacy_test\\.cc$")
  if(sources)
    add_executable(${name}_test ${sources})
    target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/tests)
    target_link_libraries(${name}_test PRIVATE GTest::gtest_main xccl_${name} ${ROOM_LINK})
    target_compile_options(${name}_test PRIVATE -O1)  # compiled once, run for seconds
    foreach(room ${ROOM_DEPENDS})
      target_link_libraries(${name}_test PRIVATE xccl_${room})
    endforeach()
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}/ DISCOVERY_MODE PRE_TEST
                         DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300)
  endif()
endfunction()

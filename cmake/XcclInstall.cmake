# make install: the library, its header, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

install(TARGETS xccl EXPORT xccl_targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/xccl)
install(EXPORT xccl_targets NAMESPACE xccl:: DESTINATION ${package_folder})
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/xccl-config.cmake.in
                              ${CMAKE_BINARY_DIR}/xccl-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/xccl-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/xccl-config.cmake ${CMAKE_BINARY_DIR}/xccl-config-version.cmake
        DESTINATION ${package_folder})
configure_file(${CMAKE_SOURCE_DIR}/cmake/xccl.pc.in ${CMAKE_BINARY_DIR}/xccl.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/xccl.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

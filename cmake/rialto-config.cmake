# find_package(rialto) gives rialto::rialto, the shared library, and rialto::static.
cmake_policy(VERSION 3.16)
get_filename_component(_rialto_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

function(_rialto_add name kind file)
    find_library(_rialto_library ${file} NO_CACHE NO_DEFAULT_PATH
        PATHS ${_rialto_prefix} PATH_SUFFIXES lib/${CMAKE_LIBRARY_ARCHITECTURE} lib64 lib)
    if(_rialto_library AND NOT TARGET ${name})
        add_library(${name} ${kind} IMPORTED)
        set_target_properties(${name} PROPERTIES
            IMPORTED_LOCATION ${_rialto_library}
            INTERFACE_INCLUDE_DIRECTORIES ${_rialto_prefix}/include)
    endif()
endfunction()

_rialto_add(rialto::rialto SHARED librialto.so)
_rialto_add(rialto::static STATIC librialto.a)

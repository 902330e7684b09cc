# find_package(rialto) gives rialto::rialto, the shared library, and rialto::static.
cmake_policy(VERSION 3.16)
get_filename_component(_rialto_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

function(_rialto_add name kind file)
    foreach(place lib/${CMAKE_LIBRARY_ARCHITECTURE} lib64 lib)
        set(path ${_rialto_prefix}/${place}/${file})
        if(EXISTS ${path} AND NOT TARGET ${name})
            add_library(${name} ${kind} IMPORTED)
            set_target_properties(${name} PROPERTIES
                IMPORTED_LOCATION ${path}
                INTERFACE_INCLUDE_DIRECTORIES ${_rialto_prefix}/include)
        endif()
    endforeach()
endfunction()

_rialto_add(rialto::rialto SHARED librialto.so)
_rialto_add(rialto::static STATIC librialto.a)
if(NOT TARGET rialto::rialto)
    set(rialto_FOUND FALSE)
    set(rialto_NOT_FOUND_MESSAGE "no librialto.so below ${_rialto_prefix}")
endif()

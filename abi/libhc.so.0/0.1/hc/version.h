/* libhc's version at compile time. Generated: the one source is the project version in CMakeLists.txt. */
#ifndef HC_VERSION_H
#define HC_VERSION_H

#define HC_VERSION_MAJOR 0
#define HC_VERSION_MINOR 1
#define HC_VERSION_PATCH 0
#define HC_VERSION_NUMBER (HC_VERSION_MAJOR * 1000000 + HC_VERSION_MINOR * 1000 + HC_VERSION_PATCH)
#define HC_VERSION_STRING "0.1.0"

#endif
